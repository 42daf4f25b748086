import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startCommand } from '../start-command.ts';

/** A Plumbline as users start it: `main.ts` in a process of its own, on free ports. */
export interface PlumblineProcess {
  readonly otlp: string;
  readonly grpc: string;
  readonly api: string;
  readonly pid: number;
  /** Exit code or signal, undefined while it runs. */
  readonly exit: number | string | undefined;
  /** Last lines of its error output. */
  tail(): string;
  /** Samples of its own metrics without labels, by name. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  /** Waits until everything acked is stored and derived; false after `ms`. */
  drained(ms: number): Promise<boolean>;
  rssMb(): Promise<number>;
  /** Processor time it has used, user and system. */
  cpuSeconds(): Promise<number>;
  /** Of {@link rssMb}, looked at every 200 ms. */
  readonly peakRssMb: number;
  /** SIGTERM: drains and ends. */
  stop(): Promise<void>;
}

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Starts one on a data directory and waits until it takes requests; `flags` go to Node. */
export async function startPlumbline(
  data: string,
  flags: readonly string[] = [],
): Promise<PlumblineProcess> {
  const grpcPort = await freePort();
  const child = spawn(process.execPath, [...startCommand.flags, ...flags, `${root}main.ts`], {
    cwd: root,
    env: {
      ...process.env,
      ...startCommand.env,
      PLUMBLINE_DATA: data,
      PLUMBLINE_PORT: '0',
      PLUMBLINE_OTLP_PORT: '0',
      PLUMBLINE_GRPC_PORT: String(grpcPort),
      CLICKHOUSE_URL: '',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line.slice(0, 500));
    if (lines.length > 20) lines.shift();
  });
  const { otlp, api } = await announced(child, lines);
  return controls(child, { otlp, api, grpc: `http://127.0.0.1:${grpcPort}` }, lines);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

async function announced(child: ChildProcess, lines: readonly string[]) {
  if (child.stdout === null) throw new Error('no output to read');
  const output = createInterface({ input: child.stdout });
  for await (const line of output) {
    const [otlp, api] = (line.match(/http:\/\/\S+/g) ?? []).map((url) => url.replace(/[,.]$/, ''));
    if (otlp === undefined || api === undefined) continue;
    child.stdout.resume();
    return { otlp, api };
  }
  throw new Error(`Plumbline did not start: ${lines.join('\n')}`);
}

function controls(
  child: ChildProcess,
  urls: Pick<PlumblineProcess, 'otlp' | 'grpc' | 'api'>,
  lines: readonly string[],
): PlumblineProcess {
  const { pid = 0 } = child;
  let peakRssMb = 0;
  const exited = once(child, 'exit');
  const exitOf = () => child.exitCode ?? child.signalCode ?? undefined;
  const rssMb = async () => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const mb = Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    peakRssMb = Math.max(peakRssMb, mb);
    return mb;
  };
  const cpuSeconds = async () => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // Fields 14 and 15 in ticks of 10 ms; the name before them may hold spaces.
    const [user = 0, system = 0] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
      .map(Number);
    return (user + system) / 100;
  };
  const watch = setInterval(() => void rssMb(), 200);
  // Nothing is left behind when whoever started it is stopped.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  void exited.then(() => {
    clearInterval(watch);
    process.off('exit', kill);
  });
  const metrics = async () => {
    const text = await (await fetch(`${urls.api}/metrics`)).text();
    const samples = [...text.matchAll(/^(\w+) (\S+)$/gm)];
    return new Map(samples.map(([, name = '', value]) => [name, Number(value)]));
  };
  return {
    ...urls,
    pid,
    get exit() {
      return exitOf();
    },
    get peakRssMb() {
      return peakRssMb;
    },
    tail: () => lines.join('\n'),
    metrics,
    rssMb,
    cpuSeconds,
    async drained(ms) {
      const deadline = Date.now() + ms;
      while (Date.now() < deadline && exitOf() === undefined) {
        if ((await metrics()).get('plumbline_ingest_journal_bytes') === 0) return true;
        await sleep(100);
      }
      return false;
    },
    async stop() {
      if (exitOf() === undefined) child.kill('SIGTERM');
      await exited;
    },
  };
}
