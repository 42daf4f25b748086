import type { Store } from '../../store/connection.ts';
import { type Bounds, readBounds, readTaskTraces } from '../../store/derive/read.ts';
import { param, query, type Sql, sql } from '../../store/sql.ts';
import {
  type DecisionLog,
  type DecisionSpan,
  spanKey,
  type TaskEvidence,
  type TaskFacts,
} from '../decisions/evidence.ts';
import { loadEvidence } from '../decisions/load.ts';
import { readContent, readSpans, type TraceRange } from '../decisions/rows.ts';
import { tasksIn } from '../tasks/find.ts';

/** A task row by its key. */
export interface TaskKey {
  /** Days since 1970. */
  readonly day: number;
  readonly task_id: string;
}

/** A task with everything that judging it takes from its row. */
export interface LoadedTask {
  readonly day: number;
  readonly evidence: TaskEvidence;
  /** Nanoseconds since 1970. */
  readonly startedAt: bigint;
  readonly rateLimitedMs: number;
  readonly humanWaitMs: number;
  readonly costUsd: number | null;
}

type ViewRow = Readonly<Record<string, unknown>> & {
  readonly task_id: string;
  readonly day_number: number;
  readonly trace_ids: readonly string[];
  readonly call_traces: readonly string[];
  readonly call_spans: readonly string[];
  readonly call_costs: readonly (number | null)[];
};

const dayMs = 86_400_000;

/**
 * Loads many tasks with few queries: their rows, then the spans, logs and payload of all their traces at once. A task
 * that shares a trace with another one is loaded by itself, with the derivation's own rules of what belongs to whom.
 * Tasks that are gone are left out.
 */
export async function loadTasks(
  store: Store,
  project: string,
  keys: readonly TaskKey[],
  now: Date,
): Promise<LoadedTask[]> {
  const rows = await readRows(store, project, keys, now);
  const range = await rangeOf(store, project, rows);
  const [owners, spans, logs] = await Promise.all([
    readOwners(store, project, range),
    readSpans(store, project, range),
    readLogs(store, project, rows, range),
  ]);
  const content = spans.some(hasContent)
    ? await readContent(store, project, range)
    : new Map<string, string>();
  const byTrace = groupByTrace(spans);
  const loaded: LoadedTask[] = [];
  for (const row of rows) {
    const evidence = row.trace_ids.every((trace) => isAlone(row.task_id, trace, owners))
      ? evidenceOf(row, byTrace, content, logs)
      : await loadEvidence(store, project, row.task_id, now);
    if (evidence === undefined) continue;
    loaded.push({
      day: row.day_number,
      evidence,
      startedAt: BigInt(String(row['started_ns'])),
      rateLimitedMs: Number(row['rate_limited_ms']),
      humanWaitMs: Number(row['human_wait_ms']),
      costUsd: Number(row['cost_usd_known']),
    });
  }
  return loaded;
}

/** Rows of the one view, cut down to these days and ids before anything is joined. */
async function readRows(
  store: Store,
  project: string,
  keys: readonly TaskKey[],
  now: Date,
): Promise<ViewRow[]> {
  if (keys.length === 0) return [];
  const days = keys.map(({ day }) => day);
  const first = Math.min(...days);
  const last = Math.max(...days);
  const scope = {
    project,
    from: new Date(first * dayMs),
    // A task may end long after it began.
    to: new Date((last + 400) * dayMs),
    now,
    prices: 'as_of_call',
  };
  const rows = await query<ViewRow>(
    store,
    sql`SELECT task_id, toUInt16(day) AS day_number, workflow, state, outcome, outcome_source, outcome_score, outcome_reason, cost_usd,
        cost_usd_known, duration_ms, model_ms, tool_ms, human_wait_ms, rate_limited_ms, trace_ids,
        toString(toUnixTimestamp64Nano(started_at)) AS started_ns, calls.trace_id AS call_traces,
        calls.span_id AS call_spans, calls.cost_usd AS call_costs
      FROM ${tasksIn(scope)}
      WHERE day BETWEEN ${param('Date', new Date(first * dayMs))} AND ${param('Date', new Date(last * dayMs))}
        AND task_id IN ${param(
          'Array(String)',
          keys.map(({ task_id }) => task_id),
        )}`,
  );
  const wanted = new Set(keys.map(({ day, task_id }) => `${day} ${task_id}`));
  return rows.filter(({ day_number, task_id }) => wanted.has(`${day_number} ${task_id}`));
}

