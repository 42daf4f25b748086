import type { Store } from '../connection.ts';
import { param, query, type Sql, sql } from '../sql.ts';
import { NAMES } from '../tables/task-traces.ts';
import { readExtent } from './audit-reads.ts';
import { createDeriver } from './deriver.ts';

/** How much a rebuild derived again. */
export interface Rebuilt {
  readonly traces: number;
  /** Tasks looked at by name: those with a row, and those named by log records without a trace. */
  readonly tasks: number;
}

/**
 * Derives again every task that has anything in [from, to), given in nanoseconds since 1970, and withdraws every row of
 * that range that no telemetry stands behind. It is the derivation itself: the same data gives the same rows. Rows of
 * days before the first that still has telemetry are left as they are.
 *
 * @throws ClickHouseError; repeating the call is always safe.
 */
export async function rebuild(
  store: Store,
  project: string,
  from: bigint,
  to: bigint,
): Promise<Rebuilt> {
  const kept = (await readExtent(store)).find((one) => one.project === project);
  if (kept === undefined) return { traces: 0, tasks: 0 };
  const firstKept = BigInt(kept.first) * NS_PER_DAY;
  const start = from > firstKept ? from : firstKept;
  const traces = await readTracesIn(store, project, start, to);
  const tasks = await readTasksIn(store, project, start, to);
  await createDeriver(store).derive([{ project, traces, tasks }]);
  return { traces: traces.length, tasks: tasks.length };
}

const NS_PER_DAY = 86_400_000_000_000n;

async function readTracesIn(store: Store, project: string, from: bigint, to: bigint) {
  const rows = await query<{ id: string }>(
    store,
    sql`
SELECT trace_id AS id FROM trace_bounds WHERE project = ${param('String', project)}
GROUP BY id ${overlapping(from, to)}`,
  );
  return rows.map(({ id }) => id);
}

/** Tasks named by log records without a trace, and tasks that have a row. */
async function readTasksIn(store: Store, project: string, from: bigint, to: bigint) {
  const rows = await query<{ id: string }>(
    store,
    sql`
SELECT task_id AS id FROM task_traces
WHERE project = ${param('String', project)} AND trace_id = '' AND NOT startsWith(task_id, ${param('String', NAMES)})
GROUP BY id ${overlapping(from, to)}
UNION DISTINCT
SELECT task_id AS id FROM tasks FINAL
WHERE project = ${param('String', project)}
  AND day >= toDate(${at(from)}) AND started_at >= ${at(from)} AND started_at < ${at(to)}`,
  );
  return rows.map(({ id }) => id);
}

function overlapping(from: bigint, to: bigint): Sql {
  return sql`HAVING max(last) >= ${at(from)} AND min(first) < ${at(to)}`;
}

function at(time: bigint): Sql {
  return sql`fromUnixTimestamp64Nano(${param('Int64', String(time))}, 'UTC')`;
}
