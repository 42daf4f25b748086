import type { Store } from '../connection.ts';
import { deriveSlice, slices, writeSlice } from './slice.ts';

/** What an insert touched: traces, and ids of tasks named by log records without a trace. */
export interface Touched {
  readonly project: string;
  readonly traces: readonly string[];
  readonly tasks: readonly string[];
}

/** Keeps the rows of `tasks` equal to what spans and logs say. */
export interface Deriver {
  /**
   * Derives again every task that the touched traces can have changed, after the data is stored; resolves when the
   * rows are. May run in several processes at once: the newest read wins, whoever writes last.
   *
   * @throws ClickHouseError; repeating the call is always safe.
   */
  derive(touched: readonly Touched[]): Promise<void>;
}

/** Makes a deriver; calls of one deriver run one after the other. */
export function createDeriver(store: Store): Deriver {
  let last: Promise<void> = Promise.resolve();
  return {
    derive(touched) {
      const run = last.then(() => deriveAll(store, touched));
      last = run.catch(() => {});
      return run;
    },
  };
}

async function deriveAll(store: Store, touched: readonly Touched[]): Promise<void> {
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
    for (const slice of slices([...all.traces])) {
      await writeSlice(store, await deriveSlice(store, project, slice, []));
    }
    for (const slice of slices([...all.tasks])) {
      await writeSlice(store, await deriveSlice(store, project, [], slice));
    }
  }
}
