import { isToolCall, type ModelKind, modelKind, type TaskSpan } from './telemetry.ts';
import type { Trace } from './trace.ts';
import { type Counted, countedUsage } from './usage.ts';

/** A model or tool call that counts. */
export interface Call {
  readonly span: TaskSpan;
  /** Index of the span in its trace. */
  readonly index: number;
  readonly kind: ModelKind | 'tool';
  /** An agent's own sum of usage, standing in for model calls that report none. */
  readonly aggregate: boolean;
  /** An aggregate over at least one model call that is listed by itself. */
  readonly covers: boolean;
  /** The usage of this model call is in an aggregate. */
  readonly covered: boolean;
  readonly provider: string;
  /** Name of the model or the tool. */
  readonly name: string;
  /** Nearest agent at or above the call. */
  readonly agent: string;
  /** Attempt declared at or above the call; null when none is. */
  readonly attempt: number | null;
  /** How the failure showed, `''` when there was none. */
  readonly errorBy: string;
}

/** The counted calls of a trace, and for each span the tool call or handoff span it lies in (itself included), or -1. */
export interface Calls {
  readonly calls: readonly Call[];
  readonly inside: Int32Array;
}

/** Finds the calls of a trace that count. */
export function callsOf(trace: Trace): Calls {
  const { agents, attempts } = inherited(trace);
  const { errors, inside } = toolCalls(trace);
  const calls: Call[] = [];
  const add = (
    index: number,
    call: Omit<Call, 'span' | 'index' | 'agent' | 'attempt'>,
    place = index,
  ) => {
    const span = trace.spans[index];
    if (span === undefined) return;
    const agent = agents[place] ?? '';
    calls.push({ span, index, agent, attempt: attempts[place] ?? null, ...call });
  };
  const counted = countedUsage(trace);
  const models = modelsOfAggregates(trace, counted);
  const covering = new Set(counted.map(({ coveredBy }) => coveredBy));
  for (const { index, place, kind, aggregate, coveredBy } of counted) {
    const own = trace.spans[index];
    const model = (aggregate ? models.get(index) : undefined) ?? own;
    const name = model?.response_model || model?.request_model || '';
    const errorBy = own?.status === 'error' ? 'span' : '';
    const provider = model?.provider ?? '';
    const covers = aggregate && covering.has(index);
    const usage = { aggregate, covers, covered: coveredBy >= 0 };
    add(index, { kind, ...usage, provider, name, errorBy }, place);
  }
  for (const [index, errorBy] of errors) {
    const span = trace.spans[index];
    const name = span?.tool_name ?? '';
    const provider = span?.provider ?? '';
    const usage = { aggregate: false, covers: false, covered: false };
    add(index, { kind: 'tool', ...usage, provider, name, errorBy });
  }
  return { calls, inside };
}

/** An agent that names no model used the one of its first model call. */
function modelsOfAggregates(trace: Trace, counted: readonly Counted[]): Map<number, TaskSpan> {
  const models = new Map<number, TaskSpan>();
  for (const { index, coveredBy } of counted) {
    const above = trace.spans[coveredBy];
    const span = trace.spans[index];
    if (above === undefined || span === undefined || models.has(coveredBy)) continue;
    if (above.response_model === '' && above.request_model === '') models.set(coveredBy, span);
  }
  return models;
}

function inherited(trace: Trace) {
  const agents = new Array<string>(trace.spans.length).fill('');
  const attempts = new Array<number | null>(trace.spans.length).fill(null);
  for (const i of trace.order) {
    const up = trace.parent[i] ?? -1;
    agents[i] = trace.spans[i]?.agent_name || (agents[up] ?? '');
    attempts[i] = trace.spans[i]?.task_attempt ?? attempts[up] ?? null;
  }
  return { agents, attempts };
}

/**
 * Tool calls by span index, with how each failed. A tool span inside a tool span of the same tool (a framework above
 * an MCP client above its server) is the same call; one below a model call or an agent is another.
 */
function toolCalls(trace: Trace): { errors: Map<number, string>; inside: Int32Array } {
  const errors = new Map<number, string>();
  const inside = new Int32Array(trace.spans.length).fill(-1);
  for (const i of trace.order) {
    const span = trace.spans[i];
    if (span === undefined) continue;
    const above = inside[trace.parent[i] ?? -1] ?? -1;
    const isCall = isToolCall(span);
    if (!isCall && span.kind !== 'handoff') {
      inside[i] = span.kind === 'agent' || modelKind(span) !== null ? -1 : above;
      continue;
    }
    const outer = trace.spans[above];
    const nested = outer !== undefined && isToolCall(outer) && isSameCall(outer, span);
    const call = nested ? above : i;
    inside[i] = call;
    if (isCall) errors.set(call, errors.get(call) || span.tool_error_by);
  }
  return { errors, inside };
}

function isSameCall(outer: TaskSpan, inner: TaskSpan): boolean {
  const a = outer.tool_call_id;
  const b = inner.tool_call_id;
  if (a !== '' && b !== '') return a === b;
  return isSameTool(outer.tool_name, inner.tool_name);
}

// `mcp__github__search` is how a client names the server's `search`.
function isSameTool(a: string, b: string): boolean {
  if (a === b || a === '' || b === '') return true;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return ['__', '.', '/', ':'].some((separator) => long.endsWith(separator + short));
}
