import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { problems } from './expected.mjs';

// npm run test:matrix -w instrumentation [-- --otel=3 --node=/path/to/node --only=openai]
// Installs the pinned SDKs and the packed package into a folder of its own, runs every call shape with and without the
// instrumentation, and compares what the application saw and what the spans say. Exit code 1 when anything differs.

const option = (name, fallback) =>
  process.argv.find((text) => text.startsWith(`--${name}=`))?.slice(name.length + 3) ?? fallback;
const otel = option('otel', '2');
const node = option('node', process.execPath);
const here = import.meta.dirname;
const root = join(here, '../..');
const modules = readdirSync(here).filter((name) => name.endsWith('.mjs') && name !== 'run.mjs');
const folder = option('dir', join(tmpdir(), `plumbline-matrix-otel${otel}`));

install();
const [plain, instrumented] = ['0', '1'].map(run);
const wrong = compare();
const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
process.stdout.write(
  `${new Set(plain.map(({ sdk }) => sdk)).size} SDKs, ${plain.length} shapes, Node ${version}, OTel ${otel}: ${wrong} differ\n`,
);
process.exitCode = wrong > 0 ? 1 : 0;

function install() {
  const { otel: lines, ...manifest } = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
  const dependencies = { ...manifest.dependencies, ...lines[otel] };
  const text = JSON.stringify({ ...manifest, dependencies }, null, 2);
  const file = join(folder, 'package.json');
  mkdirSync(folder, { recursive: true });
  const npm = (args, cwd) => execFileSync('npm', args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const done = join(folder, 'installed');
  if (!existsSync(done) || readFileSync(file, 'utf8') !== text) {
    writeFileSync(file, text);
    // Peers of SDKs contradict each other here on purpose: all majors live side by side.
    npm(['install', '--no-audit', '--no-fund', '--legacy-peer-deps', '--ignore-scripts'], folder);
    writeFileSync(done, '');
  }
  const target = join(folder, 'node_modules/@plumbline/instrumentation');
  mkdirSync(target, { recursive: true });
  npm(['run', 'build', '--', '--outDir', join(target, 'dist')], root);
  cpSync(join(root, 'package.json'), join(target, 'package.json'));
  for (const name of modules) {
    cpSync(join(here, name), join(folder, name));
  }
}

function run(mode) {
  const out = execFileSync(node, ['--expose-gc', 'child.mjs'], {
    cwd: folder,
    env: { ...process.env, INSTRUMENTED: mode, ONLY: option('only', '') },
    maxBuffer: 1 << 28,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return out.trim().split('\n').map(JSON.parse);
}

function compare() {
  let count = 0;
  for (const [index, before] of plain.entries()) {
    const after = instrumented[index];
    const { sdk, shape } = before;
    const found = problems(sdk, shape, after.spans);
    const same = (key) => JSON.stringify(before[key]) === JSON.stringify(after[key]);
    if (!same('seen'))
      found.push(`the application saw ${JSON.stringify(after.seen).slice(0, 200)}`);
    if (!same('unhandled')) found.push(`unhandled ${after.unhandled.join('; ')}`);
    if (Object.keys(after.failures).length > 0) found.push(JSON.stringify(after.failures));
    if (after.requests.some(([, , traceparent, baggage]) => traceparent ?? baggage)) {
      found.push('a header of ours went to the provider');
    }
    if (before.requests.length !== after.requests.length) {
      found.push(`${after.requests.length} requests, not ${before.requests.length}`);
    }
    if (found.length === 0) continue;
    count += 1;
    process.stdout.write(`${sdk} · ${shape}\n  ${[...new Set(found)].join('\n  ')}\n`);
  }
  return count;
}
