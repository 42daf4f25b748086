import type { Store } from '../connection.ts';
import { param, query, type Sql, sql } from '../sql.ts';
import { emptyRow } from '../tables/empty-row.ts';
import { logs } from '../tables/logs.ts';
import { usageSum } from './log-calls.ts';
import type { TaskLog } from './telemetry.ts';
import { compareText } from './trace.ts';
import { type Bounds, clauses } from './windows.ts';

/** What one metric adds up to for a task, service and model. */
interface Row {
  readonly task_id: string;
  readonly task_id_kind: string;
  readonly service: string;
  readonly provider: string;
  readonly model: string;
  readonly usage: string;
  readonly amount: number;
  readonly first_ns: string;
  readonly last_ns: string;
  readonly conversation_id: string;
  readonly user_id: string;
  readonly workflow: string;
  readonly agent_name: string;
  readonly environment: string;
  readonly release: string;
}

/**
 * What metrics tell of the usage of these tasks: for each service and model one sum, in the shape of a log record at
 * the time of its last point. Of a cumulative series the last value counts, as of when it was first reached.
 */
export async function readMetricUsage(
  store: Store,
  project: string,
  tasks: ReadonlyMap<string, Bounds>,
): Promise<TaskLog[]> {
  const rows: Row[] = [];
  for (const bounds of clauses(tasks, sql`task_id`, sql`time`)) {
    const points = (table: Sql, value: Sql) => sql`
  SELECT task_id, task_id_kind, service, provider, model, usage, series, start, time, temporality, conversation_id,
    user_id, workflow, agent_name, environment, release, ${value} AS value
  FROM ${table}
  WHERE project = ${param('String', project)} AND usage != '' AND (${bounds})
  ORDER BY ver DESC LIMIT 1 BY name, series, time, start`;
    rows.push(
      ...(await query<Row>(
        store,
        sql`
SELECT task_id, task_id_kind, service, provider, model, usage, sum(amount) AS amount,
  toUnixTimestamp64Nano(min(first)) AS first_ns, toUnixTimestamp64Nano(max(last)) AS last_ns,
  max(conversation_id) AS conversation_id, max(user_id) AS user_id, max(workflow) AS workflow,
  max(agent_name) AS agent_name, max(environment) AS environment, max(release) AS release
FROM (
  SELECT task_id, task_id_kind, service, provider, model, usage, conversation_id, user_id, workflow, agent_name,
    environment, release, ifNull(if(temporality = 'cumulative', max(value), sum(value)), 0) AS amount,
    min(if(toUnixTimestamp64Nano(start) = 0, time, start)) AS first,
    if(temporality = 'cumulative', argMax(time, (value, -toUnixTimestamp64Nano(time))), max(time)) AS last
  FROM (${points(sql`metrics_number`, sql`value`)} UNION ALL ${points(sql`metrics_histogram`, sql`sum`)})
  GROUP BY task_id, task_id_kind, service, provider, model, usage, conversation_id, user_id, workflow, agent_name,
    environment, release, series, start, temporality
)
GROUP BY task_id, task_id_kind, service, provider, model, usage`,
      )),
    );
  }
  return [...groupBy(rows, ({ task_id, service }) => JSON.stringify([task_id, service])).values()]
    .flatMap((group) => sumsOf(project, group))
    .filter(({ input_tokens, output_tokens, cost_reported: usd }) => {
      return input_tokens !== null || output_tokens !== null || usd !== null;
    });
}

/** The sums of one task and service, by model. Families of metrics repeat each other: the first that is there counts. */
function sumsOf(project: string, rows: readonly Row[]): TaskLog[] {
  const isCost = ({ usage }: Row) => fieldOf(usage) === 'cost';
  const tokens = firstFamily(rows.filter((row) => !isCost(row)));
  const costs = firstFamily(rows.filter(isCost));
  const models = groupBy(tokens, ({ provider, model }) => JSON.stringify([provider, model]));
  const [any] = [...models.keys()].sort(compareText);
  for (const row of costs) {
    // Money that names no model, or another than the tokens do, belongs to all of them.
    const own = JSON.stringify([row.provider, row.model]);
    const place = models.has(own) ? own : (any ?? own);
    models.set(place, [...(models.get(place) ?? []), row]);
  }
  return [...models.values()].map((group) => sumOf(project, group));
}

const BLANK = emptyRow(logs);

function sumOf(project: string, rows: readonly Row[]): TaskLog {
  const [head] = rows;
  if (head === undefined) throw new Error('a sum of nothing');
  const amounts = new Map<string, number>();
  for (const { usage, amount } of rows) {
    amounts.set(fieldOf(usage), (amounts.get(fieldOf(usage)) ?? 0) + amount);
  }
  const of = (field: string) => amounts.get(field) ?? null;
  const read = of('cache_read_tokens');
  const write = of('cache_write_tokens');
  const reasoning = of('reasoning_tokens');
  const uncached = of('uncached_input_tokens');
  const visible = of('visible_output_tokens');
  const input =
    of('input_tokens') ?? (uncached === null ? null : uncached + (read ?? 0) + (write ?? 0));
  const output = of('output_tokens') ?? (visible === null ? null : visible + (reasoning ?? 0));
  const first = BigInt(rows.map((row) => row.first_ns).reduce(earlier));
  const last = BigInt(
    rows.map((row) => row.last_ns).reduce((a, b) => (earlier(a, b) === a ? b : a)),
  );
  const { amount: _amount, usage: _usage, model, ...names } = head;
  return {
    ...BLANK,
    ...names,
    project,
    time: last,
    duration_ms: Number(last - first) / 1e6,
    event_name: 'metrics',
    kind: usageSum,
    request_model: model,
    input_tokens: count(input),
    output_tokens: count(output),
    cache_read_tokens: count(read),
    cache_write_tokens: count(write),
    reasoning_tokens: count(reasoning),
    cost_reported: of('cost'),
    attributes: new Map(),
  };
}

function count(amount: number | null): bigint | null {
  return amount === null ? null : BigInt(Math.round(amount));
}

function earlier(a: string, b: string): string {
  return BigInt(a) <= BigInt(b) ? a : b;
}

function firstFamily(rows: readonly Row[]): readonly Row[] {
  const rank = Math.min(...rows.map(({ usage }) => rankOf(usage)));
  return rows.filter(({ usage }) => rankOf(usage) === rank);
}

function rankOf(usage: string): number {
  return Number(usage.slice(0, usage.indexOf(':')));
}

function fieldOf(usage: string): string {
  return usage.slice(usage.indexOf(':') + 1);
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
