import type { Store } from '../connection.ts';
import { param, query, sql } from '../sql.ts';
import type { Touched } from './deriver.ts';

/** What was touched of one large task. */
export interface LargePart {
  readonly project: string;
  readonly task: string;
  readonly touched: Touched;
}

/** What a derivation learns of a task: how large it is, and where it lies. */
export interface Weighed {
  readonly task_id: string;
  readonly spans: number;
  readonly trace_ids: readonly string[];
}

/**
 * Knows the large tasks, so that they are derived seldom and apart (BEHAVIOUR §1.14): derived again for every item that
 * trickles in, a task would cost the square of its size. It only says when; what is derived, and how, is the same.
 */
export interface Pace {
  /** What of this belongs to large tasks; the rest may be derived at once. */
  large(touched: readonly Touched[]): Promise<LargePart[]>;
  /** When a task may be derived next, on the clock of `performance.now()`; long ago for one that is not large. */
  dueAt(project: string, task: string): number;
  /** Takes in that these rows were derived together in `ms`. */
  note(project: string, rows: Iterable<Weighed>, ms: number): void;
}

/** Finds which of some traces carry one of some tasks. */
export type FindTraces = (
  project: string,
  traces: readonly string[],
  tasks: readonly string[],
) => Promise<readonly { readonly trace: string; readonly task: string }[]>;

/** Below, a task costs less to derive than to look after: of 1,000 spans some 30 ms. */
const LARGE_SPANS = 1000;
/** The next derivation of a large task comes this many times later than the last one took. */
const SPACING = 10;
/** A task at rest for so long is small again: whatever comes then is derived at once. */
const FORGET_MS = 600_000;
// Known by trace at most; of what is beyond, the tasks are looked up.
const MAX_TASKS = 500;
const MAX_TRACES = 100;

interface Large {
  readonly spans: number;
  readonly dueAt: number;
  readonly notedAt: number;
  readonly traces: readonly string[];
}

export function createPace(find: FindTraces, now: () => number = () => performance.now()): Pace {
  const projects = new Map<string, Map<string, Large>>();

  function known(project: string): Map<string, Large> {
    const tasks = projects.get(project) ?? new Map<string, Large>();
    projects.set(project, tasks);
    for (const [task, { notedAt }] of tasks) {
      if (tasks.size > MAX_TASKS || now() - notedAt > FORGET_MS) tasks.delete(task);
    }
    return tasks;
  }

  return {
    async large(touched) {
      const parts: LargePart[] = [];
      for (const one of touched) {
        const tasks = known(one.project);
        if (tasks.size > 0) parts.push(...(await partsOf(one, tasks, find)));
      }
      return parts;
    },
    dueAt: (project, task) => projects.get(project)?.get(task)?.dueAt ?? Number.NEGATIVE_INFINITY,
    note(project, rows, ms) {
      const tasks = known(project);
      const ofTrace = tracesOf(tasks);
      const weighed = [...rows].map((row) => ({ ...row, weight: weightOf(row, tasks, ofTrace) }));
      const total = weighed.reduce((sum, { weight }) => sum + weight, 0);
      for (const { task_id, trace_ids, weight } of weighed) {
        tasks.delete(task_id);
        if (weight < LARGE_SPANS) continue;
        const dueAt = now() + SPACING * ms * (weight / total);
        const traces = trace_ids.slice(0, MAX_TRACES);
        tasks.set(task_id, { spans: weight, dueAt, notedAt: now(), traces });
      }
    },
  };
}

/** Spans that a derivation of the task reads: a small task that shares a trace with a large one costs as much. */
function weightOf(
  { task_id, spans, trace_ids }: Weighed,
  tasks: ReadonlyMap<string, Large>,
  ofTrace: ReadonlyMap<string, string>,
): number {
  let weight = Math.max(spans, 1);
  for (const trace of trace_ids) {
    const other = ofTrace.get(trace);
    if (other === undefined || other === task_id) continue;
    weight = Math.max(weight, tasks.get(other)?.spans ?? 0);
  }
  return weight;
}

function tracesOf(tasks: ReadonlyMap<string, Large>): Map<string, string> {
  const ofTrace = new Map<string, string>();
  for (const [task, { traces }] of tasks) for (const trace of traces) ofTrace.set(trace, task);
  return ofTrace;
}

async function partsOf(
  { project, traces, tasks }: Touched,
  large: ReadonlyMap<string, Large>,
  find: FindTraces,
): Promise<LargePart[]> {
  const ofTrace = tracesOf(large);
  const unknown = traces.filter((trace) => !ofTrace.has(trace));
  for (const { trace, task } of await find(project, unknown, [...large.keys()])) {
    ofTrace.set(trace, task);
  }
  const parts = new Map<string, { traces: string[]; tasks: string[] }>();
  const partOf = (task: string) => {
    const part = parts.get(task) ?? { traces: [], tasks: [] };
    parts.set(task, part);
    return part;
  };
  for (const trace of traces) {
    const task = large.has(trace) ? trace : ofTrace.get(trace);
    if (task !== undefined) partOf(task).traces.push(trace);
  }
  for (const task of tasks) if (large.has(task)) partOf(task).tasks.push(task);
  return [...parts].map(([task, part]) => ({ project, task, touched: { project, ...part } }));
}

/** {@link FindTraces} in the store. */
export function findTraces(store: Store): FindTraces {
  return async (project, traces, tasks) => {
    if (traces.length === 0 || tasks.length === 0) return [];
    return query<{ trace: string; task: string }>(
      store,
      sql`
SELECT trace_id AS trace, any(task_id) AS task FROM trace_tasks
WHERE project = ${param('String', project)} AND trace_id IN ${param('Array(String)', traces)}
  AND task_id IN ${param('Array(String)', tasks)}
GROUP BY trace_id`,
    );
  };
}
