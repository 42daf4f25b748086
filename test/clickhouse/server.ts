import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { libchdbPath } from 'chdb/libchdb';

/** A ClickHouse HTTP server made from the library that the embedded engine ships: a real server, nothing downloaded. */
export interface Server {
  readonly url: string;
  /** SIGKILL; the files stay. */
  kill(): Promise<void>;
  /** Starts it again after {@link kill}, on the same files and port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A way to call the one function that is ClickHouse's command line. */
interface Launcher {
  readonly command: string;
  /** Command and first arguments of the server, for whose sake `directory` exists. */
  prepare(directory: string, library: string): readonly [string, ...string[]];
}

const SOURCE = fileURLToPath(new URL('./server.c', import.meta.url));
const SCRIPT = fileURLToPath(new URL('./server.py', import.meta.url));

const compiler = (command: string): Launcher => ({
  command,
  prepare(directory, library) {
    const program = join(directory, 'clickhouse');
    const from = dirname(library);
    const flags = [`-L${from}`, '-l:libchdb.so', `-Wl,-rpath,${from}`];
    execFileSync(command, [SOURCE, '-o', program, ...flags]);
    return [program];
  },
});

/** Node itself cannot call into a library. */
const launchers: readonly Launcher[] = [
  ...['gcc', 'cc', 'clang'].map(compiler),
  { command: 'python3', prepare: (_, library) => ['python3', SCRIPT, library] },
];

function launcher(): Launcher | undefined {
  if (!existsSync(libchdbPath())) return undefined;
  return launchers.find(({ command }) => {
    const { error, status } = spawnSync(command, ['--version'], { stdio: 'ignore' });
    return error === undefined && status === 0;
  });
}

/** Why {@link startServer} cannot work here, null when it can. */
export function noServer(): string | null {
  return launcher() === undefined ? 'neither a C compiler nor python3' : null;
}

// The program runs queries and ends; a query that sleeps keeps its listener open.
const STAY = [
  'SYSTEM START LISTEN HTTP',
  'SELECT sleepEachRow(1) FROM numbers(100000000) FORMAT Null SETTINGS function_sleep_max_microseconds_per_block = 0, max_block_size = 1',
].join('; ');

/** Starts it and waits until it answers; `stop` ends it and removes its files. */
export async function startServer(): Promise<Server> {
  const found = launcher();
  if (found === undefined) throw new Error(`no server here: ${noServer()}`);
  const dir = mkdtempSync(join(tmpdir(), 'plumbline-server-'));
  const [program, ...first] = found.prepare(dir, libchdbPath());
  const port = await freePort();
  const args = [
    ...first,
    `--path=${join(dir, 'data')}`,
    `--http_port=${port}`,
    '--listen_host=127.0.0.1',
    '--multiquery',
    `--query=${STAY}`,
  ];
  const url = `http://127.0.0.1:${port}`;
  const run = () => {
    const started = spawn(program, args, { stdio: 'ignore', cwd: dir });
    const last = () => started.kill('SIGKILL');
    process.once('exit', last);
    started.once('exit', () => process.off('exit', last));
    return started;
  };
  let child = run();
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await Promise.race([gone, sleep(10_000, undefined, { ref: false })]);
    child.kill('SIGKILL');
    await gone;
  };
  const stop = async () => {
    await end('SIGTERM');
    rmSync(dir, { recursive: true, force: true });
  };
  await answering(url, child).catch(async (error) => {
    await stop();
    throw error;
  });
  return {
    url,
    stop,
    kill: () => end('SIGKILL'),
    restart: async () => {
      child = run();
      await answering(url, child);
    },
  };
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  for (let waited = 0; waited < 300; waited++) {
    const reply = await fetch(`${url}/ping`).catch(() => null);
    if (reply?.ok) return;
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    await sleep(100);
  }
  throw new Error('the server did not answer within 30 s');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
