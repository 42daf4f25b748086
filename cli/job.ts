import type { Config } from '../config.ts';
import { parseTime } from '../query/time.ts';
import { type Api, apiOf, type Command, exit, type Terminal, usage } from './command.ts';
import { offline } from './offline.ts';

type Kind = 'remap' | 'rebuild';

/** As given: the server reads them by its own clock. */
interface Range {
  readonly from: string;
  readonly to: string;
}

/**
 * `plumbline remap|rebuild --from <time> [--to <time>]`: has a running Plumbline do it and shows how far it is; where
 * none runs, does it itself.
 */
export const job: Command = {
  usage: usage(
    'plumbline remap --from <time> [--to <time>]',
    "reads what is stored again by the mapping in use; 'rebuild' derives its tasks again",
  ),
  async run([kind, ...args], terminal) {
    if (kind !== 'remap' && kind !== 'rebuild') return undefined;
    const range = rangeOf(args);
    if (range === null) return undefined;
    const wrong = wrongIn(range);
    if (wrong !== null) {
      terminal.err(`${wrong}\n`);
      return exit.usage;
    }
    const config = terminal.config();
    const api = apiOf(config);
    const first = await ask(api, `/api/v1/${kind}`, range);
    return first === null
      ? runHere(config, kind, range, terminal)
      : watch(api, kind, first, terminal);
  },
};

/** The range of `--from <time> [--to <time>]`, null where the arguments say anything else. */
function rangeOf(args: readonly string[]): Range | null {
  const given = new Map<string, string>();
  for (let i = 0; i < args.length; i += 2) given.set(args[i] ?? '', args[i + 1] ?? '');
  const from = given.get('--from') ?? '';
  const to = given.get('--to') ?? 'now';
  given.delete('--from');
  given.delete('--to');
  return from === '' || given.size > 0 ? null : { from, to };
}

function wrongIn(range: Range): string | null {
  const clock = new Date();
  for (const name of ['from', 'to'] as const) {
    if (parseTime(range[name], clock) === null) {
      return `--${name} ${JSON.stringify(range[name])} is neither a time with offset (2026-11-20T10:00:00Z) nor relative to now (now-7d)`;
    }
  }
  const { from, to } = timesOf(range, clock);
  return from < to ? null : '--from must be before --to';
}

function timesOf({ from, to }: Range, clock: Date): { from: Date; to: Date } {
  return { from: parseTime(from, clock) ?? clock, to: parseTime(to, clock) ?? clock };
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

/** Shows how far a running Plumbline is with a job, until it ends; `first` is what it said to the job or against it. */
async function watch(
  api: Api,
  kind: Kind,
  first: Answer | string,
  { out, err }: Terminal,
): Promise<number> {
  let now = first;
  const { show, end } = progressOf(kind, err);
  while (typeof now !== 'string' && now.state === 'running') {
    show(now);
    await new Promise((resolve) => setTimeout(resolve, 500));
    now = (await ask(api, `/api/v1/jobs/${now.job_id}`)) ?? 'Plumbline stopped before it was done.';
  }
  end();
  if (typeof now === 'string' || now.state === 'failed') {
    err(
      `${kind}: ${typeof now === 'string' ? now : `${now.error} after ${secondsOf(now.took_ms)}`}\n`,
    );
    return 1;
  }
  out(`${sentenceOf(kind, now.result ?? {}, now.took_ms)}\n`);
  return 0;
}

/** No Plumbline runs: the store, which belongs to one process, is free for this one. */
async function runHere(
  config: Config,
  kind: Kind,
  range: Range,
  { out, err }: Terminal,
): Promise<number> {
  const start = performance.now();
  const clock = new Date();
  const { from, to } = timesOf(range, clock);
  const { show, end } = progressOf(kind, err);
  const result = await offline(config, async ({ ingest, work }) => {
    await ingest.drained();
    const never = new AbortController().signal;
    return work[kind](config.project, nanos(from), nanos(to), show, never);
  });
  end();
  out(`${sentenceOf(kind, result, performance.now() - start)}\n`);
  return 0;
}

/** One line that is written over again and again, and left as it was last. */
function progressOf(kind: Kind, err: Terminal['err']) {
  let shown = false;
  return {
    show({ done, total }: { readonly done: number; readonly total: number }) {
      // Not counted yet.
      if (total === 0) return;
      shown = true;
      err(`\r${kind}: ${done} of ${total}`);
    },
    end() {
      if (shown) err('\n');
    },
  };
}

function sentenceOf(kind: Kind, result: Readonly<Record<string, number>>, tookMs: number): string {
  const counts = Object.entries(result).map(([name, n]) => `${n} ${name}`);
  return `${kind}: ${counts.join(', ')} in ${secondsOf(tookMs)}`;
}

function secondsOf(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function nanos(time: Date): bigint {
  return BigInt(time.getTime()) * 1_000_000n;
}

/** The job, or what a person should read instead; null where nobody answers. */
async function ask(api: Api, path: string, body?: object): Promise<Answer | string | null> {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (api.key !== undefined) headers['authorization'] = `Bearer ${api.key}`;
  const answer = await fetch(`${api.url}${path}`, {
    headers,
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  }).catch(() => null);
  if (answer === null) return null;
  const text = await answer.text();
  try {
    const json = JSON.parse(text) as Answer & { title?: string; detail?: string };
    return answer.ok ? json : [json.title, json.detail].filter(Boolean).join(' ');
  } catch {
    return `What answers at ${api.url} is not Plumbline.`;
  }
}
