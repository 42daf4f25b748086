import type { Store } from '../../store/connection.ts';
import { join, param, query, type Sql, sql } from '../../store/sql.ts';
import { filters, type TaskFilter, type TaskScope, tasksIn } from '../tasks/find.ts';

/** One page of a list in order of its key: what comes after `after`, at most `limit`. */
export interface NamePage {
  readonly after: readonly string[] | undefined;
  readonly limit: number;
}

/** Of one workflow: its tasks and how they came out. */
export interface WorkflowRow {
  readonly workflow: string;
  readonly tasks: string;
  readonly successes: string;
  readonly failures: string;
  readonly escalated: string;
  readonly llm_calls: string;
  readonly tool_calls: string;
  readonly tool_errors: string;
  readonly unknown_costs: string;
  readonly cost: number;
  readonly duration_p50: number | null;
  readonly duration_p95: number | null;
  readonly last_at: string;
}

/** Of one tool, or one model of a provider: its calls and what came of them. */
export interface CallRow {
  readonly key: readonly string[];
  readonly tasks: string;
  readonly calls: string;
  readonly errors: string;
  readonly unknown_costs: string;
  readonly cost: number;
  readonly input_tokens: string;
  readonly output_tokens: string;
  readonly duration_p50: number;
  readonly duration_p95: number;
  readonly last_at: string;
}

export type CallKind = 'tool' | 'model';

/** The workflows of the tasks in a scope. */
export function workflowRows(
  store: Store,
  scope: TaskScope,
  filter: TaskFilter,
  { after, limit }: NamePage,
): Promise<WorkflowRow[]> {
  const [last] = after ?? [];
  const beyond = last === undefined ? [] : [sql`workflow > ${param('String', last)}`];
  return query<WorkflowRow>(
    store,
    sql`SELECT toString(workflow) AS workflow, count() AS tasks, countIf(outcome = 'success') AS successes,
        countIf(outcome = 'failure') AS failures, countIf(escalated) AS escalated, sum(llm_calls) AS llm_calls,
        sum(tool_calls) AS tool_calls, sum(tool_errors) AS tool_errors, countIf(isNull(cost_usd)) AS unknown_costs,
        sumKahan(cost_usd_known) AS cost, ${quantiles(sql`duration_ms`)}, max(last_signal_at) AS last_at
      FROM ${tasksIn(scope)}
      WHERE ${every([...filters(filter), ...beyond])}
      GROUP BY workflow ORDER BY workflow LIMIT ${param('UInt32', limit)}`,
  );
}

/** The tools, or the models by provider, that the tasks in a scope called. */
export function callRows(
  store: Store,
  kind: CallKind,
  scope: TaskScope,
  filter: TaskFilter,
  { after, limit }: NamePage,
): Promise<CallRow[]> {
  const tools = kind === 'tool';
  const key = tools
    ? sql`[toString(call_name)]`
    : sql`[toString(call_name), toString(call_provider)]`;
  const beyond = after === undefined ? [] : [sql`key > ${param('Array(String)', after)}`];
  return query<CallRow>(
    store,
    sql`SELECT ${key} AS key, uniqExact(task_id) AS tasks, count() AS calls, countIf(call_error != '') AS errors,
        countIf(isNull(${tools ? sql`tool_cost_usd` : sql`call_cost`})) AS unknown_costs,
        sumKahan(ifNull(${tools ? sql`call_rate` : sql`call_cost`}, 0)) AS cost,
        sum(ifNull(call_input, 0)) AS input_tokens, sum(ifNull(call_output, 0)) AS output_tokens,
        ${quantiles(sql`call_duration`)}, max(call_start) AS last_at
      FROM ${tasksIn(scope)}
      ARRAY JOIN calls.kind AS call_kind, calls.name AS call_name, calls.provider AS call_provider,
        calls.error_by AS call_error, calls.cost_usd AS call_cost, calls.rate_usd AS call_rate,
        calls.input_tokens AS call_input, calls.output_tokens AS call_output, calls.duration_ms AS call_duration,
        calls.start AS call_start
      WHERE ${every([...filters(filter), tools ? sql`call_kind = 'tool'` : sql`call_kind != 'tool'`, ...beyond])}
      GROUP BY key ORDER BY key LIMIT ${param('UInt32', limit)}`,
  );
}

function every(conditions: readonly Sql[]): Sql {
  return conditions.length === 0 ? sql`1` : join(conditions, ' AND ');
}

function quantiles(value: Sql): Sql {
  return sql`quantileExact(0.5)(${value}) AS duration_p50, quantileExact(0.95)(${value}) AS duration_p95`;
}
