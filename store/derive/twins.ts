import type { Store } from '../connection.ts';
import { param, query, sql } from '../sql.ts';
import { hasUsage } from './sightings.ts';
import { isToolCall, modelKind, type TaskSpan } from './telemetry.ts';
import { compareText, compareTime, type Trace } from './trace.ts';

// A server that gives every answer the same id identifies nothing by it. The statement below says the same.
const MAX_TRACES = 8;
/** How far the clocks of a caller and its gateway may be apart. */
const SKEW_NS = 1_000_000_000n;
const MINUTE_NS = 60_000_000_000n;
/** Ids in one statement: with 140,000 of them, as a large task has, the engine had no answer after a minute. */
const MAX_IDS = 20_000;

/** Other traces on which a model call of these spans was seen too, by its response id and at about the same time. */
export async function readTwins(
  store: Store,
  project: string,
  spans: readonly TaskSpan[],
): Promise<string[]> {
  const ids = new Set<string>();
  const own = new Set<number>();
  for (const span of spans) {
    if (span.response_id === '' || modelKind(span) === null) continue;
    ids.add(span.response_id);
    own.add(Number(span.start / MINUTE_NS));
  }
  if (ids.size === 0) return [];
  const known = new Set(spans.map(({ trace_id }) => trace_id));
  const minutes = new Set([...own].flatMap((minute) => [minute - 1, minute, minute + 1]));
  const seconds = [...minutes].map((minute) => minute * 60).sort((a, b) => a - b);
  const first = seconds[0] ?? 0;
  const last = (seconds.at(-1) ?? 0) + 60;
  const twins = new Set<string>();
  const all = [...ids];
  for (let at = 0; at < all.length; at += MAX_IDS) {
    const rows = await query<{ traces: string[] }>(
      store,
      sql`
SELECT groupUniqArray(9)(trace_id) AS traces
FROM spans
WHERE project = ${param('String', project)}
  AND start >= toDateTime64(${param('Int64', first)}, 9, 'UTC') AND start < toDateTime64(${param('Int64', last)}, 9, 'UTC')
  AND toUnixTimestamp(toStartOfMinute(start)) IN ${param('Array(UInt32)', seconds)}
  AND response_id IN ${param('Array(String)', all.slice(at, at + MAX_IDS))} AND kind IN ('llm', 'embedding', 'reranker')
GROUP BY response_id
HAVING length(traces) BETWEEN 2 AND 8`,
    );
    for (const { traces } of rows) for (const trace of traces) twins.add(trace);
  }
  return [...twins].filter((trace) => !known.has(trace));
}

/** Where a model call was told of that another trace tells of too. */
interface Place {
  readonly trace: Trace;
  readonly index: number;
}

/** What another trace tells of too. */
export interface Repeat {
  /** Where the caller tells of it. */
  readonly caller: Place;
  /** Another trace's telling counts. */
  readonly dropped: boolean;
}

/** The spans of a trace that tell of calls which another trace tells of too, by index. */
export type Repeats = ReadonlyMap<number, Repeat>;

/**
 * Model calls that a caller and its gateway told of in traces of their own: other instrumentations, one response, at the
 * same time. What counts is, of those that know the usage, the one closest to the caller.
 */
export function repeatsOf(traces: readonly Trace[]): Map<string, Repeats> {
  const found = new Map<string, Map<number, Repeat>>();
  for (const places of byResponse(traces)) {
    const firsts = firstOfEach(places);
    const [caller] = firsts.toSorted(byCaller);
    if (caller === undefined || firsts.length > MAX_TRACES) continue;
    const told = firsts.filter((one) => one === caller || isRepeat(spanAt(caller), spanAt(one)));
    if (told.length < 2) continue;
    const [counted] = told.toSorted(byClaim);
    for (const place of places) {
      if (!told.some(({ trace }) => trace === place.trace)) continue;
      const repeats = found.get(place.trace.id) ?? new Map<number, Repeat>();
      found.set(place.trace.id, repeats);
      const dropped = place.trace !== counted?.trace;
      for (const index of sameCall(place)) repeats.set(index, { caller, dropped });
    }
  }
  return found;
}

/** The places of each response that several traces tell of. */
function byResponse(traces: readonly Trace[]): Place[][] {
  const places = new Map<string, Place[]>();
  const several = new Set<string>();
  for (const trace of traces) {
    trace.spans.forEach((span, index) => {
      const kind = span.response_id === '' ? null : modelKind(span);
      if (kind === null) return;
      const key = `${kind} ${span.response_id}`;
      const known = places.get(key);
      if (known === undefined) places.set(key, [{ trace, index }]);
      else {
        if (known[0]?.trace !== trace) several.add(key);
        known.push({ trace, index });
      }
    });
  }
  return [...several].sort(compareText).map((key) => places.get(key) ?? []);
}

function spanAt({ trace, index }: Place): TaskSpan | undefined {
  return trace.spans[index];
}

/** Of each trace the place with the best claim. */
function firstOfEach(places: readonly Place[]): Place[] {
  const best = new Map<Trace, Place>();
  for (const place of places) {
    const known = best.get(place.trace);
    if (known === undefined || byClaim(place, known) < 0) best.set(place.trace, place);
  }
  return [...best.values()];
}

function byClaim(a: Place, b: Place): number {
  return Number(hasUsage(spanAt(b))) - Number(hasUsage(spanAt(a))) || byCaller(a, b);
}

// Whoever calls takes longer than whoever is called, whatever their clocks say.
function byCaller(a: Place, b: Place): number {
  return compareTime(lengthOf(spanAt(b)), lengthOf(spanAt(a))) || byStart(a, b);
}

function lengthOf(span: TaskSpan | undefined): bigint {
  return span !== undefined && span.end > span.start ? span.end - span.start : 0n;
}

function byStart(a: Place, b: Place): number {
  return (
    compareTime(spanAt(a)?.start ?? 0n, spanAt(b)?.start ?? 0n) ||
    compareText(a.trace.id, b.trace.id)
  );
}

function isRepeat(winner: TaskSpan | undefined, other: TaskSpan | undefined): boolean {
  if (winner === undefined || other === undefined) return false;
  if (winner.scope_name === other.scope_name && winner.service === other.service) return false;
  const end = winner.end > winner.start ? winner.end : winner.start;
  return other.start >= winner.start - SKEW_NS && other.start <= end + SKEW_NS;
}

/** The span itself, the model spans below it, and those above that name no response of their own and hold no other. */
function sameCall({ trace, index }: Place): number[] {
  const same = new Set([index]);
  for (const i of trace.order) {
    const span = trace.spans[i];
    const up = trace.parent[i] ?? -1;
    if (span !== undefined && same.has(up) && !isToolCall(span)) same.add(i);
  }
  for (let up = trace.parent[index] ?? -1; up >= 0; up = trace.parent[up] ?? -1) {
    const span = trace.spans[up];
    if (span === undefined || modelKind(span) === null || span.response_id !== '') break;
    const models = trace.spans.filter(
      (one, i) => trace.parent[i] === up && modelKind(one) !== null,
    ).length;
    if (models > 1) break;
    same.add(up);
  }
  return [...same];
}
