import { type Command, usage } from './command.ts';

/** `plumbline remap|rebuild --from <time> [--to <time>]`: has a running Plumbline do it and shows how far it is. */
export const job: Command = {
  usage: usage(
    'plumbline remap --from <time> [--to <time>]',
    "reads what is stored again by the mapping in use; 'rebuild' derives its tasks again",
  ),
  run([kind, ...args], { config, err }) {
    if (kind !== 'remap' && kind !== 'rebuild') return undefined;
    const range = rangeOf(args);
    if (range === null) return undefined;
    const { host, port, apiKey } = config();
    return runJob({ url: `http://${host}:${port}`, key: apiKey }, kind, range, err);
  },
};

/** The range of `--from <time> [--to <time>]`, null where the arguments say anything else. */
function rangeOf(args: readonly string[]): { from: string; to: string } | null {
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
interface Api {
  readonly url: string;
  readonly key: string | undefined;
}

/**
 * Has a running Plumbline do it, shows how far it is, and returns the exit code.
 */
async function runJob(
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
