import type { Store } from '../connection.ts';
import { param, query, type Sql, sql } from '../sql.ts';
import { NAMES } from '../tables/task-traces.ts';
import { readBounds, readTaskTraces } from './read.ts';

/** Something that was inserted: a trace, or (`trace` empty) a task with log records outside any trace. */
export interface Inserted {
  readonly project: string;
  readonly trace: string;
  /** Ids that its items name. */
  readonly tasks: readonly string[];
  /** When the newest item came, in microseconds of the engine's clock. */
  readonly newest: bigint;
}

/** A stored task row of one day, or the mark that it was withdrawn from that day. */
export interface StoredTask {
  readonly task: string;
  readonly day: string;
  readonly ver: bigint;
  /** 0 when withdrawn. */
  readonly hash: bigint;
}

/** The engine's clock in microseconds. */
export async function readClock(store: Store): Promise<bigint> {
  const [row] = await query<{ now: string }>(
    store,
    sql`SELECT toUnixTimestamp64Micro(now64(6)) AS now`,
  );
  if (row === undefined) throw new Error('the engine did not tell its time');
  return BigInt(row.now);
}

const micros = (time: bigint): Sql =>
  sql`fromUnixTimestamp64Micro(${param('Int64', String(time))}, 'UTC')`;

/** Traces and lone tasks whose newest item was inserted in (after, until], the oldest first, at most `limit`. */
export async function readInserted(
  store: Store,
  after: bigint,
  until: bigint,
  limit: number,
): Promise<Inserted[]> {
  const items = (table: Sql) => sql`
SELECT project, trace_id, task_id, inserted_at FROM ${table} WHERE inserted_at > ${micros(after)}`;
  const rows = await query<{ project: string; trace_id: string; ids: string[]; at: string }>(
    store,
    sql`
SELECT
  project, trace_id, toUnixTimestamp64Micro(max(inserted_at)) AS at,
  groupUniqArrayIf(task_id, task_id != '') AS ids
FROM (${items(sql`spans`)} UNION ALL ${items(sql`logs`)})
WHERE trace_id != '' OR task_id != ''
GROUP BY project, trace_id, if(trace_id = '', task_id, '')
HAVING max(inserted_at) <= ${micros(until)}
ORDER BY at
LIMIT ${param('UInt32', limit)}`,
  );
  return rows.map(({ project, trace_id, ids, at }) => ({
    project,
    trace: trace_id,
    tasks: ids,
    newest: BigInt(at),
  }));
}

/** Days (since 1970) of the first and the last item of each project. */
export async function readExtent(
  store: Store,
): Promise<{ project: string; first: number; last: number }[]> {
  // Of the items themselves: what is past retention is gone, and must not be derived from what is left.
  return query(
    store,
    sql`
SELECT project, min(day) AS first, max(day) AS last
FROM
(
  SELECT DISTINCT project, toUInt16(toDate(start)) AS day FROM spans
  UNION ALL
  SELECT DISTINCT project, toUInt16(toDate(time)) AS day FROM logs
)
GROUP BY project ORDER BY project`,
  );
}

/** The traces of a project that begin on a day, and the tasks whose log records without a trace do. */
export async function readBegun(
  store: Store,
  project: string,
  day: number,
): Promise<{ traces: string[]; tasks: string[] }> {
  const begun = sql`HAVING toUInt16(toDate(min(first))) = ${param('UInt16', day)}`;
  const rows = await query<{ trace: string; task: string }>(
    store,
    sql`
SELECT trace_id AS trace, '' AS task FROM trace_bounds WHERE project = ${param('String', project)}
GROUP BY trace_id ${begun}
UNION ALL
SELECT '' AS trace, task_id AS task FROM task_traces
WHERE project = ${param('String', project)} AND trace_id = '' AND NOT startsWith(task_id, ${param('String', NAMES)})
GROUP BY task_id ${begun}`,
  );
  return {
    traces: rows.flatMap(({ trace }) => (trace === '' ? [] : [trace])),
    tasks: rows.flatMap(({ task }) => (task === '' ? [] : [task])),
  };
}

/** The newest row of each of these tasks under each of its days. */
export async function readStored(
  store: Store,
  project: string,
  tasks: readonly string[],
): Promise<StoredTask[]> {
  if (tasks.length === 0) return [];
  const ids = sql`project = ${param('String', project)} AND task_id IN ${param('Array(String)', tasks)}`;
  const rows = await query<{ task_id: string; day: string; ver: string; hash: string }>(
    store,
    sql`
SELECT task_id, toString(day) AS day, ver, if(deleted = 1, 0, content_hash) AS hash
FROM tasks
WHERE ${ids} AND tasks.day IN (SELECT task_days.day FROM task_days WHERE ${ids})
ORDER BY ver DESC
LIMIT 1 BY task_id, day`,
  );
  return rows.map((row) => ({
    task: row.task_id,
    day: row.day,
    ver: BigInt(row.ver),
    hash: BigInt(row.hash),
  }));
}

/** Which of these tasks got anything after `time`, on any of their traces. */
export async function readMoving(
  store: Store,
  project: string,
  tasks: readonly string[],
  time: bigint,
): Promise<Set<string>> {
  const linked = await readTaskTraces(store, project, tasks);
  const traceOf = new Map(linked.map(({ task, trace }) => [`${task} ${trace}`, { task, trace }]));
  // A task may be named by its trace.
  for (const task of tasks) traceOf.set(`${task} ${task}`, { task, trace: task });
  const pairs = [...traceOf.values()];
  const traces = [...new Set(pairs.map(({ trace }) => trace))].filter((trace) => trace !== '');
  const bounds = [...(await readBounds(store, project, traces)).values()];
  const first = bounds.reduce((min, b) => (b.first < min ? b.first : min), 2n ** 62n);
  const items = (table: Sql, when: Sql) => sql`
SELECT trace_id, task_id FROM ${table}
WHERE project = ${param('String', project)} AND inserted_at > ${micros(time)}
  AND ${when} >= fromUnixTimestamp64Nano(${param('Int64', String(first))}, 'UTC')`;
  const rows = await query<{ trace_id: string; task_id: string }>(
    store,
    sql`
SELECT DISTINCT trace_id, task_id
FROM (${items(sql`spans`, sql`start`)} UNION ALL ${items(sql`logs`, sql`time`)})
WHERE trace_id IN ${param('Array(String)', traces)} OR task_id IN ${param('Array(String)', tasks)}`,
  );
  const moving = new Set<string>(rows.map(({ task_id }) => task_id));
  const movingTraces = new Set(rows.map(({ trace_id }) => trace_id));
  for (const { task, trace } of pairs) if (movingTraces.has(trace)) moving.add(task);
  return moving;
}
