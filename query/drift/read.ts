import type { Store } from '../../store/connection.ts';
import { param, query, sql } from '../../store/sql.ts';
import {
  type ConfigKind,
  config,
  measures,
  type Sums,
  steps,
  taskRows,
  tools,
  toSums,
} from './measures.ts';
import type { DriftScope, Plan } from './windows.ts';

export type Side = 'reference' | 'between' | 'current';

/** Sums of one hour of one workflow. */
export interface Bucket {
  readonly workflow: string;
  readonly side: Side;
  /** Hours since 1970. */
  readonly hour: number;
  readonly sums: Sums;
}

/** Calls of one tool: `count` in all, with what clustering needs. */
export interface ToolCount {
  readonly workflow: string;
  readonly group: string;
  readonly tool: string;
  readonly tasks: number;
  readonly count: number;
  readonly countSquares: number;
  readonly countTimesTotal: number;
}

/** How often a value (of a distribution) occurred. */
export interface Frequency {
  readonly workflow: string;
  readonly quantity: 'duration' | 'steps';
  readonly value: number;
  readonly reference: number;
  readonly current: number;
}

/** A configuration value or tool of a workflow; times in ms since 1970, counts in tasks. */
export interface Seen {
  readonly workflow: string;
  readonly kind: ConfigKind | 'tool';
  readonly value: string;
  readonly first: number;
  readonly last: number;
  readonly reference: number;
  readonly current: number;
}

const MAX_TOOLS = 5_000;
const MAX_VALUES = 5_000;

export async function readBuckets(
  store: Store,
  scope: DriftScope,
  plans: readonly Plan[],
): Promise<Bucket[]> {
  const rows = await query<{ name: string; side: Side; hour: number; sums: number[] }>(
    store,
    sql`SELECT name, side, toFloat64(bucket) AS hour, sumForEach(measured) AS sums
      FROM (${taskRows(scope, plans, sql`${measures} AS measured`)})
      GROUP BY name, side, bucket ORDER BY name, bucket, side`,
  );
  return rows.map(({ name, side, hour, sums }) => ({
    workflow: name,
    side,
    hour,
    sums: toSums(sums),
  }));
}

/** Tool calls per window. */
export async function readTools(
  store: Store,
  scope: DriftScope,
  plans: readonly Plan[],
): Promise<ToolCount[]> {
  return await toolCounts(store, scope, plans, 'side');
}

/** Tool calls per hour; `group` is the hour since 1970. */
export async function readToolHours(
  store: Store,
  scope: DriftScope,
  plan: Plan,
): Promise<ToolCount[]> {
  return await toolCounts(store, scope, [plan], 'hour');
}

async function toolCounts(
  store: Store,
  scope: DriftScope,
  plans: readonly Plan[],
  by: 'side' | 'hour',
): Promise<ToolCount[]> {
  const group = by === 'side' ? sql`side` : sql`toString(bucket)`;
  const called = sql`arrayFilter((name, kind) -> kind = 'tool', calls.name, calls.kind) AS called,
    arrayMap(tool -> (toString(tool), toFloat64(countEqual(called, tool))), arrayDistinct(called)) AS counted`;
  return await query<ToolCount>(
    store,
    sql`SELECT name AS workflow, ${group} AS group, c.1 AS tool, toFloat64(count()) AS tasks, sum(c.2) AS count,
        sum(c.2 * c.2) AS countSquares, sum(c.2 * length(called)) AS countTimesTotal
      FROM (${taskRows(scope, plans, called)}) ARRAY JOIN counted AS c
      GROUP BY name, group, tool
      ORDER BY name, group, count DESC, tool
      LIMIT ${param('UInt32', MAX_TOOLS)} BY name`,
  );
}

/** Durations in buckets of 2 % and steps, counted per window. */
export async function readFrequencies(
  store: Store,
  scope: DriftScope,
  plans: readonly Plan[],
): Promise<Frequency[]> {
  const quantities = sql`arrayFilter(pair -> pair.2 > 0, [
    ('duration', if(ifNull(duration_ms, 0) > 0, exp(ceil(log(assumeNotNull(duration_ms)) / log(1.02)) * log(1.02)), 0.)),
    ('steps', ${steps})]) AS quantities`;
  return await query<Frequency>(
    store,
    sql`SELECT name AS workflow, q.1 AS quantity, q.2 AS value, toFloat64(countIf(side = 'reference')) AS reference,
        toFloat64(countIf(side = 'current')) AS current
      FROM (${taskRows(scope, plans, quantities)}) ARRAY JOIN quantities AS q
      WHERE side != 'between'
      GROUP BY name, quantity, value ORDER BY name, quantity, value`,
  );
}

