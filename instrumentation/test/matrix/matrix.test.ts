import { execFile } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Built, buildEntries } from '../built.ts';
import { compared } from './expected.mjs';
import { sdks } from './sdks.mjs';

interface Line {
  readonly sdk: string;
  readonly shape: string;
}

// Every call shape of every SDK, in two processes: with the instrumentation and without. `npm run test:matrix` does the same
// with the built package, other versions of Node, and the other line of OpenTelemetry.

let plain: Line[] = [];
let instrumented: Line[] = [];

let built: Built;

beforeAll(async () => {
  built = await buildEntries('matrix', ['index', 'node']);
  [plain = [], instrumented = []] = await Promise.all(['0', '1'].map(run));
}, 150_000);
afterAll(() => built?.remove());

async function run(mode: string): Promise<Line[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', 'child.mjs'], {
    cwd: import.meta.dirname,
    env: { ...process.env, INSTRUMENTED: mode, BUILT: String(pathToFileURL(built.folder)) },
    maxBuffer: 1 << 28,
  });
  const lines = stdout.trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Line);
}

describe.each(Object.keys(sdks))('%s', (sdk) => {
  it('works as without the instrumentation, and its spans are those of the table', () => {
    const shapes = plain.filter((line) => line.sdk === sdk);
    expect(shapes.length).toBeGreaterThanOrEqual(sdk === 'plumbline' ? 1 : 5);
    const found = shapes.flatMap((before) => {
      const after = instrumented.find((line) => line.sdk === sdk && line.shape === before.shape);
      return compared(before, after).map((text: string) => `${before.shape}: ${text}`);
    });
    expect(found).toEqual([]);
  });
});
