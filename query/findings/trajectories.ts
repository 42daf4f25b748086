import type { Store } from '../../store/connection.ts';
import { param, query, sql } from '../../store/sql.ts';
import type { TaskFilter, TaskScope } from '../tasks/find.ts';
import { isBase, judgedTasks, keyArray, type TaskKeyName, taskKeys } from './groups.ts';

export type TrajectoryKeyName = Exclude<TaskKeyName, 'signature'>;

export const trajectoryKeys = Object.keys(taskKeys).filter(isBase);

/** Sums over judged tasks; see `measures.ts` for what each counts. */
interface Sums {
  readonly tasks: string;
  readonly successes: string;
  readonly decisions: string;
  readonly model_calls: string;
  readonly tool_calls: string;
  readonly unnecessary_calls: string;
  readonly judged_arguments: string;
  readonly invalid_arguments: string;
  readonly blocked_calls: string;
  readonly handoffs: string;
  readonly failed_handoffs: string;
  readonly known_results: string;
  readonly unused_results: string;
  readonly order_rules: string;
  readonly broken_order_rules: string;
  readonly planned_steps: string;
  readonly followed_steps: string;
  readonly iterations_mean: number | null;
  readonly context_mean: number | null;
  readonly context_max: number | null;
  readonly decisions_p50: number | null;
  readonly decisions_p95: number | null;
}

const sums = sql`count() AS tasks, countIf(t.outcome = 'success') AS successes,
  sum(f.decisions) AS decisions, sum(f.model_calls) AS model_calls, sum(f.tool_calls) AS tool_calls,
  sum(f.unnecessary_calls) AS unnecessary_calls, sum(f.judged_arguments) AS judged_arguments,
  sum(f.invalid_arguments) AS invalid_arguments, sum(f.blocked_calls) AS blocked_calls, sum(f.handoffs) AS handoffs,
  sum(f.failed_handoffs) AS failed_handoffs, sum(f.known_results) AS known_results,
  sum(f.unused_results) AS unused_results, sum(f.order_rules) AS order_rules,
  sum(f.broken_order_rules) AS broken_order_rules, sum(f.planned_steps) AS planned_steps,
  sum(f.followed_steps) AS followed_steps, avg(f.iterations) AS iterations_mean,
  avg(f.peak_context_ratio) AS context_mean, max(f.peak_context_ratio) AS context_max,
  quantileExact(0.5)(f.decisions) AS decisions_p50, quantileExact(0.95)(f.decisions) AS decisions_p95`;

/** How tasks of a group went: ratios of sums, so that a long task weighs what it is. */
export interface TrajectoryGroup {
  readonly key: Readonly<Record<string, string | null>>;
  readonly tasks: number;
  readonly successes: number;
  readonly decisions_per_task: number;
  readonly decisions_p50: number | null;
  readonly decisions_p95: number | null;
  readonly model_calls_per_task: number;
  readonly tool_calls_per_task: number;
  readonly iterations_per_task: number | null;
  readonly unnecessary_call_ratio: number | null;
  readonly invalid_argument_ratio: number | null;
  readonly blocked_action_ratio: number | null;
  readonly handoff_failure_ratio: number | null;
  readonly unused_result_ratio: number | null;
  readonly broken_expectation_ratio: number | null;
  /** Steps of declared plans that were followed, over those that name a tool. */
  readonly plan_adherence_ratio: number | null;
  readonly peak_context_ratio_mean: number | null;
  readonly peak_context_ratio_max: number | null;
  /** Calls of the best success of each task's workflow over the task's own, over successes; 1 is as good as the best. */
  readonly efficiency_ratio: number | null;
}

export async function trajectoryGroups(
  store: Store,
  scope: TaskScope,
  filter: TaskFilter,
  by: readonly TrajectoryKeyName[],
  limit: number,
): Promise<TrajectoryGroup[]> {
  const rows = await query<Sums & { key: string[]; efficiency: number | null }>(
    store,
    sql`WITH best AS (
        SELECT t.workflow AS workflow, min(f.model_calls + f.tool_calls) AS calls
        ${judgedTasks(scope, filter)}
        WHERE f.task_id != '' AND t.outcome = 'success' AND f.model_calls > 0
        GROUP BY workflow)
      SELECT ${keyArray(by.map((name) => taskKeys[name]))} AS key, ${sums},
        avgIf(best.calls / (f.model_calls + f.tool_calls), t.outcome = 'success' AND f.model_calls > 0) AS efficiency
      ${judgedTasks(scope, filter)}
      LEFT JOIN best ON best.workflow = t.workflow
      WHERE f.task_id != ''
      GROUP BY key
      ORDER BY tasks DESC, key
      LIMIT ${param('UInt32', limit)}`,
  );
  return rows.map((row) => toGroup(row, by));
}

function ratio(part: string, whole: string): number | null {
  return Number(whole) === 0 ? null : Number(part) / Number(whole);
}

function toGroup(
  row: Sums & { readonly key: readonly string[]; readonly efficiency: number | null },
  by: readonly TrajectoryKeyName[],
): TrajectoryGroup {
  const perTask = (sum: string) => ratio(sum, row.tasks) ?? 0;
  return {
    key: Object.fromEntries(by.map((name, i) => [name, row.key[i] || null])),
    tasks: Number(row.tasks),
    successes: Number(row.successes),
    decisions_per_task: perTask(row.decisions),
    decisions_p50: row.decisions_p50,
    decisions_p95: row.decisions_p95,
    model_calls_per_task: perTask(row.model_calls),
    tool_calls_per_task: perTask(row.tool_calls),
    iterations_per_task: row.iterations_mean,
    unnecessary_call_ratio: ratio(row.unnecessary_calls, row.tool_calls),
    invalid_argument_ratio: ratio(row.invalid_arguments, row.judged_arguments),
    blocked_action_ratio: ratio(row.blocked_calls, row.tool_calls),
    handoff_failure_ratio: ratio(row.failed_handoffs, row.handoffs),
    unused_result_ratio: ratio(row.unused_results, row.known_results),
    broken_expectation_ratio: ratio(row.broken_order_rules, row.order_rules),
    plan_adherence_ratio: ratio(row.followed_steps, row.planned_steps),
    peak_context_ratio_mean: row.context_mean,
    peak_context_ratio_max: row.context_max,
    efficiency_ratio: row.efficiency,
  };
}
