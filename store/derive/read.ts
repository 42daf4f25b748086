import type { Store } from '../connection.ts';
import { join, param, query, type Sql, sql } from '../sql.ts';
import { newestOf, readSpans, type SpanRead } from './read-spans.ts';
import type { TaskLog, TaskSpan } from './telemetry.ts';

/** Start times of the first and last item, in nanoseconds since 1970, both included. */
export interface Bounds {
  readonly first: bigint;
  readonly last: bigint;
}

/** Stored items, each in its newest version. */
export interface Items {
  readonly spans: readonly TaskSpan[];
  readonly logs: readonly TaskLog[];
}

/** Traces by id with their bounds; a trace that was never seen is missing. */
export async function readBounds(
  store: Store,
  project: string,
  traces: readonly string[],
): Promise<Map<string, Bounds>> {
  if (traces.length === 0) return new Map();
  const rows = await query<{ trace_id: string; first_ns: string; last_ns: string }>(
    store,
    sql`
SELECT trace_id, toUnixTimestamp64Nano(min(first)) AS first_ns, toUnixTimestamp64Nano(max(last)) AS last_ns
FROM trace_bounds
WHERE project = ${param('String', project)} AND trace_id IN ${param('Array(String)', traces)}
GROUP BY trace_id`,
  );
  return new Map(rows.map((row) => [row.trace_id, boundsOf(row)]));
}

/** For each task the traces on which its id was seen; trace `''` bounds its log records without a trace. */
export async function readTaskTraces(
  store: Store,
  project: string,
  tasks: readonly string[],
): Promise<{ task: string; trace: string; bounds: Bounds }[]> {
  if (tasks.length === 0) return [];
  const rows = await query<{
    task_id: string;
    trace_id: string;
    first_ns: string;
    last_ns: string;
  }>(
    store,
    sql`
SELECT task_id, trace_id, toUnixTimestamp64Nano(min(first)) AS first_ns, toUnixTimestamp64Nano(max(last)) AS last_ns
FROM task_traces
WHERE project = ${param('String', project)} AND task_id IN ${param('Array(String)', tasks)}
GROUP BY task_id, trace_id`,
  );
  return rows.map((row) => ({ task: row.task_id, trace: row.trace_id, bounds: boundsOf(row) }));
}

function boundsOf(row: { first_ns: string; last_ns: string }): Bounds {
  return { first: BigInt(row.first_ns), last: BigInt(row.last_ns) };
}

/** Every task id that anything on these traces ever named, whether or not that version of it is still there. */
export async function readTraceTasks(
  store: Store,
  project: string,
  traces: readonly string[],
): Promise<string[]> {
  if (traces.length === 0) return [];
  const rows = await query<{ task_id: string }>(
    store,
    sql`
SELECT DISTINCT task_id FROM trace_tasks
WHERE project = ${param('String', project)} AND trace_id IN ${param('Array(String)', traces)}`,
  );
  return rows.map(({ task_id }) => task_id);
}

/** Days (since 1970) under which a row of each task was written. */
export async function readTaskDays(
  store: Store,
  project: string,
  tasks: readonly string[],
): Promise<Map<string, Set<number>>> {
  const days = new Map<string, Set<number>>();
  if (tasks.length === 0) return days;
  const rows = await query<{ task_id: string; days: number[] }>(
    store,
    sql`
SELECT task_id, groupUniqArray(toUInt16(day)) AS days
FROM task_days
WHERE project = ${param('String', project)} AND task_id IN ${param('Array(String)', tasks)}
GROUP BY task_id`,
  );
  for (const row of rows) days.set(row.task_id, new Set(row.days));
  return days;
}

// A stretch of time spans at most this much: traces that lie far apart are looked for apart, or the sort key would not
// help.
const WINDOW_NS = 3_600_000_000_000n;
/** Stretches in one statement. */
const MAX_WINDOWS = 64;

/** Rows of one answer, which is parsed at once: some 12 MB. A string in JavaScript ends at 512 MB. */
const MOST_ROWS = 25_000;

/** All spans and logs of these traces; spans in answers of at most `most` rows. */
export async function readTraces(
  store: Store,
  project: string,
  traces: ReadonlyMap<string, Bounds>,
  most = MOST_ROWS,
): Promise<Items> {
  const items: Items[] = [];
  for (const some of chunks(windows(traces))) {
    const of = (stretches: readonly Window[], time: Sql) => sql`
WHERE project = ${param('String', project)} AND (${anyOf(stretches, sql`trace_id`, time)})`;
    const [reads, { logs }] = await Promise.all([
      readPieces(store, (stretches) => of(stretches, sql`start`), some, most),
      readLogs(store, of(some, sql`time`)),
    ]);
    items.push({ spans: newestOf(reads), logs });
  }
  return joinItems(items);
}

