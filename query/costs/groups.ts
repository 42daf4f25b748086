import type { Store } from '../../store/connection.ts';
import { join, param, query, type Sql, sql } from '../../store/sql.ts';
import { usdOf } from '../money.ts';
import { filters, type TaskFilter, type TaskScope, tasksIn } from '../tasks/find.ts';

/**
 * What a group is made of. Groups over whole tasks add up to the total. Groups over calls (model, provider, agent,
 * tool) hold the cost of their calls and the tasks that touch them, so a task counts in several: they do not add up.
 */
interface Grouping {
  readonly by: 'task' | 'call';
  readonly key: Sql;
  /** Which calls the group is about. */
  readonly only?: Sql;
}

export const groupings = {
  workflow: { by: 'task', key: sql`workflow` },
  release: { by: 'task', key: sql`release` },
  user: { by: 'task', key: sql`user_id` },
  api_key: { by: 'task', key: sql`toString(api_key)` },
  session: { by: 'task', key: sql`session_id` },
  outcome: { by: 'task', key: sql`toString(outcome)` },
  agent_version: { by: 'task', key: sql`agent_version_hash` },
  prompt: { by: 'task', key: sql`arrayStringConcat(arraySort(prompt_versions), ' ')` },
  model: { by: 'call', key: sql`call_name`, only: sql`call_kind != 'tool'` },
  provider: { by: 'call', key: sql`call_provider`, only: sql`call_kind != 'tool'` },
  agent: { by: 'call', key: sql`call_agent` },
  tool: { by: 'call', key: sql`call_name`, only: sql`call_kind = 'tool'` },
} as const satisfies Readonly<Record<string, Grouping>>;

export type GroupBy = keyof typeof groupings;

/**
 * Money of one group in USD. `cost_usd` is null if a model has no price (`unpriced_models`) or a call no usage
 * (`unmetered_calls`); `cost_usd_known` is its lower bound.
 */
export interface CostGroup {
  readonly key: Readonly<Record<string, string | null>>;
  readonly tasks: number;
  readonly successes: number;
  readonly failures: number;
  readonly cost_usd: number | null;
  readonly cost_usd_known: number;
  readonly cost_per_task_usd: number | null;
  readonly cost_per_success_usd: number | null;
  readonly wasted_usd: number;
  readonly cost_usd_reported: number | null;
  /** Reported less computed, over the calls that have both; null where none has. */
  readonly reported_difference_usd: number | null;
  /** Tasks with a verdict: without one a task is neither success nor failure. Null without tasks. */
  readonly label_coverage_ratio: number | null;
  /** What the costs above include beside models; null where it was not asked for. */
  readonly tool_cost_usd: number | null;
  readonly human_cost_usd: number | null;
  readonly overhead_usd: number | null;
  readonly unpriced_models: readonly string[];
  readonly unmetered_calls: number;
}

/** What costs include beside models. */
export const included = ['tools', 'human', 'overheads'] as const;
export type Included = (typeof included)[number];

interface GroupRow {
  readonly key: readonly string[];
  readonly tasks: string;
  readonly successes: string;
  readonly failures: string;
  readonly unknown: string;
  readonly known: number;
  readonly wasted: number;
  readonly reported: number | null;
  readonly difference: number | null;
  readonly tools: number;
  readonly human: number;
  readonly unpriced: readonly string[];
  readonly unmetered: string;
}

