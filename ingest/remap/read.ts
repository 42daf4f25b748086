import type { Store } from '../../store/connection.ts';
import {
  type Columns,
  empty,
  join,
  param,
  query,
  queryColumns,
  type Sql,
  sql,
} from '../../store/sql.ts';
import type { StoredLog, StoredSpan } from '../normalise/restore.ts';
import { mapped, type Stored } from './changed.ts';

/** Whose rows are read: those that a mapping before this one made. */
export interface Scope {
  readonly project: string;
  readonly before: number;
}

/** A stretch of time, in nanoseconds since 1970, its end excluded, and about how many rows lie in it. */
export interface Stretch {
  readonly from: bigint;
  readonly to: bigint;
  readonly rows: number;
}

const minute = 60_000_000_000n;

/** Puts minutes together that hold about `size` rows; a minute that holds more stays alone. */
export function stretches(
  minutes: readonly { readonly at: bigint; readonly rows: number }[],
  size: number,
): Stretch[] {
  const found: { from: bigint; to: bigint; rows: number }[] = [];
  for (const { at, rows } of minutes) {
    const last = found.at(-1);
    // Not over midnight: a stretch is read from one partition.
    if (last === undefined || last.rows + rows > size || day(last.from) !== day(at)) {
      found.push({ from: at, to: at + minute, rows });
    } else {
      last.to = at + minute;
      last.rows += rows;
    }
  }
  return found;
}

function day(time: bigint): bigint {
  return time / 86_400_000_000_000n;
}

export const tables = {
  spans: { name: sql`spans`, time: sql`start` },
  logs: { name: sql`logs`, time: sql`time` },
  metrics_number: { name: sql`metrics_number`, time: sql`time` },
  metrics_histogram: { name: sql`metrics_histogram`, time: sql`time` },
} as const;

/** Where in [from, to) rows are to be made anew. */
export async function readStretches(
  store: Store,
  table: keyof typeof tables,
  { project, before }: Scope,
  from: bigint,
  to: bigint,
  size: number,
): Promise<Stretch[]> {
  const { name, time } = tables[table];
  const rows = await query<{ at: number; rows: string }>(
    store,
    sql`
SELECT toUnixTimestamp(toStartOfMinute(${time})) AS at, count() AS rows FROM ${name}
WHERE project = ${param('String', project)} AND ${between(time, from, to)}
  AND mapping_version < ${param('UInt16', before)}
GROUP BY at ORDER BY at`,
  );
  return stretches(
    rows.map(({ at, rows: n }) => ({ at: BigInt(at) * 1_000_000_000n, rows: Number(n) })),
    size,
  );
}

export function between(time: Sql, from: bigint, to: bigint): Sql {
  return sql`${time} >= ${at(from)} AND ${time} < ${at(to)}`;
}

function at(time: bigint): Sql {
  return sql`fromUnixTimestamp64Nano(${param('Int64', String(time))}, 'UTC')`;
}

/** What a stored item's batch shared. */
export interface Shared {
  readonly scope_name: string;
  readonly scope_version: string;
  /** Pairs as JSON: most spans share it, and then it is read once. */
  readonly resource: string;
}

/** A stored span with what its batch shared. */
export type SpanToRemap = StoredSpan & Shared;
/** A stored log record; `task_id` is the one that its former mapping read. */
export type LogToRemap = StoredLog & Shared & { readonly task_id: string };

type Json<Row, Big extends keyof Row> = Omit<Row, Big> & { readonly [K in Big]: string };

type SpanJson = Json<Omit<SpanToRemap, 'events.time' | 'payload'>, 'start' | 'end'> & {
  readonly 'events.time': readonly string[];
  readonly payload: readonly (readonly [string, readonly string[]])[];
};

/** A map of `source` as pairs: as an object, JSON would lose the order and repeated keys. */
export function pairs(map: Sql): Sql {
  return sql`arrayZip(mapKeys(source.${map}), mapValues(source.${map})) AS ${map}`;
}

export const resource = sql`toJSONString(arrayZip(mapKeys(source.resource), mapValues(source.resource))) AS resource`;

const once = sql`SETTINGS do_not_merge_across_partitions_select_final = 1`;

/** Spans in the order of their key. */
export interface Page {
  readonly spans: readonly SpanToRemap[];
  /** What their former mapping made of them: the i-th value of each column belongs to the i-th span. */
  readonly stored: Stored;
  /** Their payload, by trace and hash: see {@link contentKey}. */
  readonly content: ReadonlyMap<string, string>;
}

