import type { Store } from '../../store/connection.ts';
import { param, query, type Sql, sql } from '../../store/sql.ts';

/** What a verdict names: exactly one of these is not empty. */
export interface Target {
  readonly task_id: string;
  readonly ref: string;
  readonly trace_id: string;
  readonly response_id: string;
  readonly session_id: string;
}

/** Whether anything that the target names has arrived. */
export async function knownTarget(
  store: Store,
  project: string,
  target: Target,
  now: Date,
): Promise<boolean> {
  const since = param('Date', new Date(now.getTime() - 30 * 86_400_000).toISOString().slice(0, 10));
  const own = sql`project = ${param('String', project)}`;
  const recent = (condition: Sql) =>
    sql`SELECT 1 AS known FROM tasks FINAL WHERE ${own} AND day >= ${since} AND ${condition} LIMIT 1`;
  const questions: readonly [string, Sql][] = [
    [
      target.task_id,
      sql`SELECT 1 AS known FROM task_days WHERE ${own} AND task_id = ${param('String', target.task_id)} LIMIT 1`,
    ],
    [
      target.trace_id,
      sql`SELECT 1 AS known FROM trace_bounds WHERE ${own} AND trace_id = ${param('String', target.trace_id)} LIMIT 1`,
    ],
    [target.ref, recent(sql`ref = ${param('String', target.ref)}`)],
    [target.session_id, recent(sql`session_id = ${param('String', target.session_id)}`)],
    [
      target.response_id,
      recent(sql`has(calls.response_id, ${param('String', target.response_id)})`),
    ],
  ];
  const question = questions.find(([value]) => value !== '')?.[1];
  return question !== undefined && (await query(store, question)).length > 0;
}
