import type { Store } from '../../store/connection.ts';
import { join, param, query, type Sql, sql } from '../../store/sql.ts';
import { usdOf } from '../money.ts';
import { tasksIn } from '../tasks/find.ts';
import { clickhouseTime } from '../time.ts';
import type { Budget } from './settings.ts';

/** What one key has spent of a budget in USD. Where a price is unknown the spend is a lower bound. */
export interface Spend {
  /** '' of a budget for all together. */
  readonly key: string;
  readonly tasks: number;
  readonly spent_usd: number;
  readonly is_lower_bound: boolean;
  readonly unpriced_models: readonly string[];
  readonly used_ratio: number;
  readonly remaining_usd: number;
  /** Spend of the calls begun in the last hour; null under the floor, where it would be chance. */
  readonly rate_usd_per_hour: number | null;
  /** When the rest is spent at this rate; null without a rate, or when it lasts longer than the window. */
  readonly exhausted_at: Date | null;
  /** `warning` from 80 %. `unknown`: within the limit as far as prices are known. */
  readonly state: 'ok' | 'warning' | 'exceeded' | 'unknown';
}

interface Row {
  readonly key: string;
  readonly tasks: string;
  readonly spent: number;
  readonly recent: number;
  readonly partial: number;
  readonly unpriced: readonly string[];
}

const hour = 3_600_000;

const keys: Readonly<Record<Budget['per'], Sql>> = {
  total: sql`''`,
  task: sql`task_id`,
  workflow: sql`toString(workflow)`,
  agent: sql`toString(call_agent)`,
  user: sql`user_id`,
  key: sql`toString(api_key)`,
  session: sql`session_id`,
};

/**
 * Spend against a budget, the most spent first, at most `limit` keys. The numbers are those of `tasks_v`: a task counts
 * in the window in which it ended, an open one at its last signal; agents count their own calls.
 */
export async function spendOf(
  store: Store,
  project: string,
  budget: Budget,
  now: Date,
  limit: number,
): Promise<Spend[]> {
  const from = new Date(now.getTime() - budget.windowMs);
  const perCall = budget.per === 'agent' || budget.agent !== undefined;
  const to = new Date(now.getTime() + 1);
  const tasks = tasksIn({ project, from, to, now, prices: 'as_of_call' });
  const lastHour = sql`${time(new Date(now.getTime() - hour))}`;
  const rows = perCall
    ? sql`SELECT *, call_agent, ifNull(call_cost, 0) AS known, isNull(call_cost) AS is_partial,
        if(call_unpriced = '', [], [call_unpriced]) AS unknown, if(call_start >= ${lastHour}, known, 0) AS recent
      FROM ${tasks} ARRAY JOIN calls.agent AS call_agent, calls.start AS call_start, calls.cost_usd AS call_cost,
        calls.unpriced AS call_unpriced`
    : sql`SELECT *, cost_usd_known AS known, isNull(cost_usd) AS is_partial, unpriced_models AS unknown,
        arraySum(arrayMap((cost, start) -> if(start >= ${lastHour}, ifNull(cost, 0), 0), calls.cost_usd,
          calls.start)) AS recent
      FROM ${tasks}`;
  const found = await query<Row>(
    store,
    sql`SELECT ${keys[budget.per]} AS key, uniqExact(task_id) AS tasks, sumKahan(known) AS spent, sumKahan(recent) AS recent,
        max(is_partial) AS partial, arraySort(groupUniqArrayArray(unknown)) AS unpriced
      FROM (${rows}) WHERE ${conditions(budget)} GROUP BY key
      ORDER BY spent DESC, key LIMIT ${param('UInt32', limit)}`,
  );
  const all = budget.per === 'total' && found.length === 0 ? [nothing] : found;
  return all
    .filter(({ key }) => budget.per === 'total' || key !== '')
    .map((row) => judge(row, budget, now));
}

const nothing: Row = { key: '', tasks: '0', spent: 0, recent: 0, partial: 0, unpriced: [] };

function time(date: Date) {
  return param('DateTime64(3)', clickhouseTime(date));
}

function conditions({ workflow, agent, user, key, traffic }: Budget): Sql {
  const parts = [sql`1`];
  if (traffic !== 'all') parts.push(sql`traffic = ${param('String', traffic)}`);
  if (workflow !== undefined) parts.push(sql`workflow = ${param('String', workflow)}`);
  if (agent !== undefined) parts.push(sql`call_agent = ${param('String', agent)}`);
  if (user !== undefined) parts.push(sql`user_id = ${param('String', user)}`);
  if (key !== undefined) parts.push(sql`api_key = ${param('String', key)}`);
  return join(parts, ' AND ');
}

/** Exported for its maths. */
export function judge(row: Row, budget: Budget, now: Date): Spend {
  const { limit_usd, floor_usd, windowMs } = budget;
  const remaining = Math.max(0, limit_usd - row.spent);
  const rate = row.recent > 0 && row.recent >= floor_usd ? row.recent : null;
  const leftMs = rate === null ? Infinity : (remaining / rate) * hour;
  const ratio = row.spent / limit_usd;
  const partial = row.partial === 1;
  const within = partial ? 'unknown' : ratio >= 0.8 ? 'warning' : 'ok';
  return {
    key: row.key,
    tasks: Number(row.tasks),
    spent_usd: usdOf(row.spent),
    is_lower_bound: partial,
    unpriced_models: row.unpriced,
    used_ratio: ratio,
    remaining_usd: usdOf(remaining),
    rate_usd_per_hour: rate === null ? null : usdOf(rate),
    exhausted_at: leftMs > windowMs ? null : new Date(now.getTime() + leftMs),
    state: row.spent > limit_usd ? 'exceeded' : within,
  };
}
