/** A span placed in its trace. Times are nanoseconds since 1970. */
export interface TreeSpan {
  readonly span_id: string;
  readonly parent_id: string;
  readonly trace_id: string;
  readonly start: bigint;
  readonly end: bigint;
}

export interface Placed<Span extends TreeSpan> {
  readonly span: Span;
  /** 0 for a root, or for a span whose parent has not arrived. */
  readonly depth: number;
  /** Time in which no child ran. */
  readonly self_ms: number;
  /** On the chain of spans that decided when the root ended. */
  readonly critical: boolean;
  /** Time in which this span alone decided when the root ended; 0 off the critical path. */
  readonly critical_ms: number;
}

interface Forest<Span extends TreeSpan> {
  readonly roots: readonly Span[];
  readonly children: ReadonlyMap<Span, readonly Span[]>;
}

/** The spans in depth-first order by start time, each with its depth, self time and place on the critical path. */
export function placeSpans<Span extends TreeSpan>(spans: readonly Span[]): Placed<Span>[] {
  const forest = grow(spans);
  const critical = timesIn(forest);
  const placed: Placed<Span>[] = [];
  const stack = forest.roots.map((span) => ({ span, depth: 0 })).reverse();
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { span, depth } = next;
    const children = forest.children.get(span) ?? [];
    placed.push({
      span,
      depth,
      self_ms: selfMs(span, children),
      critical: critical.has(span),
      critical_ms: critical.get(span) ?? 0,
    });
    for (const child of children.toReversed()) stack.push({ span: child, depth: depth + 1 });
  }
  return placed;
}

function byStart(a: TreeSpan, b: TreeSpan): number {
  if (a.start !== b.start) return a.start < b.start ? -1 : 1;
  return a.span_id < b.span_id ? -1 : 1;
}

function grow<Span extends TreeSpan>(spans: readonly Span[]): Forest<Span> {
  const sorted = spans.toSorted(byStart);
  const byId = new Map(sorted.map((span) => [`${span.trace_id} ${span.span_id}`, span]));
  const children = new Map<Span, Span[]>();
  const roots: Span[] = [];
  for (const span of sorted) {
    const parent = byId.get(`${span.trace_id} ${span.parent_id}`);
    if (parent === undefined || parent === span) roots.push(span);
    else listOf(children, parent).push(span);
  }
  return { roots: [...roots, ...unreached(sorted, roots, children)], children };
}

function listOf<Span>(children: Map<Span, Span[]>, parent: Span): Span[] {
  const list = children.get(parent) ?? [];
  children.set(parent, list);
  return list;
}

/** Spans that are each other's ancestors hang on no root: the earliest of each such ring becomes one. */
function unreached<Span extends TreeSpan>(
  sorted: readonly Span[],
  roots: readonly Span[],
  children: Map<Span, Span[]>,
): Span[] {
  const seen = new Set<Span>();
  const visit = (root: Span) => {
    const stack = [root];
    for (let span = stack.pop(); span !== undefined; span = stack.pop()) {
      if (seen.has(span)) continue;
      seen.add(span);
      stack.push(...(children.get(span) ?? []));
    }
  };
  for (const root of roots) visit(root);
  const extra: Span[] = [];
  const byId = new Map(sorted.map((span) => [`${span.trace_id} ${span.span_id}`, span]));
  for (const span of sorted) {
    if (seen.has(span)) continue;
    const parent = byId.get(`${span.trace_id} ${span.parent_id}`);
    const list = parent === undefined ? undefined : children.get(parent);
    list?.splice(list.indexOf(span), 1);
    extra.push(span);
    visit(span);
  }
  return extra;
}

function milliseconds(ns: bigint): number {
  return Number(ns) / 1e6;
}

function selfMs(span: TreeSpan, children: readonly TreeSpan[]): number {
  let covered = 0n;
  let reached = span.start;
  for (const child of children) {
    const from = child.start > reached ? child.start : reached;
    const to = child.end < span.end ? child.end : span.end;
    if (to > from) {
      covered += to - from;
      reached = to;
    }
  }
  const total = span.end > span.start ? span.end - span.start : 0n;
  return milliseconds(total - covered);
}

/** By span the time (ms) in which it alone decided when its root ended; spans off the critical path are missing. */
export function criticalTimes<Span extends TreeSpan>(spans: readonly Span[]): Map<Span, number> {
  return timesIn(grow(spans));
}

function timesIn<Span extends TreeSpan>({ roots, children }: Forest<Span>): Map<Span, number> {
  const times = new Map<Span, number>();
  for (const root of roots)
    walkCritical(root, children, (span, ns) => times.set(span, milliseconds(ns)));
  return times;
}

/**
 * Clocks start spans at whole milliseconds and end them more finely (ns): one that waited for another may seem to have
 * begun or ended this much before the other's end.
 */
const clockStep = 2_000_000n;

/**
 * Goes from the root's end backwards, at each level to the child that ended last before the point reached, and tells each
 * span of this path with the time (ns) in which none of its children was on it.
 */
function walkCritical<Span extends TreeSpan>(
  root: Span,
  children: ReadonlyMap<Span, readonly Span[]>,
  tell: (span: Span, own: bigint) => void,
): void {
  const stack: { span: Span; until: bigint }[] = [{ span: root, until: root.end }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    let until = next.until;
    let own = until - next.span.start;
    const candidates = (children.get(next.span) ?? []).toSorted((a, b) => (a.end < b.end ? 1 : -1));
    for (const child of candidates) {
      if (child.end > until + clockStep || child.start >= until || child.end <= next.span.start)
        continue;
      const end = child.end < until ? child.end : until;
      stack.push({ span: child, until: end });
      const from = child.start > next.span.start ? child.start : next.span.start;
      own -= end - from;
      until = from;
    }
    tell(next.span, own > 0n ? own : 0n);
  }
}
