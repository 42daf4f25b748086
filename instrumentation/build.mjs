import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

// npm run build [-- --outDir <folder>]
// Small and quick to load: the code in a few files, minified; of the declarations
// those that the entries lead to, with their docstrings. No source maps: they would be larger than the package.

const here = import.meta.dirname;
const at = process.argv.indexOf('--outDir');
const out = at < 0 ? join(here, 'dist') : process.argv[at + 1];
const entries = ['index', 'node', 'register', 'testing'];

rmSync(out, { recursive: true, force: true });
await build({
  absWorkingDir: here,
  entryPoints: entries.map((name) => `src/${name}.ts`),
  outdir: out,
  bundle: true,
  splitting: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // Without `keepNames`: it runs once for each closure that is made, a tenth of what a call costs. Errors name themselves.
  minify: true,
  legalComments: 'none',
  conditions: [],
});
declarations();

function declarations() {
  const tsc = ['tsc', '-p', join(here, 'tsconfig.build.json'), '--outDir', out];
  execFileSync('npx', tsc, { cwd: here, stdio: ['ignore', 'inherit', 'inherit'] });
  const kept = new Set();
  for (const name of entries) keep(join(out, `${name}.d.ts`), kept);
  for (const file of readdirSync(out, { recursive: true })) {
    if (file.endsWith('.d.ts') && !kept.has(join(out, file))) rmSync(join(out, file));
  }
}

/** Keeps a declaration file and those that it imports, which older compilers look for by the name of the code. */
function keep(file, kept) {
  if (kept.has(file)) return;
  kept.add(file);
  const text = readFileSync(file, 'utf8').replace(
    /(["'])(\.{1,2}\/[^"']+)\.ts\1/g,
    (_, quote, path) => {
      keep(join(dirname(file), `${path}.d.ts`), kept);
      return `${quote}${path}.js${quote}`;
    },
  );
  writeFileSync(file, text);
}
