import type { Store } from '../../store/connection.ts';
import { param, query, sql } from '../../store/sql.ts';
import { usdOf } from '../money.ts';
import { wilson } from '../statistics/proportions.ts';
import type { TaskFilter, TaskScope } from '../tasks/find.ts';
import {
  type FindingKeyName,
  findingKeys,
  findingTuples,
  isBase,
  judgedTasks,
  keyArray,
  type TaskKeyName,
  taskKeys,
} from './groups.ts';

export type RateKeyName = TaskKeyName | FindingKeyName;

/** How often something was found, among the judged tasks of its workflow, release and so on. */
export interface RateGroup {
  readonly key: Readonly<Record<string, string | null>>;
  /** Tasks with it, and how they came out. */
  readonly tasks: number;
  readonly successes: number;
  readonly failures: number;
  readonly occurrences: number;
  readonly tasks_judged: number;
  readonly rate: number;
  /** Wilson, 95 %. */
  readonly rate_low: number;
  readonly rate_high: number;
  readonly cost_usd_known: number;
  /** Failed ones first, then the newest. */
  readonly example_task_ids: readonly string[];
}

export interface Rates {
  readonly groups: readonly RateGroup[];
  readonly tasks_judged: number;
  readonly tasks_unjudged: number;
}

interface HitRow {
  readonly key: readonly string[];
  readonly tasks: string;
  readonly successes: string;
  readonly failures: string;
  readonly occurrences: string;
  readonly cost: number;
  readonly examples: readonly (readonly [number, string, string])[];
}

/**
 * Rates of findings by group, the most frequent first. Without a key of findings (finding, severity, tool) a group
 * counts the tasks with anything found beyond what is only worth knowing. `filter.finding` narrows what is counted, not
 * the tasks that it is counted among.
 */
export async function findingRates(
  store: Store,
  scope: TaskScope,
  { finding, ...filter }: TaskFilter,
  by: readonly RateKeyName[],
  limit: number,
): Promise<Rates> {
  const base = by.filter(isBase);
  const [bases, hits] = await Promise.all([
    readBases(store, scope, filter, base),
    readHits(store, scope, filter, by, finding, limit),
  ]);
  const place = base.map((name) => by.indexOf(name));
  return {
    groups: hits.map((row) => {
      const own = JSON.stringify(place.map((i) => row.key[i]));
      return toGroup(row, by, Math.max(bases.judged.get(own) ?? 0, Number(row.tasks)));
    }),
    tasks_judged: [...bases.judged.values()].reduce((sum, n) => sum + n, 0),
    tasks_unjudged: bases.unjudged,
  };
}

async function readBases(
  store: Store,
  scope: TaskScope,
  filter: TaskFilter,
  by: readonly Exclude<TaskKeyName, 'signature'>[],
) {
  const rows = await query<{ key: string[]; judged: string; unjudged: string }>(
    store,
    sql`SELECT ${keyArray(by.map((name) => taskKeys[name]))} AS key, countIf(f.task_id != '') AS judged,
        countIf(f.task_id = '') AS unjudged
      ${judgedTasks(scope, filter)}
      GROUP BY key`,
  );
  return {
    judged: new Map(rows.map(({ key, judged }) => [JSON.stringify(key), Number(judged)])),
    unjudged: rows.reduce((sum, { unjudged }) => sum + Number(unjudged), 0),
  };
}

function readHits(
  store: Store,
  scope: TaskScope,
  filter: TaskFilter,
  by: readonly RateKeyName[],
  finding: string | undefined,
  limit: number,
): Promise<HitRow[]> {
  const ofTask = by.filter((name) => name in taskKeys) as TaskKeyName[];
  const ofFinding = by.filter((name) => name in findingKeys) as FindingKeyName[];
  // Without a key of findings: is there anything that matters?
  const counts = ofFinding.length > 0 ? sql`1` : sql`one.2 != 'info'`;
  const wanted =
    finding === undefined ? counts : sql`${counts} AND one.1 = ${param('String', finding)}`;
  const found = sql`arrayMap(one -> ${keyArray(ofFinding.map((name) => findingKeys[name]))},
    arrayFilter(one -> ${wanted}, ${findingTuples}))`;
  const order = by.map((name) =>
    name in taskKeys
      ? sql`task_key[${param('UInt8', ofTask.indexOf(name as TaskKeyName) + 1)}]`
      : sql`found_key.1[${param('UInt8', ofFinding.indexOf(name as FindingKeyName) + 1)}]`,
  );
  return query<HitRow>(
    store,
    sql`SELECT ${keyArray(order)} AS key, count() AS tasks, countIf(outcome = 'success') AS successes,
        countIf(outcome = 'failure') AS failures, sum(found_key.2) AS occurrences, sumKahan(cost) AS cost,
        groupArraySorted(3)((outcome != 'failure', -counted_ms, task_id)) AS examples
      FROM (
        SELECT t.task_id AS task_id, t.outcome AS outcome, t.cost_usd_known AS cost,
          toUnixTimestamp64Milli(toDateTime64(t.counted_at, 3)) AS counted_ms,
          ${keyArray(ofTask.map((name) => taskKeys[name]))} AS task_key,
          ${found} AS keys,
          arrayJoin(arrayMap(own -> (own, countEqual(keys, own)), arrayDistinct(keys))) AS found_key
        ${judgedTasks(scope, filter)}
        WHERE f.task_id != '')
      GROUP BY key
      ORDER BY tasks DESC, key
      LIMIT ${param('UInt32', limit)}`,
  );
}

function toGroup(row: HitRow, by: readonly RateKeyName[], judged: number): RateGroup {
  const tasks = Number(row.tasks);
  const interval = wilson({ hits: tasks, n: judged });
  return {
    key: Object.fromEntries(by.map((name, i) => [name, row.key[i] || null])),
    tasks,
    successes: Number(row.successes),
    failures: Number(row.failures),
    occurrences: Number(row.occurrences),
    tasks_judged: judged,
    rate: tasks / judged,
    rate_low: interval.low,
    rate_high: interval.high,
    cost_usd_known: usdOf(row.cost),
    example_task_ids: row.examples.map(([, , id]) => id),
  };
}
