import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modules } from '../packed.ts';
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

// Built, because a loader for TypeScript would look at each file of each SDK; beside the SDKs, where the peers are found.
const built = join(modules(), '.plumbline-matrix/');

beforeAll(async () => {
  await build({
    entryPoints: ['index', 'node'].map((name) => join(import.meta.dirname, `../../src/${name}.ts`)),
    outdir: built,
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
  });
  writeFileSync(join(built, 'package.json'), '{ "type": "module" }');
  [plain = [], instrumented = []] = await Promise.all(['0', '1'].map(run));
}, 150_000);
afterAll(() => rmSync(built, { recursive: true, force: true }));

async function run(mode: string): Promise<Line[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', 'child.mjs'], {
    cwd: import.meta.dirname,
    env: { ...process.env, INSTRUMENTED: mode, BUILT: String(pathToFileURL(built)) },
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
