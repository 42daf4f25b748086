import type { TaskRow } from '../tables/tasks.ts';
import type { Call } from './calls.ts';
import type { Member } from './parts.ts';
import { rateLimitedMs } from './rate-limit.ts';
import type { TaskSpan } from './telemetry.ts';

type CallColumns = Pick<TaskRow, Extract<keyof TaskRow, `calls.${string}`>>;

/** The nested columns of a task's calls, in order of start. `attemptAt` numbers calls that declare no attempt. */
export function callColumns(
  calls: readonly Call[],
  attemptAt: (time: bigint) => number,
): CallColumns {
  const of = <T>(value: (span: TaskSpan) => T): T[] => calls.map(({ span }) => value(span));
  return {
    'calls.span_id': of((span) => span.span_id),
    'calls.trace_id': of((span) => span.trace_id),
    'calls.kind': calls.map(({ kind }) => kind),
    'calls.name': calls.map(({ name }) => name),
    'calls.agent': calls.map(({ agent }) => agent),
    'calls.provider': calls.map(({ provider }) => provider),
    'calls.response_id': of((span) => span.response_id),
    'calls.service_tier': of((span) => span.service_tier),
    'calls.start': of((span) => span.start),
    'calls.duration_ms': of(durationMs),
    'calls.ttft_ms': of((span) => span.ttft_ms),
    'calls.attempt': calls.map(({ attempt, span }) => small(attempt ?? attemptAt(span.start))),
    'calls.error_by': calls.map(({ errorBy }) => errorBy),
    'calls.input_tokens': calls.map((call) => tokens(call, 'input_tokens')),
    'calls.output_tokens': calls.map((call) => tokens(call, 'output_tokens')),
    'calls.cache_read_tokens': of((span) => span.cache_read_tokens),
    'calls.cache_write_tokens': of((span) => span.cache_write_tokens),
    'calls.cache_write_1h_tokens': of((span) => span.cache_write_1h_tokens),
    'calls.reasoning_tokens': of((span) => span.reasoning_tokens),
    'calls.cost_reported': of((span) => span.cost_reported),
  };
}

// What an aggregate already counts is known to be none here, not unknown.
function tokens({ covered, span }: Call, name: 'input_tokens' | 'output_tokens'): bigint | null {
  return span[name] ?? (covered ? 0n : null);
}

/** How long a span took, in milliseconds; 0 while it is open or when its clock went backwards. */
export function durationMs(span: TaskSpan): number {
  return span.end > span.start ? Number(span.end - span.start) / 1e6 : 0;
}

/** Fits a count into UInt16. */
export function small(count: number): number {
  return Math.min(Math.max(count, 0), 65_535);
}

type Totals = Pick<
  TaskRow,
  | 'model_ms'
  | 'tool_ms'
  | 'retrieval_ms'
  | 'rate_limited_ms'
  | 'ttft_ms'
  | 'llm_calls'
  | 'tool_calls'
  | 'tool_errors'
  | 'input_tokens'
  | 'output_tokens'
  | 'cache_read_tokens'
  | 'cache_write_tokens'
  | 'reasoning_tokens'
  | 'peak_context_tokens'
>;

/** Sums over a task's calls, which come in order of start. Tokens are null where no call reports them. */
export function totals(calls: readonly Call[], members: readonly Member[]): Totals {
  const usage = calls.filter(({ kind }) => kind !== 'tool').map(({ span }) => span);
  const models = calls.filter(({ kind, aggregate }) => kind !== 'tool' && !aggregate);
  const llm = models.filter(({ kind }) => kind === 'llm').map(({ span }) => span);
  const bare = calls.filter(({ aggregate, covers }) => aggregate && !covers).length;
  const tools = calls.filter(({ kind }) => kind === 'tool');
  const retrievals = members.filter(({ span }) => span.kind === 'retriever');
  return {
    model_ms: sumMs(models.map(({ span }) => span)),
    tool_ms: sumMs(tools.map(({ span }) => span)),
    retrieval_ms: sumMs(retrievals.map(({ span }) => span)),
    rate_limited_ms: rateLimitedMs(models.map(({ span }) => span)),
    ttft_ms: llm[0]?.ttft_ms ?? null,
    llm_calls: llm.length + bare,
    tool_calls: tools.length,
    tool_errors: tools.filter(({ errorBy }) => errorBy !== '').length,
    input_tokens: sum(usage.map((span) => span.input_tokens)),
    output_tokens: sum(usage.map((span) => span.output_tokens)),
    cache_read_tokens: sum(usage.map((span) => span.cache_read_tokens)),
    cache_write_tokens: sum(usage.map((span) => span.cache_write_tokens)),
    reasoning_tokens: sum(usage.map((span) => span.reasoning_tokens)),
    peak_context_tokens: largest(llm.map((span) => span.input_tokens)),
  };
}

function sumMs(spans: readonly TaskSpan[]): number {
  return spans.reduce((total, span) => total + durationMs(span), 0);
}

function sum(values: readonly (bigint | null)[]): bigint | null {
  return fold(values, (a, b) => a + b);
}

function largest(values: readonly (bigint | null)[]): bigint | null {
  return fold(values, (a, b) => (a > b ? a : b));
}

function fold(
  values: readonly (bigint | null)[],
  merge: (a: bigint, b: bigint) => bigint,
): bigint | null {
  let total: bigint | null = null;
  for (const value of values) {
    if (value !== null) total = total === null ? value : merge(total, value);
  }
  return total;
}
