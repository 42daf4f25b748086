import type { Store } from '../../store/connection.ts';
import { empty, join, param, query, type Sql, sql } from '../../store/sql.ts';
import { filters, tasksIn } from '../tasks/find.ts';
import type { Count, Counts } from './burn.ts';
import type { QuotaObjective, RatioIndicator, RatioObjective } from './objectives.ts';
import { windowsFor } from './policies.ts';
import { quotaWindows, type Spend, type Spends } from './quota.ts';

/** Which tasks an evaluation sees: everything counted up to `through`. */
export interface Evaluation {
  readonly project: string;
  readonly workflow?: string | undefined;
  readonly traffic: string;
  readonly through: Date;
}

/** The events of one workflow for one objective. */
export interface WorkflowCounts {
  readonly workflow: string;
  readonly counts: Counts;
  readonly tasks: number;
  readonly tasksBad: number;
  /** Variance inflation of the error ratio by events of one task failing together, over the whole window; at least 1. */
  readonly designEffect: number;
}

interface CountRow {
  readonly workflow: string;
  readonly slo: number;
  readonly valid: readonly number[];
  readonly bad: readonly number[];
  readonly counted: number;
  readonly tasks_bad: number;
  readonly valid_squares: number;
  readonly bad_squares: number;
  readonly products: number;
}

interface SpendRow {
  readonly workflow: string;
  readonly counted: readonly number[];
  readonly decided: readonly number[];
  readonly successes: readonly number[];
  readonly unpriced: readonly number[];
  readonly cost: readonly number[];
  readonly cost_squares: readonly number[];
  readonly cost_of_successes: readonly number[];
}

/** More workflows than this are not judged one by one. */
const MAX_WORKFLOWS = 1_000;

const DAY_MS = 86_400_000;

// A task that still runs has broken its time limit already: it counts now, and where it ends once it ends.
const open = sql`state IN ('running', 'waiting_for_approval')`;
// Once its root has ended a task waits only for late spans: that wait is not the task's.
const elapsed = sql`toFloat64(dateDiff('millisecond', started_at,
  if(state = 'abandoned' OR (isNull(duration_ms) AND NOT root_ended), through, toDateTime64(counted_at, 3, 'UTC'))))`;

interface Events {
  readonly valid: Sql;
  readonly bad: Sql;
  /** Whether an open task's events happen now instead of at its last signal. */
  readonly now: boolean;
}

/** The SLI of every ratio indicator, as numbers of events per task: the one place where they are defined. */
function events(indicator: RatioIndicator, thresholdMs: number | null): Events {
  const limit = param('Float64', thresholdMs ?? 0);
  switch (indicator) {
    case 'task_success_rate':
      return {
        valid: sql`toFloat64(outcome IN ('success', 'failure'))`,
        bad: sql`toFloat64(outcome = 'failure')`,
        now: false,
      };
    case 'p95_time_to_first_token':
      return {
        valid: sql`toFloat64(arrayCount((kind, ttft) -> kind = 'llm' AND isNotNull(ttft), calls.kind, calls.ttft_ms))`,
        bad: sql`toFloat64(arrayCount((kind, ttft) -> kind = 'llm' AND ifNull(ttft >= ${limit}, 0), calls.kind, calls.ttft_ms))`,
        now: false,
      };
    // Errors are not fast successes: a failed task counts only once it was too slow as well.
    case 'p95_time_to_completion':
      return {
        valid: sql`toFloat64(state = 'done' OR (state IN ('running', 'waiting_for_approval', 'failed', 'abandoned') AND ${elapsed} >= ${limit}))`,
        bad: sql`toFloat64(state NOT IN ('queued', 'cancelled') AND ${elapsed} >= ${limit})`,
        now: true,
      };
    case 'tool_call_error_rate':
      return {
        valid: sql`toFloat64(countEqual(calls.kind, 'tool'))`,
        bad: sql`toFloat64(arrayCount((kind, error) -> kind = 'tool' AND error != '', calls.kind, calls.error_by))`,
        now: false,
      };
    case 'human_escalation_rate':
      return {
        valid: sql`toFloat64(state IN ('done', 'failed', 'cancelled'))`,
        bad: sql`toFloat64(state IN ('done', 'failed', 'cancelled') AND escalated)`,
        now: false,
      };
  }
}

/** Counts of every objective per workflow, over all windows in one pass. */
export async function countEvents(
  store: Store,
  objectives: readonly RatioObjective[],
  evaluation: Evaluation,
): Promise<ReadonlyMap<RatioObjective, readonly WorkflowCounts[]>> {
  if (objectives.length === 0) return new Map();
  const windows = union(objectives.map(({ windowDays }) => windowsFor(windowDays)));
  const days = Math.max(...objectives.map(({ windowDays }) => windowDays));
  const rows = await query<CountRow>(
    store,
    sql`SELECT name AS workflow, e.slo AS slo,
        ${perWindow(sql`e.valid`, windows)} AS valid,
        ${perWindow(sql`e.bad`, windows)} AS bad,
        toFloat64(countIf(e.valid > 0 AND e.age < e.whole)) AS counted,
        toFloat64(countIf(e.bad > 0 AND e.age < e.whole)) AS tasks_bad,
        sumIf(e.valid * e.valid, e.age < e.whole) AS valid_squares,
        sumIf(e.bad * e.bad, e.age < e.whole) AS bad_squares,
        sumIf(e.valid * e.bad, e.age < e.whole) AS products
      FROM (
        SELECT toString(workflow) AS name, [${join(
          objectives.map((objective, i) => eventTuple(objective, i, evaluation)),
          ', ',
        )}] AS events
        FROM (${rowsOf(evaluation, days)})
      )
      ARRAY JOIN events AS e
      GROUP BY name, e.slo
      HAVING counted > 0
      ORDER BY counted DESC, name
      LIMIT ${param('UInt32', MAX_WORKFLOWS)} BY slo`,
  );
  return new Map(
    objectives.map((objective, i) => [
      objective,
      rows.filter(({ slo }) => slo === i).map((row) => toCounts(row, windows, objective)),
    ]),
  );
}

