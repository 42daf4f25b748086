import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A Plumbline in a child process. */
export interface ServerProcess {
  readonly urls: { readonly otlp: string; readonly api: string };
  /** Resolves when everything acked so far is stored and derived. */
  drained(): Promise<void>;
  /** SIGKILL: no handler runs, nothing is flushed. */
  kill(): Promise<void>;
  /** Drains and ends. */
  close(): Promise<void>;
}

/** What a replay sent. */
export interface ReplaySummary {
  readonly tasks: number;
  readonly llm_calls: number;
  readonly ms: number;
}

/** Starts a server on a data directory, on free ports. */
export async function startServer(data: string): Promise<ServerProcess> {
  const child = spawn('server.ts', [data]);
  const urls = (await told(child)) as ServerProcess['urls'];
  const end = async (act: () => void) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    act();
    await gone;
  };
  return {
    urls,
    drained: async () => {
      const answer = told(child);
      child.send('drain');
      await answer;
    },
    kill: () => end(() => child.kill('SIGKILL')),
    close: () => end(() => child.send('close')),
  };
}

/** Replays all recorded runs to an OTLP receiver, in a process of its own: registering is global and final. */
export async function replayTo(otlp: string): Promise<ReplaySummary> {
  const child = spawn('main.ts', [otlp]);
  const summary = (await told(child)) as ReplaySummary;
  if (child.exitCode === null) await once(child, 'exit');
  return summary;
}

function spawn(file: string, args: readonly string[]): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv: ['--conditions=app-source', '--import', 'tsx'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

/** The next message of a child. Rejects when the child ends without one. */
function told(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null) =>
      reject(new Error(`${child.spawnargs.at(-2)} ended with ${code ?? signal}`));
    child.once('exit', onExit);
    child.once('message', (message) => {
      child.off('exit', onExit);
      resolve(message);
    });
  });
}
