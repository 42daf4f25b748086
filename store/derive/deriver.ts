import type { Store } from '../connection.ts';
import { createPace, findTraces, type Pace } from './pace.ts';
import { createRecent, type Recent } from './recent.ts';
import { deriveSlice, SLICE, slices, writeSlice } from './slice.ts';
import type { DeriveThread } from './thread/thread.ts';

/** What an insert touched: traces, and ids of tasks named by log records without a trace. */
export interface Touched {
  readonly project: string;
  readonly traces: readonly string[];
  readonly tasks: readonly string[];
}

/** Keeps the rows of `tasks` equal to what spans and logs say. */
export interface Deriver extends Pick<Pace, 'large' | 'dueAt'>, Pick<Recent, 'remember'> {
  /**
   * Derives again every task that the touched traces can have changed, after the data is stored; resolves when the
   * rows are. May run in several processes at once: the newest read wins, whoever writes last.
   *
   * @throws ClickHouseError; repeating the call is always safe.
   */
  derive(touched: readonly Touched[]): Promise<void>;
  /** The same beside {@link derive}, which does not wait for it: for what belongs to large tasks. */
  deriveLarge(touched: readonly Touched[]): Promise<void>;
}

export interface DeriverOptions {
  /** Traces read together, for whoever knows that their spans fit into memory. */
  readonly size?: number;
  /** Where large tasks are derived; without it in this thread. */
  readonly thread?: DeriveThread;
}

/** Makes a deriver; calls of one deriver run one after the other, those for large tasks by themselves. */
export function createDeriver(
  store: Store,
  { size = SLICE, thread }: DeriverOptions = {},
): Deriver {
  const pace = createPace(findTraces(store));
  const recent = createRecent();
  const work = { store, note: pace.note, size, recent };
  const here = (touched: readonly Touched[]) => deriveAll(work, touched);
  const there = async (touched: readonly Touched[]) => {
    for (const { project, rows, ms } of (await thread?.derive(touched)) ?? []) {
      pace.note(project, rows, ms);
    }
  };
  return {
    large: pace.large,
    dueAt: pace.dueAt,
    remember: recent.remember,
    derive: lane(here),
    deriveLarge: lane(thread === undefined ? here : there),
  };
}

type Derive = (touched: readonly Touched[]) => Promise<void>;

/** One call after the other. */
function lane(derive: Derive): Derive {
  let last: Promise<void> = Promise.resolve();
  return (touched) => {
    const run = last.then(() => derive(touched));
    last = run.catch(() => {});
    return run;
  };
}

interface Work {
  readonly store: Store;
  readonly note: Pace['note'];
  /** Traces read together. */
  readonly size: number;
  readonly recent?: Recent;
}

/** Derives what was touched, and notes how long that took. */
export async function deriveAll(work: Work, touched: readonly Touched[]): Promise<void> {
  const projects = new Map<string, { traces: Set<string>; tasks: Set<string> }>();
  for (const { project, traces, tasks: named } of touched) {
    const all = projects.get(project) ?? { traces: new Set(), tasks: new Set() };
    for (const trace of traces) all.traces.add(trace);
    for (const task of named) all.tasks.add(task);
    all.traces.delete('');
    all.tasks.delete('');
    projects.set(project, all);
  }
  for (const [project, all] of projects) {
    for (const slice of slices([...all.traces], work.size)) await derive(work, project, slice, []);
    for (const slice of slices([...all.tasks], work.size)) await derive(work, project, [], slice);
  }
}

async function derive(
  { store, note, recent }: Work,
  project: string,
  traces: readonly string[],
  tasks: readonly string[],
): Promise<void> {
  const start = performance.now();
  const derivation = await deriveSlice(store, project, traces, tasks, recent);
  await writeSlice(store, derivation);
  note(project, derivation.rows.values(), performance.now() - start);
}
