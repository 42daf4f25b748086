import type { LogRow } from '../tables/logs.ts';
import type { SpanRow } from '../tables/spans.ts';
import type { TaskLog, TaskSpan } from './telemetry.ts';

/** 2026-03-04T10:00:00Z in nanoseconds: the zero of {@link ms}. */
export const EPOCH = 1_772_618_400_000_000_000n;

/** Milliseconds after {@link EPOCH}, as nanoseconds since 1970. */
export function ms(offset: number): bigint {
  return EPOCH + BigInt(Math.round(offset * 1e6));
}

/** A span event of a fixture: time, name, attributes. */
export type EventFixture = readonly [
  time: bigint,
  name: string,
  attributes: Record<string, string>,
];

/** A complete, unremarkable span of project `p`, one second long, with these values replaced. */
export function spanRow(
  values: Partial<SpanRow> & { readonly span_id: string },
  events: readonly EventFixture[] = [],
): SpanRow {
  const start = values.start ?? EPOCH;
  const end = values.end ?? start + 1_000_000_000n;
  return {
    ...BLANK_SPAN,
    start,
    end,
    ver: end === 0n ? 1n : (1n << 63n) | (end & 0xffffn),
    'events.time': events.map(([time]) => time),
    'events.name': events.map(([, name]) => name),
    'events.attributes': events.map(([, , attributes]) => Object.entries(attributes)),
    ...values,
  };
}

/** A log record of project `p` with these values replaced. */
export function logRow(values: Partial<LogRow> & { readonly event_name: string }): LogRow {
  return { ...BLANK_LOG, ...values };
}

/** What the derivation reads of a stored span. */
export function taskSpan(row: SpanRow): TaskSpan {
  const events = row['events.time'].map((time, i) => ({
    time,
    name: row['events.name'][i] ?? '',
    attributes: new Map(row['events.attributes'][i] ?? []),
  }));
  return { ...row, events };
}

/** What the derivation reads of a stored log record. */
export function taskLog(row: LogRow): TaskLog {
  return { ...row, attributes: new Map(row.attributes) };
}

/** A span as the derivation sees it; see {@link spanRow}. */
export function span(
  values: Partial<SpanRow> & { readonly span_id: string },
  events: readonly EventFixture[] = [],
): TaskSpan {
  return taskSpan(spanRow(values, events));
}

/** A state record at `at`, as the instrumentation sends it. */
export function stateLog(at: bigint, task: string, state: string, values: Partial<LogRow> = {}) {
  return logRow({
    event_name: 'agent.task.state',
    time: at,
    task_id: task,
    task_id_kind: 'declared',
    hash: BigInt(state.length) * 1000n + (at % 1000n),
    attributes: [['agent.task.state', state]],
    ...values,
  });
}

const BLANK_SPAN: SpanRow = {
  project: 'p',
  trace_id: 't1',
  span_id: '',
  parent_id: '',
  start: 0n,
  end: 0n,
  ver: 0n,
  mapping_version: 1,
  name: '',
  span_kind: 'internal',
  status: 'unset',
  status_message: '',
  trace_state: '',
  flags: 0,
  service: 'support',
  scope_name: '',
  scope_version: '',
  resource: [],
  attributes: [],
  attribute_types: [],
  payload: [],
  'events.time': [],
  'events.name': [],
  'events.attributes': [],
  'links.trace_id': [],
  'links.span_id': [],
  'links.attributes': [],
  convention: '',
  kind: 'other',
  operation: '',
  provider: '',
  framework: '',
  request_model: '',
  response_model: '',
  response_id: '',
  previous_response_id: '',
  input_tokens: null,
  output_tokens: null,
  cache_read_tokens: null,
  cache_write_tokens: null,
  cache_write_1h_tokens: null,
  reasoning_tokens: null,
  usage_semantics: '',
  service_tier: '',
  cost_reported: null,
  ttft_ms: null,
  finish_reason: '',
  error_type: '',
  error_message: '',
  agent_name: '',
  agent_id: '',
  conversation_id: '',
  user_id: '',
  environment: '',
  release: '',
  prompt_name: '',
  prompt_version: '',
  prompt_fingerprint: '',
  toolset_fingerprint: '',
  agent_version_hash: '',
  request_hash: '',
  iteration: null,
  task_id: '',
  task_id_kind: '',
  workflow: '',
  task_attempt: null,
  task_ref: '',
  task_parent_id: '',
  task_traffic: '',
  task_idempotency_key: '',
  tool_name: '',
  tool_call_id: '',
  tool_type: '',
  tool_effect: '',
  tool_risk: '',
  tool_polling: 0,
  tool_error_by: '',
  tool_arguments_hash: '',
  tool_arguments_valid: null,
  tool_result_hash: '',
  tool_result_bytes: null,
  tool_result_shape: '',
  tool_result_valid: null,
  tool_side_effect_key: '',
  handoff_from: '',
  handoff_to: '',
  input_messages: [],
  output_messages: [],
  system_instructions: [],
  tool_definitions: [],
  tool_arguments: [],
  tool_result: [],
};

const BLANK_LOG: LogRow = {
  project: 'p',
  trace_id: 't1',
  span_id: '',
  time: EPOCH,
  hash: 1n,
  ver: 1n,
  mapping_version: 1,
  event_name: '',
  severity_number: 9,
  severity_text: 'INFO',
  body: '',
  service: 'support',
  scope_name: '',
  scope_version: '',
  resource: [],
  attributes: [],
  attribute_types: [],
  task_id: '',
  task_id_kind: '',
  workflow: '',
  agent_name: '',
  conversation_id: '',
  user_id: '',
  environment: '',
  release: '',
  input_messages: [],
  output_messages: [],
  system_instructions: [],
  tool_definitions: [],
};
