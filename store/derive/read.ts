import type { Store } from '../connection.ts';
import { param, query, type Sql, sql } from '../sql.ts';
import { newestOf, readSpans, readVersions, type SpanRead } from './read-spans.ts';
import type { Recent, Remembered } from './recent.ts';
import type { TaskLog, TaskSpan } from './telemetry.ts';
import {
  anyOf,
  type Bounds,
  chunks,
  cut,
  extent,
  type Window,
  windows,
  within,
} from './windows.ts';

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

/** Rows of one answer, which is parsed at once: some 12 MB. A string in JavaScript ends at 512 MB. */
const MOST_ROWS = 25_000;
/** Traces of one answer, that usually is smaller by far: nothing else happens while it is parsed. */
const MOST_TRACES = 1024;

/** How traces are read. */
export interface ReadOptions {
  /** Spans that need not be read where the store says that it has them as they are here. */
  readonly recent?: Recent | undefined;
  /** Most rows of one answer. */
  readonly most?: number;
}

/** All spans and logs of these traces. */
export async function readTraces(
  store: Store,
  project: string,
  traces: ReadonlyMap<string, Bounds>,
  { recent, most = MOST_ROWS }: ReadOptions = {},
): Promise<Items> {
  const items: Items[] = [];
  const known = recent === undefined ? [] : await readKnown(store, project, traces, recent);
  const unknown = new Map(traces);
  for (const { trace, spans } of known) {
    unknown.delete(trace);
    items.push({ spans, logs: [] });
  }
  for (const few of cut([...unknown], MOST_TRACES)) {
    for (const some of chunks(windows(new Map(few)))) {
      const where = (stretches: readonly Window[]) => whereOf(project, stretches, sql`start`);
      const reads = await readPieces(store, where, some, most);
      items.push({ spans: newestOf(reads), logs: [] });
    }
  }
  for (const some of chunks(windows(traces))) {
    items.push(await readLogs(store, whereOf(project, some, sql`time`)));
  }
  return joinItems(items);
}

function whereOf(project: string, some: readonly Window[], time: Sql): Sql {
  return sql`
WHERE project = ${param('String', project)} AND (${anyOf(some, sql`trace_id`, time)})`;
}

/**
 * The traces of which the store has exactly the spans that are remembered, in the same versions. Reading these two
 * columns takes a tenth of what reading everything does.
 */
async function readKnown(
  store: Store,
  project: string,
  traces: ReadonlyMap<string, Bounds>,
  recent: Recent,
): Promise<{ trace: string; spans: readonly TaskSpan[] }[]> {
  const asked = new Map([...traces].filter(([id]) => recent.of(project, id) !== undefined));
  const known: { trace: string; spans: readonly TaskSpan[] }[] = [];
  for (const some of chunks(windows(asked))) {
    const where = whereOf(project, some, sql`start`);
    for (const { trace, versions } of await readVersions(store, where)) {
      const spans = recent.of(project, trace);
      if (spans !== undefined && isSame(spans, versions)) {
        known.push({ trace, spans: Array.from(spans.values(), ({ span }) => span) });
      }
    }
  }
  return known;
}

function isSame(
  remembered: ReadonlyMap<string, Remembered>,
  versions: ReadonlyMap<string, bigint>,
): boolean {
  if (remembered.size !== versions.size) return false;
  for (const [id, ver] of versions) if (remembered.get(id)?.ver !== ver) return false;
  return true;
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
