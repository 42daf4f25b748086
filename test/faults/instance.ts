import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startCommand } from '../start-command.ts';

/** A Plumbline as a user starts it, in a process of its own, that can be killed and started again. */
export interface Instance {
  readonly name: string;
  /** Throws while it is not up. */
  readonly urls: { readonly otlp: string; readonly api: string };
  readonly isUp: boolean;
  readonly pid: number;
  /** Starts it and waits until it says where it listens. */
  start(): Promise<void>;
  /** Starts it and does not wait: to be killed while it starts. */
  launch(): void;
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  kill(): Promise<void>;
  /** A sample of its metrics by name. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  /** Resolves when everything acked is stored and derived. Throws after `seconds`. */
  drained(seconds?: number): Promise<void>;
  ready(): Promise<{ readonly status: number; readonly body: string }>;
  /** Resident megabytes now and at most since the start. */
  memory(): { readonly now: number; readonly most: number };
}

export interface Settings {
  readonly name: string;
  readonly data: string;
  /** ClickHouse over HTTP; embedded without. */
  readonly clickhouse?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Command and arguments that run it. */
  readonly prefix?: readonly string[];
}

const root = fileURLToPath(new URL('../..', import.meta.url));

export function newInstance(settings: Settings): Instance {
  const { name, data, clickhouse, env = {}, prefix = [] } = settings;
  let child: ChildProcess | undefined;
  let urls: Instance['urls'] | undefined;

  function launch(): ChildProcess {
    const [program = '', ...args] = [...prefix, process.execPath, ...startCommand.flags, 'main.ts'];
    const started = spawn(program, args, {
      cwd: root,
      env: {
        ...process.env,
        PLUMBLINE_DATA: data,
        PLUMBLINE_PORT: '0',
        PLUMBLINE_OTLP_PORT: '0',
        PLUMBLINE_GRPC_PORT: '0',
        ...startCommand.env,
        // It would mend what the derivation got wrong before anybody looks.
        PLUMBLINE_AUDIT: 'off',
        ...(clickhouse === undefined ? {} : { CLICKHOUSE_URL: clickhouse }),
        ...env,
      },
      stdio: ['ignore', 'pipe', process.env['FAULTS_VERBOSE'] ? 'inherit' : 'ignore'],
    });
    child = started;
    const last = () => started.kill('SIGKILL');
    process.once('exit', last);
    started.once('exit', () => {
      process.off('exit', last);
      if (child === started) urls = undefined;
    });
    return started;
  }

  function up(): Instance['urls'] {
    if (urls === undefined) throw new Error(`${name} is not up`);
    return urls;
  }

  async function metrics(): Promise<Map<string, number>> {
    const response = await fetch(`${up().api}/metrics`);
    const samples = new Map<string, number>();
    for (const line of (await response.text()).split('\n')) {
      const [, key, value] = /^(\S+) (\S+)$/.exec(line) ?? [];
      if (key !== undefined) samples.set(key, Number(value));
    }
    return samples;
  }

  return {
    name,
    get urls() {
      return up();
    },
    get isUp() {
      return urls !== undefined;
    },
    get pid() {
      return child?.pid ?? 0;
    },
    launch,
    async start() {
      const started = launch();
      const { stdout } = started;
      if (stdout === null) throw new Error('no output');
      const lines = createInterface({ input: stdout });
      for await (const line of lines) {
        const otlp = /OTLP at (http:[^\s,]+)/.exec(line)?.[1];
        const api = /answers at (http:[^\s,]+)/.exec(line)?.[1];
        if (otlp === undefined || api === undefined) continue;
        urls = { otlp, api };
        stdout.resume();
        return;
      }
      throw new Error(`${name} did not start: ${started.exitCode ?? started.signalCode}`);
    },
    signal: (signal) => child?.kill(signal),
    async kill() {
      urls = undefined;
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    metrics,
    async drained(seconds = 900) {
      const deadline = Date.now() + seconds * 1000;
      while (Date.now() < deadline) {
        if ((await metrics()).get('plumbline_ingest_journal_bytes') === 0) return;
        await sleep(100);
      }
      const ready = await fetch(`${up().api}/readyz`);
      throw new Error(`${name} did not drain within ${seconds} s: ${await ready.text()}`);
    },
    async ready() {
      const response = await fetch(`${up().api}/readyz`);
      return { status: response.status, body: await response.text() };
    },
    memory() {
      const status = readFileSync(`/proc/${child?.pid}/status`, 'utf8');
      const of = (key: string) =>
        Math.round(Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024);
      return { now: of('VmRSS'), most: of('VmHWM') };
    },
  };
}
