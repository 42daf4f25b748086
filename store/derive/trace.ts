import type { TaskLog, TaskSpan } from './telemetry.ts';
import type { Turns } from './turns.ts';

/** One trace as a forest. Everything about it is independent of the order in which spans were given. */
export interface Trace {
  readonly id: string;
  /** By start, then span id. */
  readonly spans: readonly TaskSpan[];
  /** Index of each span's parent, -1 when it has none here. */
  readonly parent: Int32Array;
  /** Distance of each span from the top of its tree. */
  readonly depth: Int32Array;
  /** Indices of the spans, each after its parent. */
  readonly order: Int32Array;
  readonly indexOf: ReadonlyMap<string, number>;
  readonly logs: readonly TaskLog[];
}

/** Puts spans and logs into their traces, by id; log records without a trace make the trace `''`. */
export function* groupTraces(spans: readonly TaskSpan[], logs: readonly TaskLog[]): Turns<Trace[]> {
  const groups = new Map<string, { spans: TaskSpan[]; logs: TaskLog[] }>();
  const groupOf = (id: string) => {
    let group = groups.get(id);
    if (group === undefined) {
      group = { spans: [], logs: [] };
      groups.set(id, group);
    }
    return group;
  };
  for (const span of spans) groupOf(span.trace_id).spans.push(span);
  for (const log of logs) groupOf(log.trace_id).logs.push(log);
  const traces: Trace[] = [];
  for (const [id, group] of [...groups].sort(([a], [b]) => compareText(a, b))) {
    yield;
    traces.push(plantTrace(id, group.spans, group.logs));
  }
  return traces;
}

/** Links the spans of one trace; span ids must be distinct. A cycle of parents is cut, a missing parent is none. */
export function plantTrace(
  id: string,
  unordered: readonly TaskSpan[],
  logs: readonly TaskLog[],
): Trace {
  const spans = [...unordered].sort(byStart);
  const indexOf = new Map(spans.map((span, i) => [span.span_id, i]));
  const parent = Int32Array.from(spans, (span) => indexOf.get(span.parent_id) ?? -1);
  cutCycles(parent);
  const { order, depth } = topDown(parent);
  return { id, spans, parent, depth, order, indexOf, logs };
}

/** Makes the earliest span of every cycle of parents a root. */
function cutCycles(parent: Int32Array): void {
  const seenFrom = new Int32Array(parent.length).fill(-1);
  for (let i = 0; i < parent.length; i++) {
    let at = i;
    while (at >= 0 && seenFrom[at] === -1) {
      seenFrom[at] = i;
      at = parent[at] ?? -1;
    }
    if (at < 0 || seenFrom[at] !== i) continue;
    let earliest = at;
    for (let on = parent[at] ?? at; on !== at; on = parent[on] ?? at) {
      earliest = Math.min(earliest, on);
    }
    parent[earliest] = -1;
  }
}

function topDown(parent: Int32Array): { order: Int32Array; depth: Int32Array } {
  const order = new Int32Array(parent.length);
  const depth = new Int32Array(parent.length);
  const placed = new Uint8Array(parent.length);
  let next = 0;
  for (let i = 0; i < parent.length; i++) {
    const chain: number[] = [];
    for (let at = i; at >= 0 && placed[at] === 0; at = parent[at] ?? -1) chain.push(at);
    for (const at of chain.reverse()) {
      const up = parent[at] ?? -1;
      depth[at] = up < 0 ? 0 : (depth[up] ?? 0) + 1;
      placed[at] = 1;
      order[next++] = at;
    }
  }
  return { order, depth };
}

function byStart(a: TaskSpan, b: TaskSpan): number {
  return compareTime(a.start, b.start) || compareText(a.span_id, b.span_id);
}

/** Order of two times in nanoseconds. */
export function compareTime(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Order by code unit: the same in every locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