async function rangeOf(
  store: Store,
  project: string,
  rows: readonly ViewRow[],
): Promise<TraceRange> {
  const traces = [...new Set(rows.flatMap(({ trace_ids }) => trace_ids))];
  const bounds = await readBounds(store, project, traces);
  return { traces, ...spanOf([...bounds.values()]) };
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

function hasContent(span: DecisionSpan): boolean {
  return (
    span.input_messages.length > 0 ||
    span.output_messages.length > 0 ||
    span.system_instructions.length > 0 ||
    span.tool_definitions.length > 0 ||
    span.tool_arguments.length > 0 ||
    span.tool_result.length > 0
  );
}

interface Owners {
  readonly declared: readonly string[];
  readonly ids: readonly string[];
}

/** The task ids that spans of these traces carry, by trace. */
async function readOwners(
  store: Store,
  project: string,
  range: TraceRange,
): Promise<Map<string, Owners>> {
  if (range.traces.length === 0) return new Map();
  const rows = await query<Owners & { trace_id: string }>(
    store,
    sql`SELECT trace_id, groupUniqArray(2)(task_id) AS ids, groupUniqArrayIf(2)(task_id, task_id_kind = 'declared') AS declared
      FROM spans
      WHERE project = ${param('String', project)} AND task_id != ''
        AND trace_id IN ${param('Array(String)', range.traces)} AND ${during(sql`start`, range)}
      GROUP BY trace_id`,
  );
  return new Map(rows.map((row) => [row.trace_id, row]));
}

function during(column: Sql, { first, last }: Bounds): Sql {
  const time = (ns: bigint) => sql`fromUnixTimestamp64Nano(${param('Int64', String(ns))}, 'UTC')`;
  return sql`${column} BETWEEN ${time(first)} AND ${time(last)}`;
}

/** Every span of the trace is the task's: its id is the only declared one, or nothing is declared and it is the only one. */
function isAlone(task: string, trace: string, owners: ReadonlyMap<string, Owners>): boolean {
  const { declared, ids } = owners.get(trace) ?? { declared: [], ids: [trace] };
  const decisive = declared.length > 0 ? declared : ids;
  return decisive.length === 1 && decisive[0] === task;
}

function groupByTrace(spans: readonly DecisionSpan[]): Map<string, DecisionSpan[]> {
  const groups = new Map<string, DecisionSpan[]>();
  for (const span of spans) {
    const group = groups.get(span.trace_id);
    if (group === undefined) groups.set(span.trace_id, [span]);
    else group.push(span);
  }
  return groups;
}

type OwnedLog = DecisionLog & { readonly task_id: string };

/** Logs on the traces, and those without a trace that name one of the tasks. */
async function readLogs(
  store: Store,
  project: string,
  rows: readonly ViewRow[],
  range: TraceRange,
): Promise<OwnedLog[]> {
  const tasks = rows.map(({ task_id }) => task_id);
  const seen = await readTaskTraces(store, project, tasks);
  const alone = seen.filter(({ trace }) => trace === '');
  const onTraces = sql`trace_id IN ${param('Array(String)', range.traces)} AND ${during(sql`time`, range)}`;
  const traced = range.traces.length === 0 ? [] : await selectLogs(store, project, onTraces);
  if (alone.length === 0) return traced;
  const named = param(
    'Array(String)',
    alone.map(({ task }) => task),
  );
  const times = spanOf(alone.map(({ bounds }) => bounds));
  const where = sql`trace_id = '' AND task_id IN ${named} AND ${during(sql`time`, times)}`;
  return [...traced, ...(await selectLogs(store, project, where))];
}

async function selectLogs(store: Store, project: string, where: Sql): Promise<OwnedLog[]> {
  const found = await query<Omit<OwnedLog, 'time'> & { time_ns: string }>(
    store,
    sql`SELECT trace_id, span_id, toString(toUnixTimestamp64Nano(time)) AS time_ns, event_name, agent_name, task_id,
        mapFilter((k, v) -> startsWith(k, 'agent.'), attributes) AS attributes
      FROM logs
      WHERE project = ${param('String', project)} AND event_name LIKE 'agent.%' AND ${where}
      ORDER BY ver DESC
      LIMIT 1 BY trace_id, span_id, event_name, time, hash`,
  );
  return found.map(({ time_ns, ...log }) => ({ ...log, time: BigInt(time_ns) }));
}

function evidenceOf(
  row: ViewRow,
  spans: ReadonlyMap<string, DecisionSpan[]>,
  content: ReadonlyMap<string, string>,
  logs: readonly OwnedLog[],
): TaskEvidence {
  const calls = row.call_spans.map((span_id, i) =>
    spanKey({ trace_id: row.call_traces[i] ?? '', span_id }),
  );
  const traces = new Set(row.trace_ids);
  return {
    task: factsOf(row),
    spans: row.trace_ids.flatMap((trace) => spans.get(trace) ?? []),
    logs: logs.filter(
      ({ trace_id, task_id }) =>
        task_id === row.task_id || (task_id === '' && traces.has(trace_id)),
    ),
    calls: new Set(calls),
    content,
    costs: new Map(calls.map((key, i) => [key, row.call_costs[i] ?? null])),
  };
}

function factsOf(row: ViewRow): TaskFacts {
  const text = (name: string) => (row[name] === '' ? null : (row[name] ?? null)) as string | null;
  const number = (name: string) => (row[name] == null ? null : Number(row[name]));
  return {
    task_id: row.task_id,
    workflow: text('workflow'),
    state: row['state'] as TaskFacts['state'],
    outcome: row['outcome'] as TaskFacts['outcome'],
    outcome_source: text('outcome_source') as TaskFacts['outcome_source'],
    outcome_score: number('outcome_score'),
    outcome_reason: text('outcome_reason'),
    cost_usd: number('cost_usd'),
    duration_ms: number('duration_ms'),
    model_ms: number('model_ms'),
    tool_ms: number('tool_ms'),
    human_wait_ms: number('human_wait_ms'),
  };
}