/** The next spans of a stretch behind `after`. */
async function readSpans(
  store: Store,
  { project, before }: Scope,
  { from, to }: Stretch,
  after: SpanToRemap | undefined,
  limit: number,
): Promise<Pick<Page, 'spans' | 'stored'>> {
  const behind =
    after === undefined
      ? empty
      : sql`AND (toStartOfMinute(start), trace_id, span_id) > (toStartOfMinute(${at(after.start)}),
        ${param('String', after.trace_id)}, ${param('String', after.span_id)})`;
  const { rows, of } = await queryColumns<SpanJson & Stored>(
    store,
    sql`
SELECT trace_id, span_id, parent_id,
  toUnixTimestamp64Nano(source.start) AS start, toUnixTimestamp64Nano(source.end) AS end,
  name, span_kind, status, status_message, trace_state, flags, scope_name, scope_version,
  ${resource}, ${pairs(sql`attributes`)}, ${pairs(sql`attribute_types`)}, ${pairs(sql`payload`)},
  arrayMap(t -> toUnixTimestamp64Nano(t), source.\`events.time\`) AS \`events.time\`,
  \`events.name\`, \`links.trace_id\`, \`links.span_id\`,
  arrayMap(m -> arrayZip(mapKeys(m), mapValues(m)), source.\`events.attributes\`) AS \`events.attributes\`,
  arrayMap(m -> arrayZip(mapKeys(m), mapValues(m)), source.\`links.attributes\`) AS \`links.attributes\`,
  ${join(
    mapped.map((name) => sql`${param('Identifier', name)}`),
    ', ',
  )}
FROM (
  SELECT * FROM spans FINAL
  WHERE project = ${param('String', project)} AND ${between(sql`start`, from, to)}
    AND mapping_version < ${param('UInt16', before)} ${behind}
  ORDER BY toStartOfMinute(start), trace_id, span_id LIMIT ${param('UInt32', limit)}
) AS source ${once}`,
  );
  return { spans: Array.from({ length: rows }, (_, i) => spanAt(of, i)), stored: of };
}

/** Written out, so that all spans have one shape: what reads them is compiled for it. */
function spanAt(of: Columns<SpanJson>['of'], i: number): SpanToRemap {
  return {
    trace_id: of.trace_id[i] ?? '',
    span_id: of.span_id[i] ?? '',
    parent_id: of.parent_id[i] ?? '',
    start: BigInt(of.start[i] ?? 0),
    end: BigInt(of.end[i] ?? 0),
    name: of.name[i] ?? '',
    span_kind: of.span_kind[i] ?? '',
    status: of.status[i] ?? '',
    status_message: of.status_message[i] ?? '',
    trace_state: of.trace_state[i] ?? '',
    flags: of.flags[i] ?? 0,
    scope_name: of.scope_name[i] ?? '',
    scope_version: of.scope_version[i] ?? '',
    resource: of.resource[i] ?? '',
    attributes: of.attributes[i] ?? [],
    attribute_types: of.attribute_types[i] ?? [],
    payload: (of.payload[i] ?? []).map(([key, hashes]) => [key, hashes.map(BigInt)] as const),
    'events.time': (of['events.time'][i] ?? []).map(BigInt),
    'events.name': of['events.name'][i] ?? [],
    'events.attributes': of['events.attributes'][i] ?? [],
    'links.trace_id': of['links.trace_id'][i] ?? [],
    'links.span_id': of['links.span_id'][i] ?? [],
    'links.attributes': of['links.attributes'][i] ?? [],
  };
}

/** The spans of these stretches, by pages; the next page is read while one is worked on. */
export async function* spanPages(
  store: Store,
  scope: Scope,
  all: readonly Stretch[],
  limit: number,
): AsyncGenerator<Page> {
  let at = 0;
  let after: SpanToRemap | undefined;
  const next = async (): Promise<Page | null> => {
    for (let stretch = all[at]; stretch !== undefined; stretch = all[at]) {
      const read = await readSpans(store, scope, stretch, after, limit);
      after = read.spans.at(-1);
      if (read.spans.length < limit) {
        at += 1;
        after = undefined;
      }
      if (read.spans.length > 0) {
        return { ...read, content: await readContent(store, scope, read.spans) };
      }
    }
    return null;
  };
  let coming = next();
  for (;;) {
    const page = await coming;
    if (page === null) return;
    coming = next();
    // Whoever stops early never asks what became of it.
    coming.catch(() => {});
    yield page;
  }
}

type LogJson = Json<LogToRemap, 'time'>;

/** The next log records of a stretch, in the order of their key. Those made anew are not found any more. */
export async function readLogs(
  store: Store,
  { project, before }: Scope,
  { from, to }: Stretch,
  limit: number,
): Promise<LogToRemap[]> {
  const rows = await query<LogJson>(
    store,
    sql`
SELECT trace_id, span_id, toUnixTimestamp64Nano(source.time) AS time, event_name, severity_number, severity_text, body,
  scope_name, scope_version, ${resource}, ${pairs(sql`attributes`)}, ${pairs(sql`attribute_types`)}, task_id
FROM (
  SELECT * FROM logs FINAL
  WHERE project = ${param('String', project)} AND ${between(sql`time`, from, to)}
    AND mapping_version < ${param('UInt16', before)}
  LIMIT ${param('UInt32', limit)}
) AS source ${once}`,
  );
  return rows.map((row) => ({ ...row, time: BigInt(row.time) }));
}

async function readContent(
  store: Store,
  { project }: Scope,
  spans: readonly SpanToRemap[],
): Promise<Map<string, string>> {
  const traces = new Set<string>();
  const days = new Set<number>();
  for (const { payload, trace_id, start } of spans) {
    if (payload.length === 0) continue;
    traces.add(trace_id);
    days.add(Number(day(start)));
  }
  if (traces.size === 0) return new Map();
  const rows = await query<{ trace_id: string; hash: string; content: string }>(
    store,
    sql`
SELECT trace_id, hash, content FROM messages
WHERE project = ${param('String', project)} AND day IN ${param('Array(UInt16)', [...days])}
  AND trace_id IN ${param('Array(String)', [...traces])}
LIMIT 1 BY trace_id, hash`,
  );
  return new Map(rows.map((row) => [contentKey(row.trace_id, row.hash), row.content]));
}

/** Where a text lies in the answer of {@link readContent}. */
export function contentKey(trace: string, hash: bigint | string): string {
  return `${trace} ${hash}`;
}
