import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Two projects: `unit` needs no engine; `engine` runs against ClickHouse (one data directory per process, and threads
// crash the engine), so its files run in forks. Three at a time, of both together: on two cores, two leave gaps where a
// file waits for the processes that it started, and each more loads all modules once more.
const conditions = ['app-source', 'node', 'development|production'];
const engine = ['**/*.engine.test.ts', 'test/**/*.test.ts'];

// Part of `npm run test:faults`, which takes its time; kill -9 is also in the replay and in ingest's own specs.
const faults = ['test/faults/*.test.ts'];

/** The longest first: a fresh clone knows no durations, and a worker alone with one at the end makes the suite longer. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const long = ({ moduleId }: TestSpecification) =>
      /\/test\/(replay|cli|matrix)\//.test(moduleId);
    return [...sorted.filter(long), ...sorted.filter((file) => !long(file))];
  }
}

export default defineConfig({
  ssr: { resolve: { conditions } },
  test: {
    sequence: { sequencer: LongestFirst },
    globalSetup: 'test/memory.ts',
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**', ...engine],
          isolate: false,
          maxWorkers: 3,
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'engine',
          include: engine,
          exclude: ['**/node_modules/**', '**/dist/**', ...faults],
          pool: 'forks',
          isolate: false,
          maxWorkers: 3,
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: faults,
          pool: 'forks',
          isolate: false,
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
