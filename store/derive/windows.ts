import { join, param, type Sql, sql } from '../sql.ts';

/** Start times of the first and last item, in nanoseconds since 1970, both included. */
export interface Bounds {
  readonly first: bigint;
  readonly last: bigint;
}

// A stretch of time spans at most this much: traces that lie far apart are looked for apart, or the sort key would not
// help.
const WINDOW_NS = 3_600_000_000_000n;
/** Stretches in one statement. */
const MAX_WINDOWS = 64;

/** Conditions that together let in what has one of these ids within its bounds. */
export function* clauses(bounds: ReadonlyMap<string, Bounds>, id: Sql, time: Sql): Generator<Sql> {
  for (const some of chunks(windows(bounds))) yield anyOf(some, id, time);
}

/** One condition that lets in what has one of the ids of a stretch within it. */
export function anyOf(some: readonly Window[], id: Sql, time: Sql): Sql {
  const each = some.map(
    ({ ids, first, last }) =>
      sql`(${time} BETWEEN ${at(first)} AND ${at(last)} AND ${id} IN ${param('Array(String)', ids)})`,
  );
  return join(each, ' OR ');
}

/** Stretches by the statement. */
export function chunks(all: readonly Window[]): Generator<readonly Window[]> {
  return cut(all, MAX_WINDOWS);
}

/** Slices of at most `size`. */
export function* cut<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let i = 0; i < all.length; i += size) yield all.slice(i, i + size);
}

function at(time: bigint): Sql {
  return sql`fromUnixTimestamp64Nano(${param('Int64', String(time))}, 'UTC')`;
}

/** A stretch of time, and what is looked for in it. */
export interface Window {
  readonly ids: string[];
  readonly first: bigint;
  last: bigint;
}

/** Puts things that lie close together in time into one stretch. */
export function windows(bounds: ReadonlyMap<string, Bounds>): Window[] {
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

/** From the first to the last of them. */
export function extent(some: readonly Window[]): Bounds {
  const [one = { first: 0n, last: 0n }] = some;
  let { first, last } = one;
  for (const window of some) {
    if (window.first < first) first = window.first;
    if (window.last > last) last = window.last;
  }
  return { first, last };
}

/** The parts of them that lie in a stretch of time. */
export function within(some: readonly Window[], { first, last }: Bounds): Window[] {
  return some
    .filter((window) => window.first <= last && window.last >= first)
    .map((window) => ({
      ids: window.ids,
      first: window.first > first ? window.first : first,
      last: window.last < last ? window.last : last,
    }));
}
