import type { Normaliser } from './ingest/normalise/normaliser.ts';
import { remap } from './ingest/remap/remap.ts';
import type { Work } from './query/maintenance/jobs.ts';
import type { Store } from './store/connection.ts';
import type { Touched } from './store/derive/deriver.ts';
import { rebuild } from './store/derive/rebuild.ts';

const hour = 3_600_000_000_000n;

/** The maintenance that a running Plumbline can do. */
export function maintenance(
  store: Store,
  normaliser: Normaliser,
  derive: (touched: readonly Touched[]) => Promise<void>,
): Readonly<Record<'remap' | 'rebuild', Work>> {
  return {
    async remap(project, from, to, onProgress, signal) {
      const told = (at: { spans: number; logs: number; skipped: number; total: number }) =>
        onProgress({ done: at.spans + at.logs + at.skipped, total: at.total });
      const options = { store, normaliser, derive, signal, onProgress: told };
      return { ...(await remap(options, project, from, to)) };
    },
    async rebuild(project, from, to, onProgress, signal) {
      const total = Math.ceil(Number(to - from) / Number(hour));
      const sum = { traces: 0, tasks: 0 };
      for (let done = 0; done < total; done++) {
        signal.throwIfAborted();
        const start = from + BigInt(done) * hour;
        const end = start + hour < to ? start + hour : to;
        const part = await rebuild(store, project, start, end);
        sum.traces += part.traces;
        sum.tasks += part.tasks;
        onProgress({ done: done + 1, total });
      }
      return sum;
    },
  };
}

/** The range of `--from <time> [--to <time>]`, null where the arguments say anything else. */
export function rangeOf(args: readonly string[]): { from: string; to: string } | null {
  const given = new Map<string, string>();
  for (let i = 0; i < args.length; i += 2) given.set(args[i] ?? '', args[i + 1] ?? '');
  const from = given.get('--from') ?? '';
  const to = given.get('--to') ?? 'now';
  given.delete('--from');
  given.delete('--to');
  return from === '' || given.size > 0 ? null : { from, to };
}

interface Answer {
  readonly job_id: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly done: number;
  readonly total: number;
  readonly took_ms: number;
  readonly error: string | null;
  readonly result: Readonly<Record<string, number>> | null;
}

/** Where a running Plumbline answers, and the key that it asks for. */
export interface Api {
  readonly url: string;
  readonly key: string | undefined;
}

/**
 * `plumbline remap|rebuild --from --to`: has a running Plumbline do it, shows how far it is, and returns the exit code.
 */
export async function runJob(
  api: Api,
  kind: 'remap' | 'rebuild',
  range: { readonly from: string; readonly to: string },
  write: (text: string) => void,
): Promise<number> {
  const first = await ask(api, `/api/v1/${kind}`, range);
  if (typeof first === 'string') {
    write(`${first}\n`);
    return 1;
  }
  let job = first;
  while (job.state === 'running') {
    write(`\r${kind}: ${job.done} of ${job.total}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const next = await ask(api, `/api/v1/jobs/${job.job_id}`);
    if (typeof next === 'string') {
      write(`\n${next}\n`);
      return 1;
    }
    job = next;
  }
  const took = `${(job.took_ms / 1000).toFixed(1)} s`;
  if (job.state === 'failed') {
    write(`\r${kind}: ${job.error} after ${took}\n`);
    return 1;
  }
  const counts = Object.entries(job.result ?? {}).map(([name, n]) => `${n} ${name}`);
  write(`\r${kind}: ${counts.join(', ')} in ${took}\n`);
  return 0;
}

/** The job, or what a person should read instead. */
async function ask({ url, key }: Api, path: string, body?: object): Promise<Answer | string> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (key !== undefined) headers['authorization'] = `Bearer ${key}`;
  try {
    const answer = await fetch(`${url}${path}`, {
      headers,
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    const json = (await answer.json()) as Answer & { title?: string; detail?: string };
    return answer.ok ? json : [json.title, json.detail].filter(Boolean).join(' ');
  } catch {
    return `No Plumbline answers at ${url}. It has to run: the embedded store belongs to one process.`;
  }
}