/** Costs of the tasks in a scope, grouped; the most expensive group first. */
export async function costGroups(
  store: Store,
  scope: TaskScope,
  filter: TaskFilter,
  by: readonly GroupBy[],
  include: readonly Included[],
  limit: number,
): Promise<CostGroup[]> {
  const perCall = !additive(by);
  const rows = await query<GroupRow>(
    store,
    sql`SELECT ${keys(by)} AS key,
        uniqExact(task_id) AS tasks,
        uniqExactIf(task_id, outcome = 'success') AS successes,
        uniqExactIf(task_id, outcome = 'failure') AS failures,
        countIf(isNull(cost)) AS unknown,
        sumKahan(known_cost) AS known,
        sumKahan(wasted_cost) AS wasted,
        sumKahanOrNull(reported_cost) AS reported,
        sumKahanOrNull(reported_less_computed) AS difference,
        sumKahan(tool_part) AS tools,
        sumKahan(human_part) AS human,
        arraySort(groupUniqArrayArray(unpriced)) AS unpriced,
        sum(unmetered) AS unmetered
      FROM (${perCall ? callRows(scope, filter, by, include) : taskRows(scope, filter, include)})
      GROUP BY key
      ORDER BY known + tools + human DESC, key
      LIMIT ${param('UInt32', limit)}`,
  );
  if (!include.includes('overheads')) return rows.map((row) => toGroup(row, by, include, null));
  const overheads = await readOverheads(store, scope, filter.workflow, by.includes('workflow'));
  const known = new Set(rows.map(({ key }) => key[0] ?? ''));
  const bare = [...overheads.keys()].filter((key) => !known.has(key)).map(bareRow);
  return [...rows, ...bare]
    .map((row) => toGroup(row, by, include, overheads.get(row.key[0] ?? '') ?? 0))
    .sort((a, b) => b.cost_usd_known - a.cost_usd_known);
}

/** A workflow that only overheads were paid for. */
function bareRow(key: string): GroupRow {
  const none = { tasks: '0', successes: '0', failures: '0', unknown: '0', unmetered: '0' };
  const nothing = { known: 0, wasted: 0, reported: null, difference: null, tools: 0, human: 0 };
  return { key: [key], ...none, ...nothing, unpriced: [] };
}

/** Overheads by workflow, or all under '': of each as much as its time lies in the range. */
async function readOverheads(
  store: Store,
  { project, from, to, now }: TaskScope,
  workflow: string | undefined,
  byWorkflow: boolean,
): Promise<Map<string, number>> {
  const end = to < now ? to : now;
  const rows = await query<{ name: string; usd: number; first: string; last: string }>(
    store,
    sql`SELECT name, usd, toUnixTimestamp64Milli(valid_from) AS first, toUnixTimestamp64Milli(assumeNotNull(valid_to)) AS last
      FROM rates FINAL
      WHERE project IN ('*', ${param('String', project)}) AND kind = 'overhead'
      ORDER BY name, label, valid_from, origin, project`,
  );
  const sums = new Map<string, number>();
  for (const { name, usd, first, last } of rows) {
    if (workflow !== undefined && name !== workflow) continue;
    const within = Math.min(end.getTime(), Number(last)) - Math.max(from.getTime(), Number(first));
    if (within <= 0) continue;
    const key = byWorkflow ? name : '';
    const part = (usd * within) / (Number(last) - Number(first));
    sums.set(key, (sums.get(key) ?? 0) + part);
  }
  return sums;
}

/** Whether the groups add up to the total. */
export function additive(by: readonly GroupBy[]): boolean {
  return by.every((name) => groupings[name].by === 'task');
}

function keys(by: readonly GroupBy[]): Sql {
  const parts = by.map((name) => sql`toString(${groupings[name].key})`);
  const [first = sql`''`, ...rest] = parts;
  return sql`[${rest.reduce((list, part) => sql`${list}, ${part}`, first)}]`;
}

const none = sql`0.`;

// Wasted: everything spent on a task that failed or was abandoned, and the failed attempts of one that succeeded.
const lost = sql`(state IN ('failed', 'abandoned') OR outcome = 'failure')`;

