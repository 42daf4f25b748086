import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { modules } from './packed.ts';

/** Entries of the sources as JavaScript, for processes that a spec starts. */
export interface Built {
  readonly folder: string;
  remove(): void;
}

/**
 * Builds beside the dependencies, where the peers are found. A loader for TypeScript would look at each file of each of
 * them, in every process anew.
 */
export async function buildEntries(name: string, entries: readonly string[]): Promise<Built> {
  const folder = join(modules(), `.plumbline-${name}/`);
  await build({
    entryPoints: entries.map((entry) => join(import.meta.dirname, `../src/${entry}.ts`)),
    outdir: folder,
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
  });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
