import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
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

beforeAll(async () => {
  [plain = [], instrumented = []] = await Promise.all(['0', '1'].map(run));
}, 150_000);

async function run(mode: string): Promise<Line[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=app-source', '--import', 'tsx', '--expose-gc', 'child.mjs'],
    {
      cwd: import.meta.dirname,
      env: { ...process.env, INSTRUMENTED: mode },
      maxBuffer: 1 << 28,
    },
  );
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
