import type { Touched } from '../store/derive/deriver.ts';
import { type Counters, note } from './counters.ts';
import type { Journal } from './journal/journal.ts';
import type { Obstacles } from './obstacles.ts';
import type { Progress } from './progress.ts';
import { nameOf, persist, stopped } from './retry.ts';

export interface DerivationOptions {
  readonly derive: (touched: readonly Touched[]) => Promise<void>;
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
 * grows quickly is derived once for several batches, and new spans can be read before old tasks are derived.
 */
export interface Derivation {
  /** What a batch touched, which was received at `receivedAt` and ends at `end` in the journal. */
  add(touched: readonly Touched[], receivedAt: number, end: number): void;
  /** Resolves when so little waits that inserts may go on. */
  room(): Promise<void>;
  /** When the oldest underived request was received; null when nothing waits. */
  readonly oldest: number | null;
  /** Stops after the derivation in hand. */
  stop(): Promise<void>;
}

interface Gathered {
  readonly projects: Map<string, { readonly traces: Set<string>; readonly tasks: Set<string> }>;
  size: number;
  oldest: number;
  end: number;
}

export function startDerivation(options: DerivationOptions): Derivation {
  const { journal, progress, obstacles, counters } = options;
  const stopping = new AbortController();
  let waiting: Gathered | undefined;
  let inHand: Gathered | undefined;
  let wake: (() => void) | undefined;
  let makeRoom: (() => void) | undefined;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (waiting === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      inHand = waiting;
      waiting = undefined;
      makeRoom?.();
      const start = performance.now();
      await deriveAll(options, touchedOf(inHand), stopping.signal);
      obstacles.clear('derive');
      note(counters.derive, performance.now() - start);
      note(counters.lag, Date.now() - inHand.oldest);
      journal.checkpoint(inHand.end);
      progress.moveTo(inHand.end);
      inHand = undefined;
    }
  }

  const running = run().catch((error: unknown) => {
    if (error === stopped) return;
    obstacles.set('derive', `the derivation stopped: ${nameOf(error)}`);
    options.report(error);
  });

  return {
    add(touched, receivedAt, end) {
      waiting = gather(waiting, touched, receivedAt, end);
      wake?.();
    },
    async room() {
      while ((waiting?.size ?? 0) >= options.maxWaiting && !stopping.signal.aborted) {
        await new Promise<void>((resolve) => {
          makeRoom = resolve;
        });
      }
    },
    get oldest() {
      return inHand?.oldest ?? waiting?.oldest ?? null;
    },
    async stop() {
      stopping.abort();
      wake?.();
      makeRoom?.();
      await running;
    },
  };
}

function gather(
  before: Gathered | undefined,
  touched: readonly Touched[],
  receivedAt: number,
  end: number,
): Gathered {
  const all = before ?? { projects: new Map(), size: 0, oldest: receivedAt, end };
  for (const { project, traces, tasks } of touched) {
    const known = all.projects.get(project) ?? { traces: new Set(), tasks: new Set() };
    all.projects.set(project, known);
    const size = known.traces.size + known.tasks.size;
    for (const trace of traces) known.traces.add(trace);
    for (const task of tasks) known.tasks.add(task);
    all.size += known.traces.size + known.tasks.size - size;
  }
  all.end = end;
  return all;
}

function touchedOf({ projects }: Gathered): Touched[] {
  return [...projects].map(([project, { traces, tasks }]) => ({
    project,
    traces: [...traces],
    tasks: [...tasks],
  }));
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
  const gathered = gather(undefined, items, 0, 0);
  return touchedOf(gathered);
}
