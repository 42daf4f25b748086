import type { Store } from '../../store/connection.ts';
import { readBoundaries } from '../../store/derive/boundaries.ts';
import { type Parts, splitTasks } from '../../store/derive/parts.ts';
import {
  joinItems,
  readBounds,
  readLoneLogs,
  readTaskTraces,
  readTraces,
} from '../../store/derive/read.ts';
import { param, query, sql } from '../../store/sql.ts';
import { clickhouseTime } from '../time.ts';
import { type DecisionLog, spanKey, type TaskEvidence, type TaskFacts } from './evidence.ts';
import { readLogMessages, withMessages } from './log-messages.ts';
import { readContent, readSpans, type TraceRange } from './rows.ts';

interface TaskRow {
  readonly [column: string]: unknown;
  readonly trace_ids: readonly string[];
  readonly call_traces: readonly string[];
  readonly call_spans: readonly string[];
  readonly call_costs: readonly (number | null)[];
}

/**
 * Everything about one task: its record, its spans and logs by the rules of the derivation (a trace may hold several
 * tasks, a task several traces), and their payload. Undefined when there is no such task.
 */
export async function loadEvidence(
  store: Store,
  project: string,
  id: string,
  now: Date,
): Promise<TaskEvidence | undefined> {
  const row = await readTask(store, project, id, now);
  if (row === undefined) return undefined;
  const parts = await readParts(store, project, id, row.trace_ids);
  const range = rangeOf(row.trace_ids, parts);
  const [spans, content, told] = await Promise.all([
    readSpans(store, project, range),
    readContent(store, project, range),
    readLogMessages(store, project, range),
  ]);
  const own = new Set(parts?.members.map(({ span }) => spanKey(span)));
  return {
    task: factsOf(id, row),
    spans: spans
      .filter((span) => own.has(spanKey(span)))
      .map((span) => withMessages(span, told.get(spanKey(span)))),
    logs: parts?.logs.map(toLog) ?? [],
    calls: new Set(
      parts?.calls.filter(({ aggregate }) => !aggregate).map(({ span }) => spanKey(span)),
    ),
    content,
    costs: costsOf(row),
  };
}

async function readTask(
  store: Store,
  project: string,
  id: string,
  now: Date,
): Promise<TaskRow | undefined> {
  const rows = await query<TaskRow>(
    store,
    sql`SELECT workflow, state, outcome, outcome_source, outcome_score, outcome_reason, cost_usd, duration_ms, model_ms,
        tool_ms, human_wait_ms, trace_ids, calls.trace_id AS call_traces, calls.span_id AS call_spans,
        calls.cost_usd AS call_costs
      FROM task_v(
        project = ${param('String', project)},
        task_id = ${param('String', id)},
        now = ${param('DateTime64(3)', clickhouseTime(now))},
        prices_at = ${param('String', 'as_of_call')})`,
  );
  return rows[0];
}

/** The items of the task, told from those of other tasks on its traces by the derivation's own rules. */
async function readParts(
  store: Store,
  project: string,
  id: string,
  traces: readonly string[],
): Promise<Parts | undefined> {
  const [bounds, seen, boundaries] = await Promise.all([
    readBounds(store, project, traces),
    readTaskTraces(store, project, [id]),
    readBoundaries(store),
  ]);
  const alone = seen.filter(({ trace }) => trace === '');
  const items = joinItems([
    await readTraces(store, project, bounds),
    await readLoneLogs(store, project, new Map(alone.map((lone) => [lone.task, lone.bounds]))),
  ]);
  return splitTasks(items.spans, items.logs, boundaries).find(({ task }) => task === id);
}

/** When the spans of the task started: what bounds every read. */
function rangeOf(traces: readonly string[], parts: Parts | undefined): TraceRange {
  const starts = parts?.members.map(({ span }) => span.start) ?? [];
  const earlier = (a: bigint, b: bigint) => (a < b ? a : b);
  const later = (a: bigint, b: bigint) => (a > b ? a : b);
  const [first = 0n] = starts;
  return { traces, first: starts.reduce(earlier, first), last: starts.reduce(later, first) };
}

function factsOf(id: string, row: TaskRow): TaskFacts {
  const text = (name: string) => (row[name] === '' ? null : (row[name] ?? null)) as string | null;
  const number = (name: string) => (row[name] == null ? null : Number(row[name]));
  return {
    task_id: id,
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

function costsOf({ call_traces, call_spans, call_costs }: TaskRow): Map<string, number | null> {
  const keys = call_spans.map((span_id, i) => spanKey({ trace_id: call_traces[i] ?? '', span_id }));
  return new Map(keys.map((key, i) => [key, call_costs[i] ?? null]));
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
