import { setTimeout as sleep } from 'node:timers/promises';
import type { Deriver, Touched } from '../store/derive/deriver.ts';
import { createBell } from './bell.ts';
import type { Journal } from './journal/journal.ts';
import { createOwed, type Owed } from './owed.ts';
import type { Progress } from './progress.ts';

/** Knows the large tasks, and derives them beside everything else. */
export type LargeTasks = Pick<Deriver, 'large' | 'dueAt' | 'deriveLarge'>;

type Derive = LargeTasks['deriveLarge'];

export interface LargeLaneOptions {
  readonly large?: LargeTasks | undefined;
  readonly journal: Journal;
  readonly progress: Progress;
  readonly maxWaiting: number;
  readonly report: (problem: unknown) => void;
  readonly signal: AbortSignal;
  /** Derives, however long the store is away; throws only when the signal aborts. */
  readonly deriveAll: (derive: Derive, touched: readonly Touched[]) => Promise<void>;
  /** After each derivation. */
  readonly onDone: () => void;
}

/**
 * Where large tasks wait until they are due, and are derived one after the other, so that small ones wait for none of
 * them. The journal keeps what touched them: a crash meanwhile costs a replay, nothing else.
 */
export interface LargeLane {
  /** Takes what belongs to large tasks out of what is owed. */
  takeFrom(owed: Owed): Promise<void>;
  /** The earliest journal position of what is held or in hand; Infinity when nothing is. */
  readonly from: number;
  /** Traces and tasks held. */
  readonly size: number;
  /** Since when something is held, in milliseconds since 1970; null when nothing is. */
  readonly oldest: number | null;
  /** Resolves after the signal has aborted and the derivation in hand is over. */
  readonly stopped: Promise<void>;
}

/** How long it can take to see that somebody waits for what is held. */
const tickMs = 50;

interface Held {
  readonly project: string;
  readonly task: string;
  readonly owed: Owed;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export function startLargeLane(options: LargeLaneOptions): LargeLane {
  const { large, journal, progress, signal, maxWaiting } = options;
  const held = new Map<string, Held>();
  let inHand: Owed | undefined;
  const added = createBell();
  signal.addEventListener('abort', added.ring);

  const size = () => [...held.values()].reduce((sum, { owed }) => sum + owed.size, 0);

  /** Holding back ends where it would cost more than it saves. */
  function isUrgent(): boolean {
    const { bytes, maxBytes } = journal.stats();
    return progress.isAwaited || bytes > maxBytes / 4 || size() > maxWaiting / 2;
  }

  function next(): { readonly key: string; readonly one: Held; readonly dueAt: number } | null {
    let first: ReturnType<typeof next> = null;
    for (const [key, one] of held) {
      const dueAt = large?.dueAt(one.project, one.task) ?? 0;
      if (first === null || dueAt < first.dueAt) first = { key, one, dueAt };
    }
    return first;
  }

  async function run({ deriveLarge }: LargeTasks): Promise<void> {
    while (!signal.aborted) {
      const first = next();
      if (first === null) {
        await added.heard();
        continue;
      }
      if (first.dueAt > performance.now() && !isUrgent()) {
        await sleep(tickMs);
        continue;
      }
      held.delete(first.key);
      inHand = first.one.owed;
      await options.deriveAll(deriveLarge, inHand.touched());
      inHand = undefined;
      options.onDone();
    }
  }

  const running =
    large === undefined
      ? Promise.resolve()
      : run(large).catch((error: unknown) => {
          if (!signal.aborted) options.report(error);
        });

  return {
    async takeFrom(owed) {
      // A store that does not answer holds up the derivation too: then nothing is gained by telling tasks apart.
      const parts = (await large?.large(owed.touched()).catch(() => [])) ?? [];
      for (const { project, task, touched } of parts) {
        const key = JSON.stringify([project, task]);
        const one = held.get(key) ?? { project, task, owed: createOwed(), since: Date.now() };
        held.set(key, one);
        one.owed.merge(owed.take(touched));
      }
      added.ring();
    },
    get from() {
      let first = inHand?.from ?? Number.POSITIVE_INFINITY;
      for (const { owed } of held.values()) first = Math.min(first, owed.from);
      return first;
    },
    get size() {
      return size();
    },
    get oldest() {
      return held.size === 0 ? null : Math.min(...[...held.values()].map(({ since }) => since));
    },
    stopped: running,
  };
}
