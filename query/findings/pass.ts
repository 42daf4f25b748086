import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../../store/connection.ts';
import { query, sql } from '../../store/sql.ts';
import type { Metric } from '../operations/metrics.ts';
import { passMetrics } from './metrics.ts';
import type { FindingsSettings } from './settings.ts';
import { Worker, type WorkerOptions } from './worker.ts';

export interface FindingsPassOptions {
  readonly store: Store;
  /** Projects that are looked at even before they have tasks, as of now: keys come and go. Others are found by their tasks. */
  readonly projects: () => readonly string[];
  readonly settings: (project: string) => FindingsSettings;
  readonly now: () => Date;
  /** True while new data waits to be stored or derived: the pass then leaves most of the engine to that. */
  readonly isBusy?: () => boolean;
  /** Gets every task with what it was judged to be, so that it need not be judged again for whoever asks next. */
  readonly onJudged?: WorkerOptions['onJudged'];
  /** Told of every failure; the pass goes on. */
  readonly report: (error: unknown) => void;
}

/** The second pass: keeps `task_findings` up with `tasks`, in the background. */
export interface FindingsPass {
  /** Tasks whose findings are due and not stored yet, as far as the pass has looked. */
  backlog(): number;
  /** Resolves when nothing that is stored now is due any more. A task that is open and not quiet is not due. */
  settled(): Promise<void>;
  metrics(): readonly Metric[];
  /** Stops after the slice under way. */
  close(): Promise<void>;
}

const idleMs = 1_000;
const discoverMs = 30_000;
/** While new data waits, rests after a round take this many times as long as the round, up to a bound. */
const busyRests = 5;
const longestRestMs = 10_000;

/** Starts the pass over some projects, one after the other, each a slice at a time. */
export function startFindingsPass(options: FindingsPassOptions): FindingsPass {
  const { store, projects, settings, now, report, isBusy = () => false } = options;
  const onJudged = options.onJudged ?? (() => {});
  const workers = new Map<string, Worker>();
  let discoveredAt = 0;
  const stop = new AbortController();
  let wake = new AbortController();
  let rounds = 0;

  async function discover(): Promise<void> {
    const at = performance.now();
    if (discoveredAt !== 0 && at - discoveredAt < discoverMs) return;
    const found = await query<{ project: string }>(store, sql`SELECT DISTINCT project FROM tasks`);
    for (const project of [...projects(), ...found.map((row) => row.project)]) {
      if (workers.has(project)) continue;
      workers.set(
        project,
        new Worker({ store, project, settings: settings(project), now, onJudged, report }),
      );
    }
    discoveredAt = at;
  }

  /** Gives every project one slice; returns whether there was anything to judge. */
  async function round(): Promise<boolean> {
    let worked = false;
    let complete = true;
    const fail = (error: unknown) => {
      complete = false;
      report(error);
    };
    await discover().catch(fail);
    for (const worker of workers.values()) {
      if (stop.signal.aborted) return worked;
      try {
        worked = (await worker.step(stop.signal)) || worked;
      } catch (error) {
        fail(error);
      }
    }
    if (complete) rounds++;
    return worked;
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      const start = performance.now();
      const worked = await round();
      const took = performance.now() - start;
      const rest = worked ? (isBusy() ? Math.min(busyRests * took, longestRestMs) : 0) : idleMs;
      if (rest === 0) continue;
      wake = new AbortController();
      const signal = AbortSignal.any([stop.signal, wake.signal]);
      await sleep(rest, undefined, { signal }).catch(() => {});
    }
  }

  const backlog = () => [...workers.values()].reduce((sum, worker) => sum + worker.backlog(), 0);
  const running = run();
  return {
    backlog,
    metrics: () => passMetrics([...workers.values()].map((worker) => worker.state())),
    settled: async () => {
      // A round that began before this call may have looked too early: the one after it counts.
      const from = rounds;
      while (!stop.signal.aborted && (rounds < from + 2 || backlog() > 0)) {
        wake.abort();
        await sleep(50);
      }
    },
    close: async () => {
      stop.abort();
      await running;
    },
  };
}
