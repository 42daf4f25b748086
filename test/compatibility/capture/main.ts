import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type Capture, captures } from './captures.ts';
import { type FakeLlm, startFakeLlm } from './llm.ts';
import { type Recorded, startRecorder } from './recorder.ts';

// Runs real libraries against the fake model and keeps what they export. Installs outside the repository.
//   node --import tsx test/compatibility/capture/main.ts [part of an id …]
// Installations are kept in $CAPTURE_DIR (by default in the system's temporary directory) and reused.

const run = promisify(execFile);
const here = import.meta.dirname;
const fixtures = join(here, '../../fixtures/captures');
const root = process.env['CAPTURE_DIR'] ?? join(tmpdir(), 'plumbline-captures');
const installTimeoutMs = 360_000;
const runTimeoutMs = 120_000;

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

interface Ready {
  readonly directory: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly version: string;
}

/** Some libraries need a newer Node than the repository: the one in `$CAPTURE_NODE`, if set. */
const node = process.env['CAPTURE_NODE'] ?? process.execPath;

async function prepareNpm({ id, environment, package: package_ }: Capture): Promise<Ready> {
  const directory = join(root, 'npm', environment);
  const source = join(here, 'npm', environment);
  const script = `${id.slice('npm/'.length)}.mjs`;
  await mkdir(directory, { recursive: true });
  if (!(await exists(join(directory, 'node_modules')))) {
    await copyFile(join(source, 'package.json'), join(directory, 'package.json'));
    const args = ['install', '--no-audit', '--no-fund', '--legacy-peer-deps'];
    await run('npm', args, { cwd: directory, timeout: installTimeoutMs });
  }
  await copyFile(join(here, 'npm/otel.mjs'), join(directory, 'otel.mjs'));
  await copyFile(join(source, script), join(directory, script));
  const manifest = join(directory, 'node_modules', package_, 'package.json');
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
  return { directory, command: node, args: [script], version };
}

async function preparePython({ id, environment, package: package_ }: Capture): Promise<Ready> {
  const directory = join(root, 'python', environment);
  const python = join(directory, 'bin/python');
  if (!(await exists(python))) {
    await run('python3', ['-m', 'venv', directory]);
    const pip = ['-m', 'pip', 'install', '-q', '-r', join(here, `python/${environment}.txt`)];
    await run(python, pip, { timeout: installTimeoutMs });
  }
  const ask = `import importlib.metadata as m; print(m.version('${package_}'))`;
  const { stdout } = await run(python, ['-c', ask]);
  // Some libraries record source files, relative to where they run: the repository's place is nobody's business.
  const rig = join(directory, 'rig');
  await cp(join(here, 'python'), rig, { recursive: true });
  const args = [`${id.slice('pypi/'.length)}.py`];
  return { directory: rig, command: python, args, version: stdout.trim() };
}

/** A small fixture: traces and logs of one run, numbered in order of arrival. */
async function keep(
  { id }: Capture,
  version: string,
  requests: readonly Recorded[],
): Promise<number> {
  const [registry = '', name = ''] = id.split('/');
  for (const old of await readdir(join(fixtures, registry))) {
    if (old.startsWith(`${name}@`)) await rm(join(fixtures, registry, old));
  }
  let bytes = 0;
  const kept = requests.filter(({ signal }) => signal !== 'metrics');
  for (const [i, { signal, encoding, body }] of kept.entries()) {
    const path = join(fixtures, `${id}@${version}.${i + 1}.${signal}.${encoding}.gz`);
    const packed = gzipSync(body, { level: 9 });
    await writeFile(path, packed);
    bytes += packed.length;
  }
  return bytes;
}

async function capture(one: Capture, llm: FakeLlm): Promise<void> {
  const recorder = await startRecorder();
  try {
    const ready = await (one.id.startsWith('npm/') ? prepareNpm(one) : preparePython(one));
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: ready.directory,
      PYTHONDONTWRITEBYTECODE: '1',
      FAKE_LLM: llm.url,
      OPENAI_API_KEY: 'none',
      ANTHROPIC_API_KEY: 'none',
      OTEL_SERVICE_NAME: 'weather-shop',
      OTEL_EXPORTER_OTLP_ENDPOINT: recorder.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_LOGS_EXPORTER: 'otlp',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_NODE_RESOURCE_DETECTORS: 'env',
      ...one.env,
    };
    await run(ready.command, ready.args, { cwd: ready.directory, env, timeout: runTimeoutMs });
    const bytes = await keep(one, ready.version, recorder.requests);
    const seen = recorder.requests.map(({ signal, encoding }) => `${signal}.${encoding}`);
    console.log(`${one.id}@${ready.version}: ${seen.join(' ')} (${bytes} bytes)`);
  } finally {
    await recorder.close();
  }
}

const parts = process.argv.slice(2);
const chosen = captures.filter(
  ({ id }) => parts.length === 0 || parts.some((part) => id.includes(part)),
);
await mkdir(join(fixtures, 'npm'), { recursive: true });
await mkdir(join(fixtures, 'pypi'), { recursive: true });
for (const one of chosen) {
  // A fresh model per run: response ids count from 1, so that a rerun changes nothing but times and span ids.
  const llm = await startFakeLlm();
  try {
    await capture(one, llm);
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    console.error(`${one.id}: ${message.split('\n')[0]}\n${stderr.slice(-2000)}`);
    process.exitCode = 1;
  } finally {
    await llm.close();
  }
}
