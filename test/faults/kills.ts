import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomFrom } from '../../store/derive/fixtures-random.ts';
import { startServer } from '../clickhouse/server.ts';
import { isClean, judge, lostOf, readFacts, type Target, type Verdict } from './checks.ts';
import { startClients } from './clients.ts';
import { type Instance, newInstance } from './instance.ts';
import { itemsOf } from './items.ts';
import { type PlannedTask, planner } from './plan.ts';

export interface KillOptions {
  readonly seed: number;
  readonly rounds: number;
  /** `pair`: two Plumblines over one ClickHouse server. `embedded`: one with its own engine. */
  readonly kind: 'pair' | 'embedded';
  /** Insert tokens and seen-caches, which only save work. */
  readonly tokens: boolean;
  /** Everything is sent before the last kill, and looked at once: half as long, and blind to what a repetition mends. */
  readonly brief?: boolean;
  readonly say: (text: string) => void;
}

export interface KillResult extends Verdict {
  readonly rounds: number;
  readonly kills: number;
  readonly requests: number;
  readonly repeated: number;
  readonly broken: number;
  readonly wrong_answers: number;
  readonly clean: boolean;
}

/** Tasks begun per tenth of a second, while the clients keep up. */
const TASKS_PER_TICK = 3;
const MAX_BACKLOG = 3000;

/** Rounds of `kill -9` at random moments under load, on one growing data set, and what the store says in the end. */
export async function killRounds(options: KillOptions): Promise<KillResult> {
  const { seed, rounds, kind, tokens, say } = options;
  const random = randomFrom(seed);
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-faults-'));
  const server = kind === 'pair' ? await startServer() : undefined;
  const target: Target =
    server === undefined ? { path: join(directory, 'a') } : { url: server.url };
  const env = { PLUMBLINE_INSERT_TOKENS: tokens ? 'on' : 'off' };
  const instances = (kind === 'pair' ? ['a', 'b'] : ['a']).map((name) =>
    newInstance({
      name,
      data: join(directory, name),
      env,
      ...(server === undefined ? {} : { clickhouse: server.url }),
    }),
  );
  try {
    // One after the other: the first creates the schema.
    for (const instance of instances) await instance.start();
    const clients = startClients({ instances, random });
    const plan = planner(seed, Date.now());
    const planned: PlannedTask[] = [];
    const load = setInterval(() => {
      for (let i = 0; i < TASKS_PER_TICK && clients.backlog < MAX_BACKLOG; i++) {
        const task = plan();
        planned.push(task);
        clients.add(itemsOf(task));
      }
    }, 100);
    let kills = 0;
    for (let round = 1; round <= rounds; round++) {
      kills += await killSome(instances, random, (text) => say(`round ${round}: ${text}`));
    }
    clearInterval(load);
    const lost: string[] = [];
    if (options.brief === true) {
      await clients.finish();
      kills += await restartAll(instances);
    } else {
      await clients.pause();
      // What was acknowledged is there before anybody sends it again.
      kills += await restartAll(instances);
      await drainAll(instances);
      lost.push(...lostOf(await look(target, instances), clients.acked));
      for (const key of lost.slice(0, 5)) say(`acknowledged and lost: ${key}`);
      await startMissing(instances);
      await clients.finish();
    }
    await drainAll(instances);
    const facts = await look(target, instances);
    const verdict = judge(facts, planned, clients.acked, say);
    const { requests, repeated, broken, wrong } = clients.stats;
    const result = { ...verdict, lost: verdict.lost + lost.length };
    return {
      ...result,
      rounds,
      kills,
      requests,
      repeated,
      broken,
      wrong_answers: wrong,
      clean: isClean(result) && wrong === 0,
    };
  } finally {
    await Promise.all(instances.map((instance) => instance.kill()));
    await server?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Kills one or all of the instances at a random moment, and starts them again; now and then also while they start. */
async function killSome(
  instances: readonly Instance[],
  random: () => number,
  say: (text: string) => void,
): Promise<number> {
  const delay = Math.round(random() * 1200);
  await sleep(delay);
  const victims =
    random() < 0.3
      ? instances
      : instances.filter((_, i) => i === Math.floor(random() * 2) % instances.length);
  const chosen = victims.length === 0 ? instances.slice(0, 1) : victims;
  await Promise.all(chosen.map((instance) => instance.kill()));
  let kills = chosen.length;
  say(`killed ${chosen.map(({ name }) => name).join(' and ')} after ${delay} ms`);
  for (const instance of chosen) {
    if (random() < 0.2) {
      const start = Math.round(random() * 2500);
      instance.launch();
      await sleep(start);
      await instance.kill();
      kills += 1;
      say(`killed ${instance.name} ${start} ms into its start`);
    }
  }
  await Promise.all(chosen.map((instance) => instance.start()));
  return kills;
}

async function restartAll(instances: readonly Instance[]): Promise<number> {
  for (const instance of instances) await instance.kill();
  await startMissing(instances);
  return instances.length;
}

async function startMissing(instances: readonly Instance[]): Promise<void> {
  for (const instance of instances) if (!instance.isUp) await instance.start();
}

export async function drainAll(instances: readonly Instance[]): Promise<void> {
  await Promise.all(instances.map((instance) => instance.drained()));
}

/** An embedded engine has to be free for it: killed, as everything here. */
async function look(target: Target, instances: readonly Instance[]) {
  if ('path' in target) await Promise.all(instances.map((instance) => instance.kill()));
  return readFacts(target);
}
