import type { Store } from '../../store/connection.ts';
import type { Pair } from '../../store/prices/ensure.ts';
import { join, param, query, type Sql, sql } from '../../store/sql.ts';
import { tasksOf } from '../../store/task-view.ts';
import { clickhouseTime } from '../time.ts';
import type { TaskViewRow } from './record.ts';
import { searches } from './search.ts';

/** Which tasks, as of when, at which prices. Times bound `counted_at`, the end of a task or its last signal. */
export interface TaskScope {
  readonly project: string;
  readonly from: Date;
  readonly to: Date;
  readonly now: Date;
  /** `as_of_call`, `today` or an ISO date. */
  readonly prices: string;
  /** Every model call priced as this model; undefined: as what it was. */
  readonly whatIf?: Pair | undefined;
}

export interface TaskFilter {
  readonly workflow?: string | undefined;
  readonly agent?: string | undefined;
  readonly state?: string | undefined;
  readonly outcome?: string | undefined;
  readonly release?: string | undefined;
  readonly model?: string | undefined;
  readonly session?: string | undefined;
  readonly q?: string | undefined;
  readonly traffic: string;
  readonly finding?: string | undefined;
  /** Tasks that failed in the same way (`task_findings.signature`). */
  readonly signature?: string | undefined;
  readonly tool?: string | undefined;
  /** Words in what was said or returned. */
  readonly text?: string | undefined;
  /** A value among the arguments of a call. */
  readonly argument?: string | undefined;
  readonly min_cost_usd?: number | undefined;
  readonly max_cost_usd?: number | undefined;
  readonly min_duration_ms?: number | undefined;
  readonly max_duration_ms?: number | undefined;
}

export const sorts = {
  counted_at: sql`toFloat64(toUnixTimestamp64Micro(toDateTime64(counted_at, 6)))`,
  cost_usd: sql`ifNull(cost_usd_known, 0)`,
  duration_ms: sql`ifNull(duration_ms, 0)`,
  llm_calls: sql`toFloat64(llm_calls)`,
} as const;

export type SortKey = keyof typeof sorts;

export interface Page {
  readonly sort: SortKey;
  readonly descending: boolean;
  readonly limit: number;
  readonly after?: { readonly value: number; readonly task_id: string } | undefined;
}

/** The one view that every number about tasks comes from, for a scope. */
export function tasksIn(scope: TaskScope): Sql {
  return tasksOf({
    project: scope.project,
    only: '',
    from: clickhouseTime(scope.from),
    to: clickhouseTime(scope.to),
    now: clickhouseTime(scope.now),
    prices: scope.prices,
    whatIf: whatIf(scope.whatIf),
  });
}

/** The one view, for the task with this id. */
export function taskIn(project: string, id: string, now: Date, prices: string): Sql {
  return tasksOf({
    project,
    only: id,
    from: '1970-02-02 00:00:00.000',
    to: '2149-01-01 00:00:00.000',
    now: clickhouseTime(now),
    prices,
    whatIf: '',
  });
}

/** The key of the view's price book. */
function whatIf(pair: Pair | undefined): string {
  return pair === undefined ? '' : `${pair.provider}\0${pair.model}`;
}

const models = sql`arrayDistinct(arrayFilter((name, kind) -> kind != 'tool' AND name != '', calls.name, calls.kind))`;
const providers = sql`arrayDistinct(arrayFilter(provider -> provider != '', calls.provider))`;

/** The columns of a task record ({@link TaskViewRow}). */
export const columns = sql`task_id, workflow, agent_path, session_id, user_id, environment, release, prompt_versions,
  agent_version_hash, traffic, ref, parent_id, ${models} AS models, ${providers} AS providers, state, outcome,
  outcome_source, outcome_score, outcome_reason, attempts, started_at, ended_at, last_signal_at, duration_ms, model_ms,
  tool_ms, retrieval_ms, human_wait_ms, rate_limited_ms, queued_ms, ttft_ms, llm_calls, tool_calls, tool_errors,
  handoffs, approvals, escalated, oversized, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens,
  peak_context_tokens, cost_usd, cost_usd_known, unpriced_models, unmetered_calls, cost_usd_reported,
  tool_cost_usd, human_cost_usd, error_message, trace_ids,
  attribution`;

/** Tasks of a scope that pass the filter, one page of them, each with its place in the order as `sort_value`. */
export function findTasks(
  store: Store,
  scope: TaskScope,
  filter: TaskFilter,
  page: Page,
): Promise<TaskViewRow[]> {
  const key = sorts[page.sort];
  const direction = page.descending ? sql`DESC` : sql`ASC`;
  const conditions = [...filters(filter), ...searches(scope, filter), ...after(page, key)];
  return query<TaskViewRow>(
    store,
    sql`SELECT ${columns}, ${key} AS sort_value
      FROM ${tasksIn(scope)}
      WHERE ${conditions.length > 0 ? join(conditions, ' AND ') : sql`1`}
      ORDER BY sort_value ${direction}, task_id ${direction}
      LIMIT ${param('UInt32', page.limit)}`,
  );
}

/** The one task with this id, or undefined. */
export async function findTask(
  store: Store,
  project: string,
  id: string,
  now: Date,
  prices: string,
): Promise<TaskViewRow | undefined> {
  if (!(await isThere(store, project, id))) return undefined;
  const rows = await query<TaskViewRow>(
    store,
    sql`SELECT ${columns} FROM ${taskIn(project, id, now, prices)}`,
  );
  return rows[0];
}

/** Whoever waits for a task asks again and again: this takes a twentieth of asking the view. */
async function isThere(store: Store, project: string, id: string): Promise<boolean> {
  const days = await query(
    store,
    sql`SELECT day FROM task_days WHERE project = ${param('String', project)} AND task_id = ${param('String', id)} LIMIT 1`,
  );
  return days.length > 0;
}

/** Conditions on `tasks_v` for a filter. */
export function filters(filter: TaskFilter): Sql[] {
  const equal: [Sql, string | undefined][] = [
    [sql`workflow`, filter.workflow],
    [sql`state`, filter.state],
    [sql`outcome`, filter.outcome],
    [sql`release`, filter.release],
    [sql`session_id`, filter.session],
    [sql`traffic`, filter.traffic === 'all' ? undefined : filter.traffic],
  ];
  const conditions = equal.flatMap(([column, value]) =>
    value === undefined ? [] : [sql`${column} = ${param('String', value)}`],
  );
  if (filter.agent !== undefined) {
    conditions.push(
      sql`has(splitByChar('>', toString(agent_path)), ${param('String', filter.agent)})`,
    );
  }
  if (filter.model !== undefined)
    conditions.push(sql`has(calls.name, ${param('String', filter.model)})`);
  if (filter.q !== undefined) conditions.push(search(filter.q));
  return conditions;
}

function search(text: string): Sql {
  const needle = param('String', text);
  return sql`(positionCaseInsensitiveUTF8(task_id, ${needle}) > 0
    OR positionCaseInsensitiveUTF8(ref, ${needle}) > 0
    OR positionCaseInsensitiveUTF8(error_message, ${needle}) > 0)`;
}

function after(page: Page, key: Sql): Sql[] {
  if (page.after === undefined) return [];
  const place = sql`(${param('Float64', page.after.value)}, ${param('String', page.after.task_id)})`;
  return [page.descending ? sql`(${key}, task_id) < ${place}` : sql`(${key}, task_id) > ${place}`];
}
