import { hasUsage, oneSightingEach } from './sightings.ts';
import { isToolCall, type ModelKind, modelKind, type TaskSpan } from './telemetry.ts';
import type { Trace } from './trace.ts';

/** A span whose usage counts. */
export interface Counted {
  readonly index: number;
  /** The span whose place in the tree tells the agent. */
  readonly place: number;
  readonly kind: ModelKind;
  /** It stands for model calls that report no usage themselves. */
  readonly aggregate: boolean;
  /** The model call whose usage is in an aggregate above it: the aggregate's index, else -1. */
  readonly coveredBy: number;
}

const BIT: Readonly<Record<ModelKind, number>> = { llm: 1, embedding: 2, reranker: 4 };
const USAGE = 3; // shift of the bits that say "with usage"

interface ModelCall {
  readonly index: number;
  readonly kind: ModelKind;
}

/**
 * The spans of a trace whose usage counts, so that wrappers, middleware and retries never count twice:
 * of nested model spans of a kind the innermost with usage; of siblings with one response id and the same tokens the
 * first; an agent's own sum only where no model call below it reports usage, and then the outermost such agent.
 * Where several instrumentations saw a call, see {@link oneSightingEach}.
 * A model span below a tool is not nested in the model span above that: the tool made a call of its own.
 */
export function countedUsage(trace: Trace): Counted[] {
  const { beneath, nested } = bitsBelow(trace);
  const { sums, coveredBy } = aggregates(trace, beneath);
  const models = oneSightingEach(trace, withoutDuplicates(trace, modelCalls(trace, nested)));
  return [
    ...models.map(({ index, place, kind }) => ({
      index,
      place,
      kind,
      aggregate: false,
      coveredBy: coveredBy[index] ?? -1,
    })),
    ...sums.map((index) => ({
      index,
      place: index,
      kind: 'llm' as const,
      aggregate: true,
      coveredBy: -1,
    })),
  ];
}

function isTool(span: TaskSpan | undefined): boolean {
  return span !== undefined && isToolCall(span);
}

/** Per span, which model kinds lie below it (bits 0–2) and which with usage (3–5): all, and without crossing a tool. */
function bitsBelow(trace: Trace) {
  const beneath = new Uint8Array(trace.spans.length);
  const nested = new Uint8Array(trace.spans.length);
  for (let n = trace.order.length - 1; n >= 0; n--) {
    const i = trace.order[n] ?? 0;
    const span = trace.spans[i];
    const up = trace.parent[i] ?? -1;
    if (span === undefined || up < 0) continue;
    const kind = modelKind(span);
    const own = kind === null ? 0 : BIT[kind] | (hasUsage(span) ? BIT[kind] << USAGE : 0);
    beneath[up] = (beneath[up] ?? 0) | own | (beneath[i] ?? 0);
    if (!isTool(span)) nested[up] = (nested[up] ?? 0) | own | (nested[i] ?? 0);
  }
  return { beneath, nested };
}

function modelCalls(trace: Trace, nested: Uint8Array): ModelCall[] {
  const counted: ModelCall[] = [];
  const countedAbove = new Uint8Array(trace.spans.length);
  for (const index of trace.order) {
    const span = trace.spans[index];
    if (span === undefined) continue;
    const above = isTool(span) ? 0 : (countedAbove[trace.parent[index] ?? -1] ?? 0);
    countedAbove[index] = above;
    const kind = modelKind(span);
    if (kind === null) continue;
    const bit = BIT[kind];
    const below = nested[index] ?? 0;
    const counts = hasUsage(span)
      ? (below & (bit << USAGE)) === 0
      : (below & bit) === 0 && (above & bit) === 0;
    if (!counts) continue;
    countedAbove[index] = above | bit;
    counted.push({ index, kind });
  }
  return counted;
}

function withoutDuplicates(trace: Trace, calls: readonly ModelCall[]): ModelCall[] {
  const firsts = new Map<string, ModelCall>();
  const seen = new Set<string>();
  // By index, that is by start: which of two equal siblings stays must not depend on anything else.
  return calls
    .toSorted((a, b) => a.index - b.index)
    .filter((call) => {
      const id = trace.spans[call.index]?.response_id ?? '';
      if (id === '') return true;
      const first = firsts.get(id);
      // Nearly always: no key is made for a response that is told of once.
      if (first === undefined) {
        firsts.set(id, call);
        return true;
      }
      seen.add(keyOf(trace, first));
      const key = keyOf(trace, call);
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
}

function keyOf(trace: Trace, { index, kind }: ModelCall): string {
  const span = trace.spans[index];
  if (span === undefined) return '';
  const { input_tokens, output_tokens, cache_read_tokens, cache_write_tokens } = span;
  const tokens = [input_tokens, output_tokens, cache_read_tokens, cache_write_tokens].map(String);
  return JSON.stringify([span.parent_id, span.scope_name, kind, span.response_id, ...tokens]);
}

const AGGREGATING = new Set(['agent', 'workflow', 'task']);

/** The outermost agents that alone know the usage below them, and for each span the one it lies under. */
function aggregates(trace: Trace, beneath: Uint8Array) {
  const sums: number[] = [];
  const coveredBy = new Int32Array(trace.spans.length).fill(-1);
  for (const index of trace.order) {
    const span = trace.spans[index];
    const above = coveredBy[trace.parent[index] ?? -1] ?? -1;
    coveredBy[index] = above;
    if (span === undefined || above >= 0) continue;
    const usageBelow = (beneath[index] ?? 0) >> USAGE !== 0;
    if (!AGGREGATING.has(span.kind) || !hasUsage(span) || usageBelow) continue;
    coveredBy[index] = index;
    sums.push(index);
  }
  return { sums, coveredBy };
}
