import type { Store } from '../connection.ts';
import { param, query, sql } from '../sql.ts';
import { createDeriver } from './deriver.ts';

/** How much a rebuild derived again. */
export interface Rebuilt {
  readonly traces: number;
  /** Tasks named by log records without a trace. */
  readonly tasks: number;
}

/**
 * Derives again every task with a trace (or a log record without one) that has anything in [from, to), given in
 * nanoseconds since 1970. It is the derivation itself: the same data gives the same rows. Tasks whose telemetry is past
 * retention are left as they are.
 *
 * @throws ClickHouseError; repeating the call is always safe.
 */
export async function rebuild(
  store: Store,
  project: string,
  from: bigint,
  to: bigint,
): Promise<Rebuilt> {
  const overlaps = sql`
HAVING max(last) >= fromUnixTimestamp64Nano(${param('Int64', String(from))}, 'UTC')
   AND min(first) < fromUnixTimestamp64Nano(${param('Int64', String(to))}, 'UTC')`;
  const traces = await query<{ id: string }>(
    store,
    sql`SELECT trace_id AS id FROM trace_bounds WHERE project = ${param('String', project)} GROUP BY id ${overlaps}`,
  );
  const tasks = await query<{ id: string }>(
    store,
    sql`
SELECT task_id AS id FROM task_traces
WHERE project = ${param('String', project)} AND trace_id = '' GROUP BY id ${overlaps}`,
  );
  const touched = { project, traces: traces.map(({ id }) => id), tasks: tasks.map(({ id }) => id) };
  await createDeriver(store).derive([touched]);
  return { traces: touched.traces.length, tasks: touched.tasks.length };
}
