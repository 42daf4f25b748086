import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomFrom } from '../../store/derive/fixtures-random.ts';
import { startServer } from '../clickhouse/server.ts';
import { isClean, judge, type NotTested, readFacts, type Verdict } from './checks.ts';
import { type Clients, startClients } from './clients.ts';
import { newInstance } from './instance.ts';
import { itemsOf } from './items.ts';
import { type PlannedTask, planner } from './plan.ts';
import { mountSmallDisk } from './small-disk.ts';

interface Load {
  readonly planned: PlannedTask[];
  stop(): void;
}

function startLoad(clients: Clients, seed: number, tasksPerTick: number): Load {
  const plan = planner(seed, Date.now());
  const planned: PlannedTask[] = [];
  const timer = setInterval(() => {
    for (let i = 0; i < tasksPerTick && clients.backlog < 20_000; i++) {
      const task = plan();
      planned.push(task);
      clients.add(itemsOf(task));
    }
  }, 100);
  return { planned, stop: () => clearInterval(timer) };
}

export interface OutageResult extends Verdict {
  readonly seconds: number;
  /** Requests acknowledged, and refused with 503, while ClickHouse was away. */
  readonly acked_meanwhile: number;
  readonly refused_meanwhile: number;
  /** When ClickHouse came back; the bound is 16 MiB. */
  readonly journal_bytes_at_most: number;
  readonly refused_without_retry_after: number;
  readonly ready_before: number;
  readonly ready_meanwhile: number;
  readonly ready_after: number;
  readonly caught_up_seconds: number;
  readonly clean: boolean;
}

/** ClickHouse is killed and comes back. Acks go on into the journal (a small one: 16 MiB, to see its bound too). */
export async function serverAway(options: {
  readonly seed: number;
  readonly seconds: number;
  readonly say: (text: string) => void;
}): Promise<OutageResult> {
  const { seed, seconds, say } = options;
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-faults-'));
  const server = await startServer();
  const instance = newInstance({
    name: 'a',
    data: join(directory, 'a'),
    clickhouse: server.url,
    env: { PLUMBLINE_JOURNAL_BYTES: String(16 * 1024 * 1024) },
  });
  try {
    await instance.start();
    let padding = 0;
    const clients = startClients({
      instances: [instance],
      random: randomFrom(seed),
      padding: () => padding,
    });
    const load = startLoad(clients, seed, 6);
    await sleep(2000);
    const before = (await instance.ready()).status;
    await server.kill();
    const start = { ...clients.stats };
    await sleep(seconds * 500);
    const ready = await instance.ready();
    say(`readiness while away: ${ready.status} ${ready.body.slice(0, 300)}`);
    // The first half shows that acks go on, the second half that they end at the journal's bound.
    padding = 100_000;
    await sleep(seconds * 500);
    const end = { ...clients.stats };
    padding = 0;
    const full = (await instance.metrics()).get('plumbline_ingest_journal_bytes') ?? 0;
    await server.restart();
    const back = Date.now();
    load.stop();
    await clients.finish();
    await instance.drained();
    const caughtUp = (Date.now() - back) / 1000;
    const after = (await instance.ready()).status;
    const facts = await readFacts({ url: server.url });
    const verdict = judge(facts, load.planned, clients.acked, say);
    const acked = end.acked - start.acked;
    return {
      ...verdict,
      seconds,
      acked_meanwhile: acked,
      refused_meanwhile: end.refused - start.refused,
      journal_bytes_at_most: full,
      refused_without_retry_after: end.withoutRetryAfter,
      ready_before: before,
      ready_meanwhile: ready.status,
      ready_after: after,
      caught_up_seconds: caughtUp,
      clean:
        isClean(verdict) &&
        acked > 0 &&
        end.refused > start.refused &&
        full <= 16 * 1024 * 1024 &&
        before === 200 &&
        ready.status === 503 &&
        after === 200 &&
        end.withoutRetryAfter === 0,
    };
  } finally {
    await instance.kill();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

export interface DiskResult extends Verdict {
  readonly mib: number;
  readonly refused: number;
  readonly refused_without_retry_after: number;
  readonly ready_meanwhile: number;
  /** Whether it took data again while other files still held the rest of the disk, and after they had gone. */
  readonly recovered: boolean;
  readonly clean: boolean;
}

const MIB = 8;

/** The journal's disk is a small tmpfs; something else fills it, and goes again. */
export async function fullDisk(options: {
  readonly seed: number;
  readonly say: (text: string) => void;
}): Promise<DiskResult | NotTested> {
  const { seed, say } = options;
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-faults-'));
  const journal = join(directory, 'a', 'journal');
  mkdirSync(journal, { recursive: true });
  const disk = await mountSmallDisk(journal, MIB);
  if (disk === null) {
    rmSync(directory, { recursive: true, force: true });
    return { not_tested: 'no tmpfs can be mounted here, nor in a user namespace' };
  }
  const instance = newInstance({ name: 'a', data: join(directory, 'a'), prefix: disk.prefix });
  try {
    await instance.start();
    const clients = startClients({ instances: [instance], random: randomFrom(seed) });
    const load = startLoad(clients, seed, 3);
    await sleep(1500);
    disk.fill();
    const start = clients.stats.refused;
    await until(() => clients.stats.refused > start + 5, 30);
    await sleep(1500);
    const ready = await instance.ready();
    say(`readiness with a full disk: ${ready.status} ${ready.body.slice(0, 300)}`);
    const { refused } = clients.stats;
    // A crash while the disk is full.
    await instance.kill();
    await instance.start().catch((error: unknown) => say(`with a full disk: ${String(error)}`));
    await sleep(1000);
    disk.clear();
    if (!instance.isUp) await instance.start();
    const acked = clients.stats.acked;
    const recovered = await until(() => clients.stats.acked > acked + 5, 30);
    load.stop();
    await clients.finish();
    await instance.drained();
    await instance.kill();
    const facts = await readFacts({ path: join(directory, 'a') });
    const verdict = judge(facts, load.planned, clients.acked, say);
    return {
      ...verdict,
      mib: MIB,
      refused,
      refused_without_retry_after: clients.stats.withoutRetryAfter,
      ready_meanwhile: ready.status,
      recovered,
      clean: isClean(verdict) && refused > 0 && clients.stats.withoutRetryAfter === 0 && recovered,
    };
  } finally {
    await instance.kill();
    disk.release();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function until(condition: () => boolean, seconds: number): Promise<boolean> {
  for (let waited = 0; waited < seconds * 20; waited++) {
    if (condition()) return true;
    await sleep(50);
  }
  return false;
}
