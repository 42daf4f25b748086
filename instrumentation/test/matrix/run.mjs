import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compared } from './expected.mjs';

// npm run test:matrix -w instrumentation [-- --otel=3 --node=/path/to/node --only=openai --dir=/path/to/folder]
// The matrix of `npm test` with the built package, another Node or the other line of OpenTelemetry: installs the SDKs, of the
// versions that the repository has, into a folder of its own. Exit code 1 when anything differs.

const option = (name, fallback) =>
  process.argv.find((text) => text.startsWith(`--${name}=`))?.slice(name.length + 3) ?? fallback;
const otel = option('otel', '2');
const node = option('node', process.execPath);
const here = import.meta.dirname;
const root = join(here, '../..');
const modules = readdirSync(here).filter((name) => name.endsWith('.mjs') && name !== 'run.mjs');
const folder = option('dir', join(tmpdir(), `plumbline-matrix-otel${otel}`));

install();
const [plain, instrumented] = await Promise.all(['0', '1'].map(run));
let wrong = 0;
for (const [index, before] of plain.entries()) {
  const found = compared(before, instrumented[index]);
  if (found.length === 0) continue;
  wrong += 1;
  process.stdout.write(`${before.sdk} · ${before.shape}\n  ${found.join('\n  ')}\n`);
}
const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
process.stdout.write(
  `${new Set(plain.map(({ sdk }) => sdk)).size} SDKs, ${plain.length} shapes, Node ${version}, OTel ${otel}: ${wrong} differ\n`,
);
process.exitCode = wrong > 0 || plain.length === 0 ? 1 : 0;

function install() {
  const lines = JSON.parse(readFileSync(join(here, 'otel-lines.json'), 'utf8'));
  const { devDependencies, dependencies } = JSON.parse(
    readFileSync(option('manifest', join(root, '../package.json')), 'utf8'),
  );
  const source = modules.map((name) => readFileSync(join(here, name), 'utf8')).join('\n');
  const sdks = Object.entries({ ...devDependencies, zod: dependencies.zod }).filter(
    ([name]) =>
      !/^@(plumbline|opentelemetry)\//.test(name) &&
      (source.includes(`'${name}'`) || source.includes(`'${name}/`)),
  );
  const manifest = { private: true, type: 'module' };
  const all = { ...Object.fromEntries(sdks), ...lines[otel] };
  const text = JSON.stringify({ ...manifest, dependencies: all }, null, 2);
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

async function run(mode) {
  const { stdout } = await promisify(execFile)(node, ['--expose-gc', 'child.mjs'], {
    cwd: folder,
    env: { ...process.env, INSTRUMENTED: mode, ONLY: option('only', '') },
    maxBuffer: 1 << 28,
  });
  return stdout.trim().split('\n').filter(Boolean).map(JSON.parse);
}
