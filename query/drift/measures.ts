import { join, param, type Sql, sql } from '../../store/sql.ts';
import type { Moments } from '../statistics/welch.ts';
import { filters, tasksIn } from '../tasks/find.ts';
import type { DriftScope, Plan } from './windows.ts';

const toolCalls = sql`toFloat64(countEqual(calls.kind, 'tool'))`;
const toolErrors = sql`toFloat64(arrayCount((kind, error) -> kind = 'tool' AND error != '', calls.kind, calls.error_by))`;
const tokens = (column: Sql) => sql`toFloat64(ifNull(${column}, 0))`;
/** Model and tool calls of a task. */
export const steps = sql`toFloat64(llm_calls + tool_calls)`;

/** Everything that signals and their causes are made of, per task; sums of these are all that leaves the store. */
const expressions = {
  tasks: sql`1.`,
  decided: sql`toFloat64(outcome IN ('success', 'failure'))`,
  successes: sql`toFloat64(outcome = 'success')`,
  escalated: sql`toFloat64(escalated)`,
  tool_tasks: sql`toFloat64(${toolCalls} > 0)`,
  tool_calls: toolCalls,
  tool_squares: sql`${toolCalls} * ${toolCalls}`,
  tool_errors: toolErrors,
  tool_error_squares: sql`${toolErrors} * ${toolErrors}`,
  tool_error_products: sql`${toolErrors} * ${toolCalls}`,
  ...logs('cost', sql`ifNull(cost_usd, 0)`),
  ...logs('input', tokens(sql`input_tokens`)),
  ...logs('output', tokens(sql`output_tokens`)),
  ...logs('duration', sql`ifNull(duration_ms, 0)`),
  ...logs('steps', steps),
} as const;

/** Quantities with a logarithm: what is 0 or unknown is not counted. */
export type LogQuantity = 'cost' | 'input' | 'output' | 'duration' | 'steps';

function logs<Name extends LogQuantity>(
  name: Name,
  value: Sql,
): Record<`${Name}_n` | `${Name}_log` | `${Name}_log_squares`, Sql> {
  const log = sql`if(${value} > 0, log(${value}), 0.)`;
  return {
    [`${name}_n`]: sql`toFloat64(${value} > 0)`,
    [`${name}_log`]: log,
    [`${name}_log_squares`]: sql`${log} * ${log}`,
  } as Record<`${Name}_n` | `${Name}_log` | `${Name}_log_squares`, Sql>;
}

export type Measure = keyof typeof expressions;

const names = Object.keys(expressions) as Measure[];

/** Sums of every measure over some tasks. */
export type Sums = Readonly<Record<Measure, number>>;

/** The measures of a task as one array, in a fixed order. */
export const measures: Sql = sql`[${join(Object.values(expressions), ', ')}]`;

export function toSums(values: readonly number[]): Sums {
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? 0])) as Sums;
}

export function addSums(parts: readonly Sums[]): Sums {
  return toSums(names.map((name) => parts.reduce((sum, part) => sum + part[name], 0)));
}

/** Moments of the logarithm of a quantity. */
export function logMoments(sums: Sums, quantity: LogQuantity): Moments {
  return {
    n: sums[`${quantity}_n`],
    sum: sums[`${quantity}_log`],
    sumSquares: sums[`${quantity}_log_squares`],
  };
}

/** Kinds of configuration whose values a task carries. */
export type ConfigKind = 'prompt' | 'model' | 'release' | 'agent_version';

const models = sql`arrayDistinct(arrayFilter((name, kind) -> kind = 'llm' AND name != '', calls.name, calls.kind))`;
const single = (column: Sql) => sql`arrayFilter(value -> value != '', [toString(${column})])`;
/** Distinct tools that a task called. */
export const tools = sql`arrayDistinct(arrayFilter((name, kind) -> kind = 'tool', calls.name, calls.kind))`;

/** (kind, value) of every configuration value of a task. */
export const config: Sql = sql`arrayConcat(
  arrayMap(value -> ('prompt', toString(value)), arrayDistinct(prompt_versions)),
  arrayMap(value -> ('model', toString(value)), ${models}),
  arrayMap(value -> ('release', value), ${single(sql`release`)}),
  arrayMap(value -> ('agent_version', value), ${single(sql`agent_version_hash`)}))`;

/**
 * Ended tasks of the planned workflows with `name`, time `t` in ms, `bucket` = hour since 1970 and `side`. Running tasks
 * are left out: their steps and costs are not whole yet.
 */
export function taskRows(scope: DriftScope, plans: readonly Plan[], columns: Sql): Sql {
  const bounds = {
    from: new Date(Math.min(...plans.map(({ reference }) => reference.from))),
    to: new Date(Math.max(...plans.map(({ current }) => current.to))),
  };
  const view = tasksIn({
    project: scope.project,
    ...bounds,
    now: scope.now,
    prices: 'as_of_call',
  });
  const at = (pick: (plan: Plan) => number) =>
    sql`arrayElement(${param('Array(Int64)', plans.map(pick).map(Math.trunc))}, i)`;
  const listed = param(
    'Array(String)',
    plans.map(({ workflow }) => workflow),
  );
  const conditions = [
    ...filters({ traffic: scope.traffic }),
    sql`state IN ('done', 'failed', 'abandoned')`,
    sql`i > 0`,
    sql`t >= ${at(({ reference }) => reference.from)}`,
    sql`t < ${at(({ current }) => current.to)}`,
  ];
  return sql`SELECT toString(workflow) AS name, indexOf(${listed}, name) AS i,
      toUnixTimestamp64Milli(toDateTime64(counted_at, 3, 'UTC')) AS t,
      intDiv(t, 3600000) AS bucket,
      multiIf(t >= ${at(({ current }) => current.from)}, 'current',
        t < ${at(({ reference }) => reference.to)}, 'reference', 'between') AS side,
      ${columns}
    FROM ${view}
    WHERE ${join(conditions, ' AND ')}`;
}
