import { byStart, type DecisionSpan, spanKey } from './evidence.ts';

/** Where a span stands: in whose agent's run, and below which tool. */
export interface Place {
  /** Name of the nearest agent. */
  readonly agent: string | null;
  /** Identity of the nearest agent's run; spans outside any agent share their parent's. */
  readonly scope: string;
  /** The nearest tool span around this one. */
  readonly tool: DecisionSpan | null;
}

export interface SpanTree {
  readonly sorted: readonly DecisionSpan[];
  readonly parent: (span: DecisionSpan) => DecisionSpan | undefined;
  readonly place: (span: DecisionSpan) => Place;
}

const scopeKinds = new Set(['agent', 'workflow', 'task']);

/** Looks up ancestors, each span placed once; a ring of parents ends where it closes. */
export function growTree(spans: readonly DecisionSpan[]): SpanTree {
  const sorted = spans.toSorted(byStart);
  const byId = new Map<string, DecisionSpan>();
  const twins = new Map<string, DecisionSpan>();
  for (const span of sorted) {
    const other = byId.get(span.span_id);
    if (other === undefined || other.trace_id === span.trace_id) byId.set(span.span_id, span);
    else twins.set(spanKey(span), span);
  }
  const places = new Map<DecisionSpan, Place>();

  function parent(span: DecisionSpan): DecisionSpan | undefined {
    if (span.parent_id === '' || span.parent_id === span.span_id) return undefined;
    const found = byId.get(span.parent_id);
    if (found === undefined || found.trace_id === span.trace_id) return found;
    return twins.get(`${span.trace_id} ${span.parent_id}`);
  }

  function place(span: DecisionSpan): Place {
    const known = places.get(span);
    if (known !== undefined) return known;
    const above = parent(span);
    if (above === undefined || places.has(above)) {
      const own = below(span, above, places);
      places.set(span, own);
      return own;
    }
    const open: DecisionSpan[] = [];
    const seen = new Set<DecisionSpan>();
    let at: DecisionSpan | undefined = span;
    while (at !== undefined && !places.has(at) && !seen.has(at)) {
      seen.add(at);
      open.push(at);
      at = parent(at);
    }
    for (const next of open.toReversed()) places.set(next, below(next, parent(next), places));
    return places.get(span) as Place;
  }

  return { sorted, parent, place };
}

function below(
  span: DecisionSpan,
  parent: DecisionSpan | undefined,
  places: ReadonlyMap<DecisionSpan, Place>,
): Place {
  const above = parent === undefined ? undefined : places.get(parent);
  const opens = scopeKinds.has(span.kind);
  const tool = parent?.kind === 'tool' ? parent : (above?.tool ?? null);
  const named = span.agent_name !== '' ? span.agent_name : (above?.agent ?? null);
  return {
    agent: named,
    scope: opens ? spanKey(span) : (above?.scope ?? `${span.trace_id} ${span.parent_id}`),
    tool,
  };
}
