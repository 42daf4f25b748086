import type { Store } from '../../store/connection.ts';
import { learnDay, learntDays, readLearntDays } from './learn.ts';
import type { Candidate } from './schedule.ts';

/** Keeps the profiles of the days that are over, before later days are judged by them. */
export interface Learning {
  /** Takes note of changed task rows. */
  readonly saw: (tasks: readonly Candidate[]) => Promise<void>;
  /** Learns what has changed of the days before `day`. */
  readonly before: (day: number) => Promise<void>;
  /** When (milliseconds since 1970) the last row of a day before `day` arrived, as far as it was seen; 0 for never. */
  readonly lastArrival: (day: number) => number;
}

// A late row of a day that was learnt changes its profile by next to nothing.
const againAfterMs = 60_000;

export function createLearning(store: Store, project: string, now: () => Date): Learning {
  let known: Map<number, Day> | null = null;

  async function start(): Promise<Map<number, Day>> {
    const today = Math.floor(now().getTime() / 86_400_000);
    const rows = await readLearntDays(store, project, today - 2 * learntDays);
    return new Map(
      rows.map(({ day, learnt, newest }) => [day, { learnt, newest, learntAt: 0, arrived: 0 }]),
    );
  }

  async function saw(tasks: readonly Candidate[]): Promise<void> {
    known ??= await start();
    const at = now().getTime();
    for (const { day, ver } of tasks) {
      const own = known.get(day);
      if (own === undefined)
        known.set(day, { learnt: null, newest: ver, learntAt: 0, arrived: at });
      else if (ver > own.newest) known.set(day, { ...own, newest: ver, arrived: at });
    }
  }

  async function before(day: number): Promise<void> {
    known ??= await start();
    const days = [...known].filter(([own]) => own < day && own >= day - learntDays);
    for (const [own, state] of days) {
      const at = now();
      const stale = state.learnt === null || state.newest > state.learnt;
      if (!stale || at.getTime() - state.learntAt < againAfterMs) continue;
      const { newest } = state;
      await learnDay(store, project, own, at);
      known.set(own, { ...(known.get(own) ?? state), learnt: newest, learntAt: at.getTime() });
    }
  }

  function lastArrival(day: number): number {
    let last = 0;
    for (const [own, { arrived }] of known ?? []) if (own < day && arrived > last) last = arrived;
    return last;
  }

  return { saw, before, lastArrival };
}

interface Day {
  readonly learnt: bigint | null;
  readonly newest: bigint;
  readonly learntAt: number;
  readonly arrived: number;
}
