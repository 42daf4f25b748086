import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer } from '../clickhouse/server.ts';
import { type Between, startBetween } from './between.ts';
import { isClean, judge, readFacts, type Verdict } from './checks.ts';
import { type Instance, newInstance } from './instance.ts';
import { type Item, itemsOf, pack, signals } from './items.ts';
import { drainAll } from './kills.ts';
import { type PlannedTask, planner } from './plan.ts';

export interface DelayOptions {
  readonly seed: number;
  readonly pauseMs: number;
  readonly say: (text: string) => void;
}

export interface DelayResult extends Verdict {
  readonly tasks: number;
  readonly clean: boolean;
}

/** Two Plumblines over one server, each behind a proxy of its own. */
interface Pair {
  readonly instances: readonly [Instance, Instance];
  readonly proxies: readonly [Between, Between];
  readonly url: string;
  close(): Promise<void>;
}

async function startPair(): Promise<Pair> {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-faults-'));
  const server = await startServer();
  const proxies = [await startBetween(server.url), await startBetween(server.url)] as const;
  const [a, b] = ['a', 'b'].map((name, i) =>
    newInstance({ name, data: join(directory, name), clickhouse: proxies[i]?.url ?? '' }),
  );
  if (a === undefined || b === undefined) throw new Error('no pair');
  await a.start();
  await b.start();
  return {
    instances: [a, b],
    proxies,
    url: server.url,
    async close() {
      await Promise.all([a.kill(), b.kill()]);
      await Promise.all(proxies.map((proxy) => proxy.close()));
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Sends items to one instance, one request per signal; all must be acknowledged. */
async function sendTo(instance: Instance, items: readonly Item[]): Promise<void> {
  for (const signal of signals) {
    const some = items.filter((item) => item.signal === signal);
    if (some.length === 0) continue;
    const { path, headers, body } = pack(some, false);
    const request = { method: 'POST', headers, body: new Uint8Array(body) };
    const response = await fetch(instance.urls.otlp + path, request);
    if (response.status !== 200) throw new Error(`${instance.name} answered ${response.status}`);
  }
}

/** Splits each task into what comes first and what comes last; the last part holds the root. */
function halves(tasks: readonly PlannedTask[]): { first: Item[]; last: Item[] } {
  const first: Item[] = [];
  const last: Item[] = [];
  for (const task of tasks) {
    const items = itemsOf(task);
    const middle = Math.floor(items.length / 2);
    first.push(...items.slice(0, middle));
    last.push(...items.slice(middle));
  }
  return { first, last };
}

// The pause has to lie right behind the reading: held only where rows are written, a process that takes its version
// between the two would have it already, and the fault would not show.
const READS_SPANS = /FROM spans\b/;
const GOES_ON = /INSERT INTO (derivation_versions|task_days|tasks)\b/;

/**
 * One process reads what there is of some tasks and is stopped before it writes their rows; the other one gets the rest
 * of them and writes; then the first goes on. Once with SIGSTOP, then with the server's clock stepped back meanwhile.
 */
export async function pausedWriter(
  options: DelayOptions,
  clockStep: 0 | -10,
): Promise<DelayResult> {
  const { seed, pauseMs, say } = options;
  const pair = await startPair();
  const [a, b] = pair.instances;
  try {
    const plan = planner(seed, Date.now());
    const planned: PlannedTask[] = [];
    const acked: Item[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const tasks = Array.from({ length: 14 }, plan);
      planned.push(...tasks);
      const { first, last } = halves(tasks);
      acked.push(...first, ...last);
      const held = pair.proxies[0].hold(READS_SPANS, GOES_ON);
      await sendTo(a, first);
      const release = await held;
      a.signal('SIGSTOP');
      for (const proxy of pair.proxies) proxy.stepClock(clockStep);
      await sendTo(b, last);
      await b.drained();
      await sleep(pauseMs);
      a.signal('SIGCONT');
      release();
      await drainAll([a, b]);
      for (const proxy of pair.proxies) proxy.stepClock(0);
      say(`turn ${turn + 1}: held ${pauseMs} ms, clock ${clockStep} s`);
    }
    const verdict = judge(await readFacts({ url: pair.url }), planned, acked, say);
    return { ...verdict, tasks: planned.length, clean: isClean(verdict) };
  } finally {
    a.signal('SIGCONT');
    await pair.close();
  }
}

/** The server's clock steps back by ten seconds between the halves of each task, while both processes work. */
export async function clockSteppedBack({ seed, say }: DelayOptions): Promise<DelayResult> {
  const pair = await startPair();
  const [a, b] = pair.instances;
  try {
    const plan = planner(seed, Date.now());
    const planned = Array.from({ length: 28 }, plan);
    const { first, last } = halves(planned);
    await sendTo(a, first);
    await drainAll([a, b]);
    for (const proxy of pair.proxies) proxy.stepClock(-10);
    await sendTo(b, last);
    await drainAll([a, b]);
    const verdict = judge(await readFacts({ url: pair.url }), planned, [...first, ...last], say);
    return { ...verdict, tasks: planned.length, clean: isClean(verdict) };
  } finally {
    await pair.close();
  }
}
