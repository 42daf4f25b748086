import { type Sql, sql } from '../../store/sql.ts';
import { spanKey, type TaskFacts } from './evidence.ts';

/** A row of the one view, as far as decisions and findings need it. */
export type TaskRow = Readonly<Record<string, unknown>> & {
  readonly task_id: string;
  /** Days since 1970. */
  readonly day_number: number;
  readonly started_ns: string;
  readonly spans: number;
  readonly trace_ids: readonly string[];
  readonly call_traces: readonly string[];
  readonly call_spans: readonly string[];
  readonly call_costs: readonly (number | null)[];
};

/** The columns of a {@link TaskRow} but the calls, which are long in a large task. */
export const factColumns: Sql = sql`task_id, toUInt16(day) AS day_number, ver, workflow, state, outcome, outcome_source,
  outcome_score, outcome_reason, cost_usd, cost_usd_known, duration_ms, model_ms, tool_ms, human_wait_ms, rate_limited_ms, spans,
  trace_ids, toUnixTimestamp64Nano(started_at) AS started_ns,
  cityHash64(arrayMap(cost -> ifNull(cost, -1), calls.cost_usd)) AS costs_hash`;

/** The columns of a {@link TaskRow}. */
export const taskColumns: Sql = sql`${factColumns}, calls.trace_id AS call_traces, calls.span_id AS call_spans,
  calls.cost_usd AS call_costs`;

export function factsOf(row: TaskRow): TaskFacts {
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

/** USD of the counted calls by {@link spanKey}. */
export function costsOf({ call_traces, call_spans, call_costs }: TaskRow) {
  const keys = call_spans.map((span_id, i) => spanKey({ trace_id: call_traces[i] ?? '', span_id }));
  return new Map(keys.map((key, i) => [key, call_costs[i] ?? null]));
}
