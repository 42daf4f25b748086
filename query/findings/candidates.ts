import type { Store } from '../../store/connection.ts';
import { param, query, sql } from '../../store/sql.ts';
import type { Candidate } from './schedule.ts';

interface Row {
  readonly day: number;
  readonly task_id: string;
  readonly ver: string;
  readonly declared_state: string;
  readonly root_ended: number;
  readonly root_error: number;
  readonly tool_errors: number;
  readonly started_ms: string;
  readonly last_ms: string;
  readonly spans: number;
  readonly judged_open: number;
}

/**
 * Tasks whose findings are missing, older than their row, made by other rules, or made while they were open; of rows
 * with a version from `since` on, the newest first.
 */
export async function readCandidates(
  store: Store,
  project: string,
  since: bigint,
  rules: number,
  limit: number,
): Promise<Candidate[]> {
  const scope = sql`project = ${param('String', project)} AND tasks.ver >= ${param('UInt64', String(since))}`;
  const rows = await query<Row>(
    store,
    sql`SELECT toUInt16(t.day) AS day, t.task_id AS task_id, toString(t.newest_ver) AS ver, t.newest.2 AS declared_state,
        t.newest.3 AS root_ended, t.newest.4 AS root_error, t.newest.5 AS tool_errors,
        toString(toUnixTimestamp64Milli(t.newest.6)) AS started_ms, toString(toUnixTimestamp64Milli(t.newest.7)) AS last_ms,
        t.newest.8 AS spans, f.task_ver >= t.newest_ver AND f.rules = ${param('UInt32', rules)} AND f.ended = 0 AS judged_open
      FROM (
        SELECT day, task_id, max(tasks.ver) AS newest_ver,
          argMax((deleted, declared_state, root_ended, root_error, tool_errors, started_at, last_signal_at, spans), tasks.ver) AS newest
        FROM tasks WHERE ${scope} GROUP BY day, task_id) AS t
      LEFT JOIN (
        SELECT day, task_id, argMax(task_ver, task_findings.ver) AS task_ver, argMax(rules, task_findings.ver) AS rules,
          argMax(ended, task_findings.ver) AS ended
        FROM task_findings
        WHERE project = ${param('String', project)} AND task_id IN (SELECT task_id FROM tasks WHERE ${scope})
        GROUP BY day, task_id) AS f
      ON t.day = f.day AND t.task_id = f.task_id
      WHERE t.newest.1 = 0 AND (f.task_ver < t.newest_ver OR f.rules != ${param('UInt32', rules)} OR f.ended = 0)
      ORDER BY t.newest_ver DESC
      LIMIT ${param('UInt32', limit)}`,
  );
  return rows.map((row) => ({
    day: row.day,
    task_id: row.task_id,
    ver: BigInt(row.ver),
    declared_state: row.declared_state,
    root_ended: row.root_ended === 1,
    root_error: row.root_error === 1,
    tool_errors: row.tool_errors,
    started_at: Number(row.started_ms),
    last_signal_at: Number(row.last_ms),
    spans: row.spans,
    // Not known when: long ago, so that what has become due since is.
    judged_open_at: row.judged_open === 1 ? 0 : null,
  }));
}
