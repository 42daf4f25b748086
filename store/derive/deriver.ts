import type { Store } from '../connection.ts';
import { insert } from '../insert.ts';
import { taskDays } from '../tables/task-days.ts';
import { type TaskRow, tasks } from '../tables/tasks.ts';
import {
  type Bounds,
  joinItems,
  readBounds,
  readLoneLogs,
  readTaskDays,
  readTaskTraces,
  readTraces,
  readVersion,
} from './read.ts';
import { dayOf, deriveTasks } from './task.ts';
import { tombstone } from './tombstone.ts';

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

/** Traces read and derived together; with 30 spans each some 8,000 spans. */
const SLICE = 256;

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
    for (const slice of slices([...all.traces])) await deriveSlice(store, project, slice, []);
    for (const slice of slices([...all.tasks])) await deriveSlice(store, project, [], slice);
  }
}

function* slices<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += SLICE) yield items.slice(at, at + SLICE);
}

/** The protocol of DESIGN §4. Its order is what makes it exact: version, then read, then days, then rows. */
async function deriveSlice(
  store: Store,
  project: string,
  traces: readonly string[],
  named: readonly string[],
): Promise<void> {
  const ver = await readVersion(store);
  const touched = await readTraces(store, project, await readBounds(store, project, traces));
  const candidates = new Set([...traces, ...named, ...touched.ids]);
  const linked = await readTaskTraces(store, project, [...candidates]);

  const seen = new Set(traces);
  // A task may be named by the id of a trace: every candidate may be one.
  const others = new Set([...linked.map(({ trace }) => trace), ...candidates]);
  const further = [...others].filter((trace) => trace !== '' && !seen.has(trace));
  const items = joinItems([
    touched,
    await readTraces(store, project, await readBounds(store, project, further)),
    await readLoneLogs(store, project, loneBounds(linked)),
  ]);

  const rows = new Map<string, TaskRow>();
  for (const task of deriveTasks(items.spans, items.logs)) {
    if (candidates.has(task.task_id)) rows.set(task.task_id, { ...task, ver, deleted: 0 });
  }
  await write(store, project, ver, candidates, rows, possibleDays(items, linked));
}

function loneBounds(
  linked: readonly { task: string; trace: string; bounds: Bounds }[],
): Map<string, Bounds> {
  const lone = linked.filter(({ trace }) => trace === '');
  return new Map(lone.map(({ task, bounds }) => [task, bounds]));
}

/**
 * Days under which another process may just now be writing a row of the task: a row derived from fewer items begins at
 * the start of one of the items that are there.
 */
function possibleDays(
  items: {
    spans: readonly { trace_id: string; start: bigint }[];
    logs: readonly { trace_id: string; task_id: string; time: bigint }[];
  },
  linked: readonly { task: string; trace: string }[],
): (task: string) => Set<number> {
  const ofTrace = new Map<string, Set<number>>();
  const add = (key: string, time: bigint) => {
    const days = ofTrace.get(key);
    if (days === undefined) ofTrace.set(key, new Set([dayOf(time)]));
    else days.add(dayOf(time));
  };
  for (const { trace_id, start } of items.spans) add(trace_id, start);
  for (const { trace_id, task_id, time } of items.logs) add(trace_id || `lone ${task_id}`, time);
  const tracesOf = new Map<string, string[]>();
  for (const { task, trace } of linked) {
    const known = tracesOf.get(task);
    if (known === undefined) tracesOf.set(task, [trace]);
    else known.push(trace);
  }
  return (task) => {
    const keys = [task, `lone ${task}`, ...(tracesOf.get(task) ?? [])];
    return new Set(keys.flatMap((key) => [...(ofTrace.get(key) ?? [])]));
  };
}

async function write(
  store: Store,
  project: string,
  ver: bigint,
  candidates: ReadonlySet<string>,
  rows: ReadonlyMap<string, TaskRow>,
  possible: (task: string) => Set<number>,
): Promise<void> {
  const known = await readTaskDays(store, project, [...candidates]);
  const output: TaskRow[] = [];
  const days: { project: string; task_id: string; day: number }[] = [];
  for (const task_id of candidates) {
    const row = rows.get(task_id);
    const stale = new Set([...(known.get(task_id) ?? []), ...possible(task_id)]);
    if (row !== undefined) {
      output.push(row);
      stale.delete(row.day);
      if (known.get(task_id)?.has(row.day) !== true) days.push({ project, task_id, day: row.day });
    }
    for (const day of stale) output.push(tombstone(project, task_id, day, ver));
  }
  // Days first: whoever withdraws a row must find the day under which it may lie.
  await insert(store, taskDays, days);
  await insert(
    store,
    tasks,
    output.sort((a, b) => a.day - b.day),
  );
}
