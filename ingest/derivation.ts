import { setTimeout as sleep } from 'node:timers/promises';
import type { Touched } from '../store/derive/deriver.ts';
import { createBell } from './bell.ts';
import { type Counters, note } from './counters.ts';
import type { Journal } from './journal/journal.ts';
import { type LargeTasks, startLargeLane } from './large-lane.ts';
import type { Obstacles } from './obstacles.ts';
import { createOwed, type Owed } from './owed.ts';
import type { Progress } from './progress.ts';
import { nameOf, persist, stopped } from './retry.ts';

export interface DerivationOptions {
  readonly derive: (touched: readonly Touched[]) => Promise<void>;
  /** What is known of tasks so large that they are derived seldom. Without it none is. */
  readonly large?: LargeTasks | undefined;
  readonly journal: Journal;
  readonly progress: Progress;
  readonly obstacles: Obstacles;
  readonly counters: Counters;
  readonly report: (problem: unknown) => void;
  /** Traces and tasks that may wait before inserts have to. */
  readonly maxWaiting: number;
}

/**
 * Derives behind the inserts: while one derivation runs, what later batches touch is gathered, so that a trace that
 * grows quickly is derived once for several batches, and new spans can be read before old tasks are derived. What
 * belongs to large tasks goes its own way, see {@link startLargeLane}.
 */
export interface Derivation {
  /** What a batch touched, which was received at `receivedAt` and ends at `end` in the journal. */
  add(touched: readonly Touched[], receivedAt: number, end: number): void;
  /** Resolves when so little waits that inserts may go on. */
  room(): Promise<void>;
  /** When the oldest underived request was received, but for large tasks; null when nothing waits. */
  readonly oldest: number | null;
  /** What belongs to large tasks and waits for its turn: traces and tasks, and when the oldest came. */
  readonly heldBack: { readonly ids: number; readonly oldest: number | null };
  /** Stops after the derivation in hand. */
  stop(): Promise<void>;
}

interface Gathered {
  readonly owed: Owed;
  readonly oldest: number;
  end: number;
}

/** After a derivation there is a rest as long as it took, up to this: the next one then derives more at once. */
const maxRestMs = 350;
const tickMs = 25;

export function startDerivation(options: DerivationOptions): Derivation {
  const { journal, progress, obstacles, counters } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  /** Everything before is stored and derived, but for what the large lane holds. */
  let done = journal.checkpointed;
  let end = done;
  let waiting: Gathered | undefined;
  let inHand: Gathered | undefined;
  const added = createBell();
  const room = createBell();
  const lane = startLargeLane({
    ...options,
    signal,
    deriveAll: (derive, touched) => deriveAll({ ...options, derive }, touched, signal),
    onDone: advance,
  });

  function advance(): void {
    const position = Math.min(done, lane.from);
    journal.checkpoint(position);
    progress.moveTo(position);
    room.ring();
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      if (waiting === undefined) await added.heard();
      if (waiting === undefined) continue;
      inHand = waiting;
      waiting = undefined;
      room.ring();
      const start = performance.now();
      await lane.takeFrom(inHand.owed);
      await deriveAll(options, inHand.owed.touched(), signal);
      obstacles.clear('derive');
      const took = performance.now() - start;
      noteTimes(counters, took, inHand.oldest);
      done = inHand.end;
      inHand = undefined;
      advance();
      await rest(Math.min(took, maxRestMs), () => progress.isAwaited || signal.aborted);
    }
  }

  const running = run().catch((error: unknown) => {
    if (error === stopped) return;
    obstacles.set('derive', `the derivation stopped: ${nameOf(error)}`);
    options.report(error);
  });

  return {
    add(touched, receivedAt, next) {
      waiting ??= { owed: createOwed(), oldest: receivedAt, end: next };
      for (const one of touched) waiting.owed.add(one, end);
      waiting.end = next;
      end = next;
      added.ring();
    },
    async room() {
      const isFull = () => (waiting?.owed.size ?? 0) + lane.size >= options.maxWaiting;
      while (isFull() && !signal.aborted) await room.heard();
    },
    get oldest() {
      return inHand?.oldest ?? waiting?.oldest ?? null;
    },
    get heldBack() {
      return { ids: lane.size, oldest: lane.oldest };
    },
    async stop() {
      stopping.abort();
      added.ring();
      room.ring();
      await running;
      await lane.stopped;
    },
  };
}

function noteTimes({ derive, lag }: Counters, took: number, oldest: number): void {
  note(derive, took);
  note(lag, Date.now() - oldest);
}

async function rest(ms: number, isDisturbed: () => boolean): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until && !isDisturbed()) await sleep(tickMs);
}

/**
 * Derives, however long the store is away. What the derivation itself stumbles over is narrowed down to one trace or
 * task and given up, loudly: its spans are stored, and it is derived again when anything more of it arrives.
 */
async function deriveAll(
  options: DerivationOptions,
  touched: readonly Touched[],
  signal: AbortSignal,
): Promise<void> {
  const { derive, obstacles, counters, report } = options;
  if (touched.length === 0) return;
  try {
    await persist(
      () => derive(touched),
      signal,
      (error) => {
        counters.retries += 1;
        obstacles.set('derive', `tasks cannot be derived: ${nameOf(error)}`);
      },
    );
  } catch (error) {
    if (error === stopped) throw error;
    const halves = halve(touched);
    if (halves === undefined) {
      counters.underived += 1;
      const [{ traces, tasks } = { traces: [], tasks: [] }] = touched;
      report(`cannot derive trace or task ${[...traces, ...tasks].join()}: ${nameOf(error)}`);
      return;
    }
    for (const half of halves) await deriveAll(options, half, signal);
  }
}

/** Two parts of what was touched, or undefined when it is a single trace or task. */
function halve(touched: readonly Touched[]): [Touched[], Touched[]] | undefined {
  const items = touched.flatMap(({ project, traces, tasks }) => [
    ...traces.map((trace) => ({ project, traces: [trace], tasks: [] })),
    ...tasks.map((task) => ({ project, traces: [], tasks: [task] })),
  ]);
  if (items.length < 2) return undefined;
  const middle = Math.ceil(items.length / 2);
  return [merge(items.slice(0, middle)), merge(items.slice(middle))];
}

function merge(items: readonly Touched[]): Touched[] {
  const owed = createOwed();
  for (const item of items) owed.add(item, 0);
  return owed.touched();
}