/** Every configuration value and tool with the time it was first and last seen. */
export async function readSeen(
  store: Store,
  scope: DriftScope,
  plans: readonly Plan[],
): Promise<Seen[]> {
  const pairs = sql`arrayConcat(${config}, arrayMap(tool -> ('tool', toString(tool)), ${tools})) AS pairs`;
  return await query<Seen>(
    store,
    sql`SELECT name AS workflow, pair.1 AS kind, pair.2 AS value, toFloat64(min(t)) AS first,
        toFloat64(max(t)) AS last, toFloat64(countIf(side = 'reference')) AS reference,
        toFloat64(countIf(side = 'current')) AS current
      FROM (${taskRows(scope, plans, pairs)}) ARRAY JOIN pairs AS pair
      GROUP BY name, kind, value
      ORDER BY name, reference + current DESC, kind, value
      LIMIT ${param('UInt32', MAX_VALUES)} BY name`,
  );
}

/** Tasks before or after a change that carry a value, or do not. */
export interface Cohort {
  readonly kind: ConfigKind;
  readonly value: string;
  readonly carries: boolean;
  readonly after: boolean;
}

export interface CohortSums extends Cohort {
  readonly sums: Sums;
}

export interface CohortTool extends Cohort {
  readonly tool: string;
  readonly count: number;
  readonly countSquares: number;
  readonly countTimesTotal: number;
}

/** Which values are compared around which moment, within `around` ms of it. */
export interface Contrast {
  readonly plan: Plan;
  readonly at: number;
  readonly around: number;
  readonly values: readonly { readonly kind: ConfigKind; readonly value: string }[];
}

/** Sums of the tasks with and without each value, before and after the change. */
export async function readCohorts(
  store: Store,
  scope: DriftScope,
  contrast: Contrast,
): Promise<CohortSums[]> {
  const rows = await query<Omit<CohortRow, 'tool'> & { sums: number[] }>(
    store,
    sql`SELECT v.1 AS kind, v.2 AS value, toFloat64(has(carried, v)) AS carries,
        toFloat64(t >= ${param('Int64', contrast.at)}) AS after, sumForEach(measured) AS sums
      FROM (${cohortRows(scope, contrast)}) ARRAY JOIN ${candidates(contrast)} AS v
      GROUP BY kind, value, carries, after ORDER BY kind, value, carries, after`,
  );
  return rows.map((row) => ({ ...toCohort(row), sums: toSums(row.sums) }));
}

/** The same for the tools that those tasks called. */
export async function readCohortTools(
  store: Store,
  scope: DriftScope,
  contrast: Contrast,
): Promise<CohortTool[]> {
  const rows = await query<CohortRow & Omit<CohortTool, keyof Cohort>>(
    store,
    sql`SELECT v.1 AS kind, v.2 AS value, toFloat64(has(carried, v)) AS carries,
        toFloat64(t >= ${param('Int64', contrast.at)}) AS after, c.1 AS tool, sum(c.2) AS count,
        sum(c.2 * c.2) AS countSquares, sum(c.2 * length(called)) AS countTimesTotal
      FROM (SELECT *, arrayJoin(counted) AS c FROM (${cohortRows(scope, contrast)}))
      ARRAY JOIN ${candidates(contrast)} AS v
      GROUP BY kind, value, carries, after, tool ORDER BY kind, value, carries, after, tool`,
  );
  return rows.map((row) => ({ ...row, ...toCohort(row) }));
}

interface CohortRow {
  readonly kind: ConfigKind;
  readonly value: string;
  readonly carries: number;
  readonly after: number;
  readonly tool: string;
}

function toCohort({ kind, value, carries, after }: Omit<CohortRow, 'tool'>): Cohort {
  return { kind, value, carries: carries === 1, after: after === 1 };
}

function cohortRows(scope: DriftScope, { plan, at, around }: Contrast) {
  const { workflow } = plan;
  const from = Math.max(plan.reference.from, at - around);
  const to = Math.min(plan.current.to, at + around);
  const near: Plan = { workflow, reference: { from, to: at }, current: { from: at, to } };
  return taskRows(
    scope,
    [near],
    sql`${config} AS carried, ${measures} AS measured,
      arrayFilter((name, kind) -> kind = 'tool', calls.name, calls.kind) AS called,
      arrayMap(tool -> (toString(tool), toFloat64(countEqual(called, tool))), arrayDistinct(called)) AS counted`,
  );
}

function candidates({ values }: Contrast) {
  const kinds = param(
    'Array(String)',
    values.map(({ kind }) => kind),
  );
  const names = param(
    'Array(String)',
    values.map(({ value }) => value),
  );
  return sql`arrayZip(${kinds}, ${names})`;
}
