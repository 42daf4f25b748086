import { isToolCall, type ModelKind, modelKind, type TaskSpan } from './telemetry.ts';
import { compareTime, type Trace } from './trace.ts';

/** A model call as one instrumentation saw it. */
export interface Sighting {
  readonly index: number;
  readonly kind: ModelKind;
  /** The span whose place in the tree tells the agent: of several sightings the one that lies deepest. */
  readonly place: number;
}

/**
 * One sighting per call where several instrumentations saw it: a framework's, a client's and a gateway's span of the
 * same request. Spans of different scopes are one call when they name the same response, or when they overlap and agree
 * on model and tokens; each scope sees a call once, so that equal calls side by side stay apart. The sighting that
 * knows most of the usage stays, of equals the one given (for nested spans the innermost, else the first).
 */
export function oneSightingEach(
  trace: Trace,
  calls: readonly { readonly index: number; readonly kind: ModelKind }[],
): Sighting[] {
  const seen = calls.map(({ index, kind }) => ({ index, kind, place: index }));
  if (!severalScopes(trace)) return seen;
  return sideBySide(trace, nested(trace, seen));
}

function severalScopes(trace: Trace): boolean {
  let scope: string | undefined;
  for (const span of trace.spans) {
    if (modelKind(span) === null) continue;
    scope ??= span.scope_name;
    if (span.scope_name !== scope) return true;
  }
  return false;
}

/** Moves a count up to the model span around it, where that is the same call and knows more. */
function nested(trace: Trace, calls: readonly Sighting[]): Sighting[] {
  const above = modelAbove(trace);
  const usedBelow = new Map<number, number>();
  for (const { index } of calls) {
    if (!hasUsage(trace.spans[index])) continue;
    const up = above[index] ?? -1;
    usedBelow.set(up, (usedBelow.get(up) ?? 0) + 1);
  }
  const moved = calls.map((call) => {
    const up = above[call.index] ?? -1;
    const outer = trace.spans[up];
    const inner = trace.spans[call.index];
    if (outer === undefined || inner === undefined || usedBelow.get(up) !== 1) return call;
    const better = isSame(outer, inner) && knowledge(outer) > knowledge(inner);
    return better ? { ...call, index: up } : call;
  });
  const counted = new Set(moved.map(({ index }) => index));
  // What reported no usage below a call that did is a part of that call.
  return moved.filter(
    ({ index }) => hasUsage(trace.spans[index]) || !counted.has(above[index] ?? -1),
  );
}

/** Nearest model span above each span, not across a tool: that would make a call of its own. */
function modelAbove(trace: Trace): Int32Array {
  const above = new Int32Array(trace.spans.length).fill(-1);
  for (const i of trace.order) {
    const up = trace.parent[i] ?? -1;
    const span = trace.spans[up];
    if (span === undefined || isToolCall(span)) continue;
    above[i] = modelKind(span) === null ? (above[up] ?? -1) : up;
  }
  return above;
}

// Bounds the search where a server gives every answer the same id, or a burst of equal calls is under way.
const MAX_OPEN = 64;

interface Cluster {
  best: Sighting;
  readonly scopes: Set<string>;
  end: bigint;
}

function sideBySide(trace: Trace, calls: readonly Sighting[]): Sighting[] {
  const spanOf = ({ index }: Sighting) => trace.spans[index];
  // By index, that is by start: what belongs together must not depend on anything else.
  const ordered = [...calls].sort((a, b) => a.index - b.index);
  const byKey = new Map<string, Cluster[]>();
  const clusters: Cluster[] = [];
  for (const call of ordered) {
    const span = spanOf(call);
    if (span === undefined) continue;
    const keys = keysOf(call, span);
    const match = (cluster: Cluster, byId: boolean) => {
      const other = spanOf(cluster.best);
      if (other === undefined || cluster.scopes.has(span.scope_name)) return false;
      return (byId || compareTime(span.start, cluster.end) <= 0) && isSame(other, span);
    };
    const cluster = keys
      .flatMap((key) => (byKey.get(key) ?? []).map((one) => ({ one, byId: key.startsWith('id ') })))
      .find(({ one, byId }) => match(one, byId))?.one;
    if (cluster === undefined) {
      const fresh = { best: call, scopes: new Set([span.scope_name]), end: span.end };
      clusters.push(fresh);
      for (const key of keys) {
        // Sorted by start: what has ended overlaps nothing that comes.
        const open = key.startsWith('id ')
          ? (byKey.get(key) ?? [])
          : (byKey.get(key) ?? []).filter(({ end }) => end >= span.start);
        byKey.set(key, [...open.slice(1 - MAX_OPEN), fresh]);
      }
    } else join(trace, cluster, call, span);
  }
  return clusters.map(({ best }) => best);
}

function join(trace: Trace, cluster: Cluster, call: Sighting, span: TaskSpan): void {
  const { best } = cluster;
  const known = trace.spans[best.index];
  const deeper = (trace.depth[call.place] ?? 0) > (trace.depth[best.place] ?? 0);
  const place = deeper ? call.place : best.place;
  const more = known === undefined || knowledge(span) > knowledge(known);
  cluster.best = { ...(more ? call : best), place };
  cluster.scopes.add(span.scope_name);
  if (span.end > cluster.end) cluster.end = span.end;
}

function keysOf({ kind }: Sighting, span: TaskSpan): string[] {
  const keys: string[] = [];
  if (span.response_id !== '') keys.push(`id ${kind} ${span.response_id}`);
  if (hasUsage(span)) keys.push(`tokens ${kind} ${span.input_tokens} ${span.output_tokens}`);
  return keys;
}

/** Whether two spans that may be one call tell of one. */
function isSame(a: TaskSpan, b: TaskSpan): boolean {
  if (a.scope_name === b.scope_name) return false;
  if (a.response_id !== '' && b.response_id !== '') return a.response_id === b.response_id;
  return (
    a.input_tokens === b.input_tokens && a.output_tokens === b.output_tokens && sameModel(a, b)
  );
}

function sameModel(a: TaskSpan, b: TaskSpan): boolean {
  const named = [a.request_model, a.response_model].filter((name) => name !== '');
  const others = [b.request_model, b.response_model].filter((name) => name !== '');
  return named.length === 0 || others.length === 0 || named.some((name) => others.includes(name));
}

/** How much the span tells: first of what a price depends on, then of the answer. */
function knowledge(span: TaskSpan): number {
  const { cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, reasoning_tokens } = span;
  const details = [cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, reasoning_tokens];
  const known = details.filter((tokens) => tokens !== null).length;
  return 10 * known + Number(span.ttft_ms !== null) + Number(span.response_id !== '');
}

/** Whether a span reports any tokens. */
export function hasUsage(span: TaskSpan | undefined): boolean {
  return span !== undefined && (isPositive(span.input_tokens) || isPositive(span.output_tokens));
}

function isPositive(tokens: bigint | null): boolean {
  return tokens !== null && tokens > 0n;
}