/** Reads at once what is not too much; else stretches of time of which each surely is not, one after the other. */
async function readPieces(
  store: Store,
  where: (some: readonly Window[]) => Sql,
  some: readonly Window[],
  most: number,
): Promise<SpanRead[]> {
  const { first, last } = extent(some);
  const whole = await readSpans(store, where(some), first < last ? most : undefined);
  if (whole !== null) return [whole];
  const [rows] = await query<{ n: string }>(
    store,
    sql`SELECT count() AS n FROM spans ${where(some)}`,
  );
  const pieces = BigInt(Math.max(2, Math.ceil((2 * Number(rows?.n ?? 0)) / most)));
  const width = (last - first) / pieces + 1n;
  const reads: SpanRead[] = [];
  for (let from = first; from <= last; from += width) {
    const piece = within(some, { first: from, last: from + width - 1n });
    if (piece.length > 0) reads.push(...(await readPieces(store, where, piece, most)));
  }
  return reads;
}

function extent(some: readonly Window[]): Bounds {
  const [one = { first: 0n, last: 0n }] = some;
  let { first, last } = one;
  for (const window of some) {
    if (window.first < first) first = window.first;
    if (window.last > last) last = window.last;
  }
  return { first, last };
}

function within(some: readonly Window[], { first, last }: Bounds): Window[] {
  return some
    .filter((window) => window.first <= last && window.last >= first)
    .map((window) => ({
      ids: window.ids,
      first: window.first > first ? window.first : first,
      last: window.last < last ? window.last : last,
    }));
}

/** The log records without a trace that name these tasks. */
export async function readLoneLogs(
  store: Store,
  project: string,
  tasks: ReadonlyMap<string, Bounds>,
): Promise<Items> {
  const items: Items[] = [];
  for (const some of chunks(windows(tasks))) {
    const where = sql`
WHERE project = ${param('String', project)} AND trace_id = '' AND (${anyOf(some, sql`task_id`, sql`time`)})`;
    items.push(await readLogs(store, where));
  }
  return joinItems(items);
}

/** Conditions that together let in what has one of these ids within its bounds. */
export function* clauses(bounds: ReadonlyMap<string, Bounds>, id: Sql, time: Sql): Generator<Sql> {
  for (const some of chunks(windows(bounds))) yield anyOf(some, id, time);
}

function anyOf(some: readonly Window[], id: Sql, time: Sql): Sql {
  const each = some.map(
    ({ ids, first, last }) =>
      sql`(${time} BETWEEN ${at(first)} AND ${at(last)} AND ${id} IN ${param('Array(String)', ids)})`,
  );
  return join(each, ' OR ');
}

function* chunks(all: readonly Window[]): Generator<readonly Window[]> {
  for (let i = 0; i < all.length; i += MAX_WINDOWS) yield all.slice(i, i + MAX_WINDOWS);
}

function at(time: bigint): Sql {
  return sql`fromUnixTimestamp64Nano(${param('Int64', String(time))}, 'UTC')`;
}

interface Window {
  readonly ids: string[];
  readonly first: bigint;
  last: bigint;
}

/** Puts things that lie close together in time into one stretch. */
function windows(bounds: ReadonlyMap<string, Bounds>): Window[] {
  const found: Window[] = [];
  const ordered = [...bounds].sort(([, a], [, b]) => Number(a.first - b.first));
  for (const [id, { first, last }] of ordered) {
    const open = found.at(-1);
    const end = open === undefined || last > open.last ? last : open.last;
    if (open === undefined || end - open.first > WINDOW_NS) found.push({ ids: [id], first, last });
    else {
      open.ids.push(id);
      open.last = end;
    }
  }
  return found;
}

/** Puts several reads of different traces together. */
export function joinItems(parts: readonly Items[]): Items {
  return {
    spans: parts.flatMap(({ spans }) => spans),
    logs: parts.flatMap(({ logs }) => logs),
  };
}

const TOKENS = [
  'input_tokens',
  'output_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'cache_write_1h_tokens',
  'reasoning_tokens',
] as const;
type Tokens = (typeof TOKENS)[number];

type LogJson = Omit<TaskLog, 'time' | 'hash' | 'attributes' | Tokens> & {
  readonly [K in Tokens]: string | null;
} & {
  readonly time_ns: string;
  readonly hash: string;
  readonly agent_attributes: Record<string, string>;
};

async function readLogs(store: Store, where: Sql): Promise<Items> {
  const rows = await query<LogJson>(
    store,
    sql`
SELECT
  project, trace_id, span_id, toUnixTimestamp64Nano(time) AS time_ns, hash, event_name, service, task_id,
  task_id_kind, workflow, agent_name, conversation_id, user_id, environment, release,
  kind, provider, request_model, response_model, response_id, service_tier, input_tokens, output_tokens,
  cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, reasoning_tokens, cost_reported, duration_ms, ttft_ms,
  tool_name, tool_call_id, call_status,
  mapFilter((k, v) -> startsWith(k, 'agent.'), attributes) AS agent_attributes
FROM logs ${where}
ORDER BY ver DESC
LIMIT 1 BY trace_id, span_id, event_name, time, hash`,
  );
  return { spans: [], logs: rows.map(logOf) };
}

function logOf(row: LogJson): TaskLog {
  const attributes = new Map(Object.entries(row.agent_attributes));
  const tokens = Object.fromEntries(TOKENS.map((name) => [name, countOf(row[name])]));
  return {
    ...row,
    ...(tokens as Record<Tokens, bigint | null>),
    time: BigInt(row.time_ns),
    hash: BigInt(row.hash),
    attributes,
  };
}

function countOf(text: string | null): bigint | null {
  return text === null ? null : BigInt(text);
}
