import { emptyRow } from '../../store/tables/empty-row.ts';
import type { OutcomeRow } from '../../store/tables/outcomes.ts';
import type { PriceRow } from '../../store/tables/prices.ts';
import { type SpanRow, spans } from '../../store/tables/spans.ts';
import { type TaskRow, tasks } from '../../store/tables/tasks.ts';

/** Nanoseconds since 1970 of a time such as `2026-03-01T10:00:00Z`. */
export function nanos(time: string): bigint {
  return BigInt(Date.parse(time)) * 1_000_000n;
}

/** Days since 1970. */
export function dayOf(time: string): number {
  return Math.floor(Date.parse(time) / 86_400_000);
}

/** One call of a task; what is not given is zero, empty or unknown. */
export interface Call {
  readonly kind?: string;
  readonly name?: string;
  readonly provider?: string;
  readonly response_id?: string;
  readonly service_tier?: string;
  readonly start?: string;
  readonly error_by?: string;
  readonly ttft_ms?: number;
  readonly input?: number;
  readonly output?: number;
  readonly read?: number;
  readonly write?: number;
  readonly write_1h?: number;
  readonly reported?: number;
}

interface Times {
  readonly task_id: string;
  readonly started: string;
  /** Omitted: the task is open. */
  readonly ended?: string;
  /** Last signal; the end unless given. */
  readonly last?: string;
  readonly calls?: readonly Call[];
}

/** A task row by hand: times as text, calls as a list, the rest as in the table. Done unless it says otherwise. */
export function taskRow(times: Times, fields: Partial<TaskRow> = {}): TaskRow {
  const { task_id, started, ended, calls = [] } = times;
  const started_at = nanos(started);
  return {
    ...emptyRow(tasks),
    workflow: 'support',
    agent_path: 'support',
    traffic: 'live',
    attribution: 'declared',
    attempts: 1,
    spans: 1,
    ...callColumns(calls, started),
    project: 'p',
    day: dayOf(started),
    task_id,
    ver: 1n,
    declared_state: ended === undefined ? 'running' : 'done',
    started_at,
    ended_at: ended === undefined ? null : nanos(ended),
    last_signal_at: nanos(times.last ?? ended ?? started),
    llm_calls: calls.filter((call) => (call.kind ?? 'llm') === 'llm').length,
    tool_calls: calls.filter((call) => call.kind === 'tool').length,
    ...fields,
  };
}

function callColumns(calls: readonly Call[], started: string) {
  const tokens = (pick: (call: Call) => number | undefined) =>
    calls.map((call) => {
      const count = pick(call);
      return count === undefined ? null : BigInt(count);
    });
  return {
    'calls.span_id': calls.map((_, i) => `span${i}`),
    'calls.trace_id': calls.map(() => 'trace'),
    'calls.kind': calls.map((call) => call.kind ?? 'llm'),
    'calls.name': calls.map((call) => call.name ?? 'gpt-4o'),
    'calls.agent': calls.map(() => 'support'),
    'calls.provider': calls.map((call) => call.provider ?? 'openai'),
    'calls.response_id': calls.map((call) => call.response_id ?? ''),
    'calls.service_tier': calls.map((call) => call.service_tier ?? ''),
    'calls.start': calls.map((call) => nanos(call.start ?? started)),
    'calls.duration_ms': calls.map(() => 1),
    'calls.ttft_ms': calls.map((call) => call.ttft_ms ?? null),
    'calls.attempt': calls.map(() => 1),
    'calls.error_by': calls.map((call) => call.error_by ?? ''),
    'calls.input_tokens': tokens((call) => call.input),
    'calls.output_tokens': tokens((call) => call.output),
    'calls.cache_read_tokens': tokens((call) => call.read),
    'calls.cache_write_tokens': tokens((call) => call.write),
    'calls.cache_write_1h_tokens': tokens((call) => call.write_1h),
    'calls.reasoning_tokens': calls.map(() => null),
    'calls.cost_reported': calls.map((call) => call.reported ?? null),
  };
}

/** A verdict by hand, given at noon of 2026-03-02 unless it says otherwise. */
export function outcomeRow(fields: Partial<OutcomeRow> & { readonly key: string }): OutcomeRow {
  return {
    project: 'p',
    task_id: '',
    ref: '',
    trace_id: '',
    response_id: '',
    session_id: '',
    outcome: 'success',
    score: null,
    reason: '',
    source: 'explicit',
    by: '',
    at: nanos('2026-03-02T12:00:00Z') / 1000n,
    ...fields,
  };
}

/** A dated price by hand, in USD per million tokens: [from_input_tokens, input, output, read, write, write_1h]. */
export function priceRow(
  model: string,
  from: string,
  tiers: readonly (readonly [number, number, number, number, number, number])[],
): PriceRow {
  return {
    project: 'p',
    provider: 'openai',
    model,
    origin: 'list',
    deleted: 0,
    multipliers: [],
    valid_from: BigInt(Date.parse(from)),
    source: 'by hand',
    priced: 1,
    tiers: tiers.map(([start, ...usd]) => {
      const [input, output, read, write, write_1h] = usd.map((price) => price / 1e6);
      return [BigInt(start), input ?? 0, output ?? 0, read ?? 0, write ?? 0, write_1h ?? 0];
    }),
    context_window: null,
  };
}

/** A span by hand; every other column has the zero of its type. */
export function spanRow(fields: Partial<SpanRow>): SpanRow {
  return {
    ...emptyRow(spans),
    project: 'p',
    ver: 1n,
    kind: 'other',
    span_kind: 'internal',
    status: 'unset',
    ...fields,
  };
}
