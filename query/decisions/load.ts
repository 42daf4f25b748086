import type { Store } from '../../store/connection.ts';
import { readBoundaries } from '../../store/derive/boundaries.ts';
import { type Parts, splitTasks } from '../../store/derive/parts.ts';
import {
  readLoneLogs as derivedLoneLogs,
  joinItems,
  readBounds,
  readTaskTraces,
  readTraces,
} from '../../store/derive/read.ts';
import type { Bounds } from '../../store/derive/windows.ts';
import { type DecisionLog, spanKey, type TaskEvidence } from './evidence.ts';
import { messagesOf, readLoneLogs, readTraceLogs, type StoredLog, withMessages } from './logs.ts';
import { readContent, readSpans, type StoredSpan, type TraceRange } from './rows.ts';
import { costsOf, factsOf, type TaskRow } from './task-rows.ts';

/** A task with everything that judging it takes from its row. */
export interface LoadedTask {
  readonly row: TaskRow;
  /** Days since 1970. */
  readonly day: number;
  readonly evidence: TaskEvidence;
  /** Nanoseconds since 1970. */
  readonly startedAt: bigint;
  readonly rateLimitedMs: number;
  readonly humanWaitMs: number;
  /** Lower bound where models are unpriced. */
  readonly costUsd: number;
  /** What its spans name it by, to tell a retry from a second task. */
  readonly idempotencyKeys: readonly string[];
}

/**
 * Loads the tasks of these rows with few queries: the spans, logs and payload of all their traces at once. A trace may
 * hold several tasks, and a task several traces: only when its row does not account for every span of its traces is the
 * derivation asked what belongs to whom.
 */
export async function loadRows(
  store: Store,
  project: string,
  rows: readonly TaskRow[],
): Promise<LoadedTask[]> {
  if (rows.length === 0) return [];
  const traces = [...new Set(rows.flatMap(({ trace_ids }) => trace_ids))];
  const [bounds, lone] = await Promise.all([
    readBounds(store, project, traces),
    readLoneBounds(store, project, rows),
  ]);
  const range: TraceRange = { traces, ...spanOf([...bounds.values()]) };
  const [spans, content, traced, alone] = await Promise.all([
    readSpans(store, project, range),
    readContent(store, project, range),
    readTraceLogs(store, project, range),
    readLoneLogs(store, project, [...lone.keys()], spanOf([...lone.values()])),
  ]);
  const byTrace = groupByTrace(spans);
  const told = messagesOf(traced);
  const loaded: LoadedTask[] = [];
  for (const row of rows) {
    const own = row.trace_ids.flatMap((trace) => byTrace.get(trace) ?? []);
    const whole = own.length === row.spans;
    const { mine, ...rest } = whole
      ? { mine: own, ...ownedBy(row, [...traced, ...alone]) }
      : await splitOff(store, project, row, own, bounds);
    loaded.push(
      toTask(row, {
        spans: mine.map((span) => withMessages(span, told.get(spanKey(span)))),
        content,
        ...rest,
      }),
    );
  }
  return loaded;
}

type Gathered = Pick<TaskEvidence, 'logs' | 'calls' | 'content'> & {
  readonly spans: readonly StoredSpan[];
};

function toTask(row: TaskRow, { spans, ...gathered }: Gathered): LoadedTask {
  const keys = new Set(spans.map((span) => span.task_idempotency_key));
  keys.delete('');
  return {
    row,
    day: row.day_number,
    evidence: { task: factsOf(row), spans, ...gathered, costs: costsOf(row) },
    startedAt: BigInt(row.started_ns),
    rateLimitedMs: Number(row['rate_limited_ms']),
    humanWaitMs: Number(row['human_wait_ms']),
    costUsd: Number(row['cost_usd_known']),
    idempotencyKeys: [...keys],
  };
}

/** Start times of the log records without a trace that name these tasks, by task. */
async function readLoneBounds(
  store: Store,
  project: string,
  rows: readonly TaskRow[],
): Promise<Map<string, Bounds>> {
  const ids = rows.map(({ task_id }) => task_id);
  const seen = await readTaskTraces(store, project, ids);
  return new Map(
    seen.filter(({ trace }) => trace === '').map(({ task, bounds }) => [task, bounds]),
  );
}

/** From the earliest to the latest of some bounds. */
function spanOf(bounds: readonly Bounds[]): Bounds {
  const [some = { first: 0n, last: 0n }] = bounds;
  let { first, last } = some;
  for (const own of bounds) {
    if (own.first < first) first = own.first;
    if (own.last > last) last = own.last;
  }
  return { first, last };
}

function groupByTrace(spans: readonly StoredSpan[]): Map<string, StoredSpan[]> {
  const groups = new Map<string, StoredSpan[]>();
  for (const span of spans) {
    const group = groups.get(span.trace_id);
    if (group === undefined) groups.set(span.trace_id, [span]);
    else group.push(span);
  }
  return groups;
}

/** The logs and calls of a task that has its traces to itself: all on them but what declares another task. */
function ownedBy(row: TaskRow, logs: readonly StoredLog[]) {
  const traces = new Set(row.trace_ids);
  return {
    logs: logs.filter(({ trace_id, task_id, task_id_kind, event_name }) => {
      if (!event_name.startsWith('agent.')) return false;
      const named = task_id_kind === 'run' && trace_id !== '' ? '' : task_id;
      return named === row.task_id || (named === '' && traces.has(trace_id));
    }),
    calls: new Set(costsOf(row).keys()),
  };
}

/** The items of the task, told from those of other tasks on its traces by the derivation's own rules. */
async function splitOff(
  store: Store,
  project: string,
  { task_id, trace_ids }: TaskRow,
  spans: readonly StoredSpan[],
  known: ReadonlyMap<string, Bounds>,
) {
  const bounds = new Map([...known].filter(([trace]) => trace_ids.includes(trace)));
  const [seen, boundaries] = await Promise.all([
    readTaskTraces(store, project, [task_id]),
    readBoundaries(store),
  ]);
  const alone = seen.filter(({ trace }) => trace === '');
  const items = joinItems([
    await readTraces(store, project, bounds),
    await derivedLoneLogs(store, project, new Map(alone.map((lone) => [task_id, lone.bounds]))),
  ]);
  const parts = splitTasks(items.spans, items.logs, boundaries).find(
    ({ task }) => task === task_id,
  );
  const own = new Set(parts?.members.map(({ span }) => spanKey(span)));
  return {
    mine: spans.filter((span) => own.has(spanKey(span))),
    logs: parts?.logs.map(toLog) ?? [],
    calls: new Set(
      parts?.calls.filter(({ aggregate }) => !aggregate).map(({ span }) => spanKey(span)),
    ),
  };
}

function toLog(log: Parts['logs'][number]): DecisionLog {
  const { trace_id, span_id, time, event_name, agent_name, attributes } = log;
  return {
    trace_id,
    span_id,
    time,
    event_name,
    agent_name,
    attributes: Object.fromEntries(attributes),
  };
}