function taskRows(scope: TaskScope, filter: TaskFilter, include: readonly Included[]): Sql {
  const tools = include.includes('tools');
  return sql`SELECT *, cost_usd AS cost, cost_usd_known AS known_cost, cost_usd_reported AS reported_cost,
      if(arrayExists(one -> one IS NOT NULL, reported_less) , arraySum(one -> ifNull(one, 0), reported_less), NULL)
        AS reported_less_computed,
      arrayMap((told, price) -> told - price, calls.cost_reported, calls.cost_usd) AS reported_less,
      unpriced_models AS unpriced, unmetered_calls AS unmetered,
      ${tools ? sql`ifNull(tool_cost_usd, 0)` : none} AS tool_part,
      ${include.includes('human') ? sql`ifNull(human_cost_usd, 0)` : none} AS human_part,
      if(${lost}, cost_usd_known + tool_part + human_part, arraySum(arrayMap(
        (price, rate, attempt) -> if(attempt < attempts, ifNull(price, 0) + ${tools ? sql`rate` : none}, 0),
        calls.cost_usd, calls.rate_usd, calls.attempt))) AS wasted_cost
    FROM ${tasksIn(scope)} WHERE ${where(filter)}`;
}

function callRows(
  scope: TaskScope,
  filter: TaskFilter,
  by: readonly GroupBy[],
  include: readonly Included[],
): Sql {
  const only = by.flatMap((name) => {
    const grouping: Grouping = groupings[name];
    return grouping.only === undefined ? [] : [grouping.only];
  });
  return sql`SELECT *, call_kind, call_name, call_provider, call_agent, call_cost AS cost,
      ifNull(call_cost, 0) AS known_cost, call_reported AS reported_cost,
      call_reported - call_cost AS reported_less_computed,
      if(call_unpriced = '', [], [call_unpriced]) AS unpriced,
      isNull(call_cost) AND call_unpriced = '' AS unmetered,
      ${include.includes('tools') ? sql`call_rate` : none} AS tool_part, ${none} AS human_part,
      if(${lost} OR call_attempt < attempts, known_cost + tool_part, 0) AS wasted_cost
    FROM ${tasksIn(scope)}
    ARRAY JOIN calls.kind AS call_kind, calls.name AS call_name, calls.provider AS call_provider,
      calls.agent AS call_agent, calls.attempt AS call_attempt, calls.cost_usd AS call_cost,
      calls.rate_usd AS call_rate, calls.cost_reported AS call_reported, calls.unpriced AS call_unpriced
    WHERE ${join([where(filter), ...only], ' AND ')}`;
}

function where(filter: TaskFilter): Sql {
  return filters(filter).reduce((all, condition) => sql`${all} AND ${condition}`, sql`1`);
}

function toGroup(
  row: GroupRow,
  by: readonly GroupBy[],
  include: readonly Included[],
  overhead: number | null,
): CostGroup {
  const tasks = Number(row.tasks);
  const successes = Number(row.successes);
  const known = usdOf(row.known + row.tools + row.human + (overhead ?? 0));
  const cost = Number(row.unknown) > 0 ? null : known;
  return {
    key: Object.fromEntries(
      by.map((name, i) => [name, row.key[i] === '' ? null : (row.key[i] ?? null)]),
    ),
    tasks,
    successes,
    failures: Number(row.failures),
    cost_usd: cost,
    cost_usd_known: known,
    cost_per_task_usd: cost === null || tasks === 0 ? null : cost / tasks,
    cost_per_success_usd: cost === null || successes === 0 ? null : cost / successes,
    wasted_usd: usdOf(row.wasted),
    cost_usd_reported: row.reported === null ? null : usdOf(row.reported),
    reported_difference_usd: row.difference === null ? null : usdOf(row.difference),
    label_coverage_ratio: tasks === 0 ? null : (successes + Number(row.failures)) / tasks,
    tool_cost_usd: include.includes('tools') ? usdOf(row.tools) : null,
    human_cost_usd: include.includes('human') && additive(by) ? usdOf(row.human) : null,
    overhead_usd: overhead === null ? null : usdOf(overhead),
    unpriced_models: row.unpriced,
    unmetered_calls: Number(row.unmetered),
  };
}
