import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// One process runs many files, three at a time: on two cores, two leave gaps where a file waits for the processes that it
// started, and each more loads all modules once more. Processes, because threads crash the engine. All files are of one
// project, because another project's files would get processes of their own: a seventh of the suite's time went there.
const conditions = ['app-source', 'node', 'development|production'];

// Part of `npm run test:faults`, which takes its time; kill -9 is also in the replay and in ingest's own specs.
const faults = ['test/faults/*.test.ts'];

/** The longest first: a fresh clone knows no durations, and a worker alone with one at the end makes the suite longer. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const long = ({ moduleId }: TestSpecification) =>
      /\/test\/(replay|cli|matrix|package)\b/.test(moduleId);
    return [...sorted.filter(long), ...sorted.filter((file) => !long(file))];
  }
}

const processes = {
  pool: 'forks',
  isolate: false,
  testTimeout: 120_000,
  hookTimeout: 60_000,
} as const;

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    sequence: { sequencer: LongestFirst },
    globalSetup: 'test/memory.ts',
    projects: [
      {
        extends: true,
        test: {
          ...processes,
          name: 'suite',
          include: ['**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**', ...faults],
          maxWorkers: 3,
        },
      },
      {
        extends: true,
        test: {
          ...processes,
          name: 'faults',
          include: faults,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