function eventTuple(objective: RatioObjective, i: number, evaluation: Evaluation): Sql {
  const { valid, bad, now } = events(objective.indicator, objective.thresholdMs);
  const type = 'Tuple(slo UInt16, valid Float64, bad Float64, age Float64, whole Float64)';
  const whole = objective.windowDays * 86_400;
  return sql`CAST((${param('UInt16', i)}, ${valid}, ${bad}, ${age(evaluation, now)}, ${param('Float64', whole)}),
    ${param('String', type)})`;
}

function union(lists: readonly (readonly number[])[]): number[] {
  return [...new Set(lists.flat())].sort((a, b) => a - b);
}

/** Money and successes per workflow, over all windows of a quota in one pass. */
export async function sumSpend(
  store: Store,
  objectives: readonly QuotaObjective[],
  evaluation: Evaluation,
): Promise<{ readonly workflow: string; readonly spends: Spends }[]> {
  if (objectives.length === 0) return [];
  const windows = union(objectives.map(({ windowDays }) => quotaWindows(windowDays)));
  const days = Math.max(...objectives.map(({ windowDays }) => windowDays));
  const rows = await query<SpendRow>(
    store,
    sql`SELECT e.workflow AS workflow,
        ${perWindow(sql`1.`, windows)} AS counted,
        ${perWindow(sql`e.decided`, windows)} AS decided,
        ${perWindow(sql`e.success`, windows)} AS successes,
        ${perWindow(sql`e.unpriced`, windows)} AS unpriced,
        ${perWindow(sql`e.cost`, windows)} AS cost,
        ${perWindow(sql`e.cost * e.cost`, windows)} AS cost_squares,
        ${perWindow(sql`e.cost * e.success`, windows)} AS cost_of_successes
      FROM (
        SELECT toString(workflow) AS workflow, toFloat64(outcome IN ('success', 'failure')) AS decided,
          toFloat64(outcome = 'success') AS success, toFloat64(isNull(cost_usd)) AS unpriced,
          cost_usd_known AS cost, ${age(evaluation, false)} AS age
        FROM (${rowsOf(evaluation, days)})
      ) AS e
      GROUP BY e.workflow
      ORDER BY e.workflow
      LIMIT ${param('UInt32', MAX_WORKFLOWS)}`,
  );
  return rows.map((row) => ({ workflow: row.workflow, spends: toSpends(row, windows) }));
}

function rowsOf(evaluation: Evaluation, windowDays: number): Sql {
  const { project, workflow, traffic, through } = evaluation;
  const scope = {
    project,
    from: new Date(through.getTime() - windowDays * DAY_MS),
    to: new Date(through.getTime() + 1),
    now: through,
    prices: 'as_of_call',
  };
  const conditions = filters({ workflow, traffic });
  return sql`SELECT *, ${param('DateTime64(3)', through)} AS through FROM ${tasksIn(scope)}
    ${conditions.length > 0 ? sql`WHERE ${join(conditions, ' AND ')}` : empty}`;
}

/** Seconds since the event counted. */
function age({ through }: Evaluation, now: boolean): Sql {
  const since = sql`dateDiff('millisecond', counted_at, ${param('DateTime64(3)', through)}) / 1000`;
  return now ? sql`if(${open}, 0, ${since})` : since;
}

function perWindow(value: Sql, windows: readonly number[]): Sql {
  return sql`sumForEach(arrayMap(w -> if(e.age < w, ${value}, 0.), ${param('Array(UInt32)', windows)}))`;
}

function toCounts(
  row: CountRow,
  windows: readonly number[],
  { windowDays }: RatioObjective,
): WorkflowCounts {
  const own = new Set(windowsFor(windowDays));
  const counts = new Map<number, Count>();
  for (const [i, seconds] of windows.entries()) {
    if (own.has(seconds)) counts.set(seconds, { valid: row.valid[i] ?? 0, bad: row.bad[i] ?? 0 });
  }
  return {
    workflow: row.workflow,
    counts,
    tasks: row.counted,
    tasksBad: row.tasks_bad,
    designEffect: clusterInflation(row, counts.get(windowDays * 86_400)),
  };
}

function clusterInflation(row: CountRow, whole: Count | undefined): number {
  if (whole === undefined || row.counted < 2 || whole.bad === 0 || whole.bad === whole.valid)
    return 1;
  const ratio = whole.bad / whole.valid;
  const squares = row.bad_squares - 2 * ratio * row.products + ratio * ratio * row.valid_squares;
  const variance = (Math.max(0, squares) * row.counted) / (row.counted - 1);
  return Math.max(1, variance / (whole.valid * ratio * (1 - ratio)));
}

function toSpends(row: SpendRow, windows: readonly number[]): Spends {
  return new Map<number, Spend>(
    windows.map((seconds, i) => [
      seconds,
      {
        tasks: row.counted[i] ?? 0,
        decided: row.decided[i] ?? 0,
        successes: row.successes[i] ?? 0,
        unpriced: row.unpriced[i] ?? 0,
        cost: row.cost[i] ?? 0,
        costSquares: row.cost_squares[i] ?? 0,
        costOfSuccesses: row.cost_of_successes[i] ?? 0,
      },
    ]),
  );
}
