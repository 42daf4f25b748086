import type { Store } from '../../store/connection.ts';
import { insert } from '../../store/insert.ts';
import { ensurePrices } from '../../store/prices/ensure.ts';
import { command, join, param, query, type Sql, sql } from '../../store/sql.ts';
import type { MetricPointRow } from '../../store/tables/metrics-number.ts';
import { taskTraces } from '../../store/tables/task-traces.ts';
import { temporalities } from '../normalise/metric-row.ts';
import type { Normaliser } from '../normalise/normaliser.ts';
import { restoreAttributes } from '../normalise/restore.ts';
import type { Batch, OtlpPoint } from '../otlp/model.ts';
import { between, pairs, resource, type Scope, type Shared, type Stretch, tables } from './read.ts';

/** The columns of a point that a mapping decides. They depend on its series alone. */
const columns = {
  task_id: sql`task_id`,
  task_id_kind: sql`task_id_kind`,
  workflow: sql`workflow`,
  agent_name: sql`agent_name`,
  conversation_id: sql`conversation_id`,
  user_id: sql`user_id`,
  environment: sql`environment`,
  release: sql`release`,
  usage: sql`usage`,
  provider: sql`provider`,
  model: sql`model`,
} as const satisfies Partial<Record<keyof MetricPointRow, Sql>>;

type Mapped = keyof typeof columns;
const mapped = Object.keys(columns) as Mapped[];

/** A series in a stretch of time, as one mapping read it. */
interface Series extends Shared, Pick<MetricPointRow, Mapped> {
  readonly series: string;
  readonly name: string;
  readonly temporality: string;
  readonly attributes: readonly (readonly [string, string])[];
  readonly attribute_types: readonly (readonly [string, number])[];
  readonly first: string;
  readonly last: string;
  readonly points: string;
}

export const pointTables = ['metrics_number', 'metrics_histogram'] as const;
export type PointTable = (typeof pointTables)[number];

/** Series rewritten by one statement. */
const mostSeries = 1_000;

/**
 * Reads the series of a stretch again and rewrites the points of those that this mapping reads otherwise: in the store,
 * where their values are, under the identity that they have. (A series is told apart by its resource with its types,
 * and a stored resource has none.) Answers how many points were looked at, and the tasks to derive.
 */
export async function remapPoints(
  store: Store,
  normaliser: Normaliser,
  { project, before }: Scope,
  table: PointTable,
  stretch: Stretch,
): Promise<{ points: number; tasks: string[] }> {
  const old = sql`project = ${param('String', project)} AND ${between(sql`time`, stretch.from, stretch.to)}
    AND mapping_version < ${param('UInt16', before)}`;
  const { name: points } = tables[table];
  const found = await readSeries(store, points, old);
  const owner = new Map<OtlpPoint, Series>();
  const batches = found.map((one) => batchOf(one, owner));
  const made = normaliser.normaliseMetrics(project, batches);
  const items = batches.flatMap((batch) => batch.items);
  const changed = new Map<string, MetricPointRow>();
  const tasks = new Set<string>();
  for (const [i, row] of made.numbers.entries()) {
    const was = owner.get(items[i] as OtlpPoint);
    if (was === undefined || mapped.every((name) => row[name] === was[name])) continue;
    changed.set(was.series, { ...row, name: was.name });
    for (const task of [row.task_id, was.task_id]) if (task !== '') tasks.add(task);
  }
  await insert(store, taskTraces, made.taskTraces);
  await ensurePrices(store, project, made.models);
  const all = [...changed];
  for (let i = 0; i < all.length; i += mostSeries) {
    await rewrite(store, points, old, all.slice(i, i + mostSeries), before);
  }
  return { points: found.reduce((sum, one) => sum + Number(one.points), 0), tasks: [...tasks] };
}

function readSeries(store: Store, table: Sql, old: Sql): Promise<Series[]> {
  const carried = [sql`name`, sql`scope_name`, sql`scope_version`, sql`temporality`];
  const all = [...carried, ...Object.values(columns)];
  return query<Series>(
    store,
    sql`
SELECT toString(source.series) AS series, any(source.resource) AS resource, any(source.attributes) AS attributes,
  any(source.attribute_types) AS attribute_types, toString(toUnixTimestamp64Nano(min(source.time))) AS first,
  toString(toUnixTimestamp64Nano(max(source.time))) AS last, toString(count()) AS points,
  ${join(
    all.map((column) => sql`any(source.${column}) AS ${column}`),
    ', ',
  )}
FROM (
  SELECT * REPLACE (${resource}, ${pairs(sql`attributes`)}, ${pairs(sql`attribute_types`)})
  FROM (SELECT * FROM ${table} FINAL WHERE ${old}) AS source
) AS source
GROUP BY source.series, source.mapping_version
ORDER BY source.series, source.mapping_version
SETTINGS do_not_merge_across_partitions_select_final = 1`,
  );
}

/** Its first and its last point: the rest tells the mapping nothing more. */
function batchOf(series: Series, owner: Map<OtlpPoint, Series>): Batch<OtlpPoint> {
  const attributes = restoreAttributes(series.attributes, series.attribute_types);
  const items = [series.first, series.last].map(
    (time): OtlpPoint => ({
      metric: {
        name: series.name,
        description: '',
        unit: '',
        type: 'gauge',
        temporality: temporalities.indexOf(series.temporality),
        monotonic: false,
      },
      start: 0n,
      time: BigInt(time),
      attributes,
      flags: 0,
      exemplars: [],
      value: 0,
      distribution: null,
    }),
  );
  for (const item of items) owner.set(item, series);
  const { scope_name: name, scope_version: version } = series;
  return {
    resource: restoreAttributes(JSON.parse(series.resource) as [string, string][], []),
    scope: { name, version, attributes: [] },
    items,
  };
}

/** The version of a point is the mapping's in its upper bits (`versionOf` in metric-row.ts). */
async function rewrite(
  store: Store,
  table: Sql,
  old: Sql,
  changed: readonly (readonly [string, MetricPointRow])[],
  version: number,
): Promise<void> {
  const ids = param(
    'Array(UInt64)',
    changed.map(([series]) => BigInt(series)),
  );
  const names = param('Array(String)', [...new Set(changed.map(([, { name }]) => name))]);
  const read = mapped.map((name) => {
    const values = param(
      'Array(String)',
      changed.map(([, row]) => row[name]),
    );
    return sql`transform(series, ${ids}, ${values}, '') AS ${columns[name]}`;
  });
  const mapping = param('UInt16', version);
  await command(
    store,
    sql`
INSERT INTO ${table} SELECT * REPLACE (${join(read, ', ')},
  ${mapping} AS mapping_version, now64(6) AS inserted_at,
  bitOr(bitShiftLeft(toUInt64(${mapping}), 52), bitAnd(ver, bitShiftLeft(toUInt64(1), 52) - 1)) AS ver)
FROM (SELECT * FROM ${table} FINAL WHERE name IN ${names} AND series IN ${ids} AND ${old})
SETTINGS do_not_merge_across_partitions_select_final = 1`,
  );
}
