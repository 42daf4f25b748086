import type { Entries, Table } from './table.ts';

/** One span as stored: what OTLP carried, what the mapping made of it, and references to its payload. */
export interface SpanRow {
  readonly project: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly parent_id: string;
  readonly start: bigint;
  readonly end: bigint;
  readonly ver: bigint;
  readonly mapping_version: number;
  readonly name: string;
  readonly span_kind: string;
  readonly status: string;
  readonly status_message: string;
  readonly trace_state: string;
  readonly flags: number;
  readonly service: string;
  readonly scope_name: string;
  readonly scope_version: string;
  readonly resource: Entries<string>;
  readonly attributes: Entries<string>;
  readonly attribute_types: Entries<number>;
  readonly payload: Entries<readonly bigint[]>;
  readonly 'events.time': readonly bigint[];
  readonly 'events.name': readonly string[];
  readonly 'events.attributes': readonly Entries<string>[];
  readonly 'links.trace_id': readonly string[];
  readonly 'links.span_id': readonly string[];
  readonly 'links.attributes': readonly Entries<string>[];
  readonly convention: string;
  readonly kind: string;
  readonly operation: string;
  readonly provider: string;
  readonly framework: string;
  readonly request_model: string;
  readonly response_model: string;
  readonly response_id: string;
  readonly previous_response_id: string;
  readonly input_tokens: bigint | null;
  readonly output_tokens: bigint | null;
  readonly cache_read_tokens: bigint | null;
  readonly cache_write_tokens: bigint | null;
  readonly cache_write_1h_tokens: bigint | null;
  readonly reasoning_tokens: bigint | null;
  readonly usage_semantics: string;
  readonly service_tier: string;
  readonly cost_reported: number | null;
  readonly ttft_ms: number | null;
  readonly finish_reason: string;
  readonly error_type: string;
  readonly error_message: string;
  readonly agent_name: string;
  readonly agent_id: string;
  readonly conversation_id: string;
  readonly user_id: string;
  /** Name or hash of the API key that a gateway billed. */
  readonly api_key: string;
  readonly environment: string;
  readonly release: string;
  readonly prompt_name: string;
  readonly prompt_version: string;
  readonly prompt_fingerprint: string;
  readonly toolset_fingerprint: string;
  readonly agent_version_hash: string;
  readonly request_hash: string;
  readonly iteration: number | null;
  readonly task_id: string;
  readonly task_id_kind: string;
  readonly workflow: string;
  readonly task_attempt: number | null;
  readonly task_ref: string;
  readonly task_parent_id: string;
  readonly task_traffic: string;
  readonly task_idempotency_key: string;
  readonly tool_name: string;
  readonly tool_call_id: string;
  readonly tool_type: string;
  readonly tool_effect: string;
  readonly tool_risk: string;
  readonly tool_polling: number;
  readonly tool_error_by: string;
  readonly tool_arguments_hash: string;
  readonly tool_arguments_valid: number | null;
  readonly tool_result_hash: string;
  readonly tool_result_bytes: bigint | null;
  readonly tool_result_shape: string;
  readonly tool_result_valid: number | null;
  readonly tool_side_effect_key: string;
  readonly handoff_from: string;
  readonly handoff_to: string;
  readonly input_messages: readonly bigint[];
  readonly output_messages: readonly bigint[];
  readonly system_instructions: readonly bigint[];
  readonly tool_definitions: readonly bigint[];
  readonly tool_arguments: readonly bigint[];
  readonly tool_result: readonly bigint[];
}

export const spans: Table<SpanRow> = {
  name: 'spans',
  columns: {
    project: 'LowCardinality(String)',
    trace_id: 'String',
    span_id: 'String',
    parent_id: 'String',
    start: "DateTime64(9, 'UTC')",
    end: "DateTime64(9, 'UTC')",
    ver: 'UInt64',
    mapping_version: 'UInt16',
    name: 'LowCardinality(String)',
    span_kind: 'LowCardinality(String)',
    status: 'LowCardinality(String)',
    status_message: 'String',
    trace_state: 'String',
    flags: 'UInt32',
    service: 'LowCardinality(String)',
    scope_name: 'LowCardinality(String)',
    scope_version: 'LowCardinality(String)',
    resource: 'Map(LowCardinality(String), String)',
    attributes: 'Map(LowCardinality(String), String)',
    attribute_types: 'Map(LowCardinality(String), UInt8)',
    payload: 'Map(LowCardinality(String), Array(UInt64))',
    'events.time': "Array(DateTime64(9, 'UTC'))",
    'events.name': 'Array(LowCardinality(String))',
    'events.attributes': 'Array(Map(LowCardinality(String), String))',
    'links.trace_id': 'Array(String)',
    'links.span_id': 'Array(String)',
    'links.attributes': 'Array(Map(LowCardinality(String), String))',
    convention: 'LowCardinality(String)',
    kind: 'LowCardinality(String)',
    operation: 'LowCardinality(String)',
    provider: 'LowCardinality(String)',
    framework: 'LowCardinality(String)',
    request_model: 'LowCardinality(String)',
    response_model: 'LowCardinality(String)',
    response_id: 'String',
    previous_response_id: 'String',
    input_tokens: 'Nullable(UInt64)',
    output_tokens: 'Nullable(UInt64)',
    cache_read_tokens: 'Nullable(UInt64)',
    cache_write_tokens: 'Nullable(UInt64)',
    cache_write_1h_tokens: 'Nullable(UInt64)',
    reasoning_tokens: 'Nullable(UInt64)',
    usage_semantics: 'LowCardinality(String)',
    service_tier: 'LowCardinality(String)',
    cost_reported: 'Nullable(Float64)',
    ttft_ms: 'Nullable(Float64)',
    finish_reason: 'LowCardinality(String)',
    error_type: 'LowCardinality(String)',
    error_message: 'String',
    agent_name: 'LowCardinality(String)',
    agent_id: 'String',
    conversation_id: 'String',
    user_id: 'String',
    api_key: 'LowCardinality(String)',
    environment: 'LowCardinality(String)',
    release: 'LowCardinality(String)',
    prompt_name: 'LowCardinality(String)',
    prompt_version: 'LowCardinality(String)',
    prompt_fingerprint: 'LowCardinality(String)',
    toolset_fingerprint: 'LowCardinality(String)',
    agent_version_hash: 'LowCardinality(String)',
    request_hash: 'String',
    iteration: 'Nullable(UInt32)',
    task_id: 'String',
    task_id_kind: 'LowCardinality(String)',
    workflow: 'LowCardinality(String)',
    task_attempt: 'Nullable(UInt16)',
    task_ref: 'String',
    task_parent_id: 'String',
    task_traffic: 'LowCardinality(String)',
    task_idempotency_key: 'String',
    tool_name: 'LowCardinality(String)',
    tool_call_id: 'String',
    tool_type: 'LowCardinality(String)',
    tool_effect: 'LowCardinality(String)',
    tool_risk: 'LowCardinality(String)',
    tool_polling: 'UInt8',
    tool_error_by: 'LowCardinality(String)',
    tool_arguments_hash: 'String',
    tool_arguments_valid: 'Nullable(UInt8)',
    tool_result_hash: 'String',
    tool_result_bytes: 'Nullable(UInt64)',
    tool_result_shape: 'LowCardinality(String)',
    tool_result_valid: 'Nullable(UInt8)',
    tool_side_effect_key: 'String',
    handoff_from: 'LowCardinality(String)',
    handoff_to: 'LowCardinality(String)',
    input_messages: 'Array(UInt64)',
    output_messages: 'Array(UInt64)',
    system_instructions: 'Array(UInt64)',
    tool_definitions: 'Array(UInt64)',
    tool_arguments: 'Array(UInt64)',
    tool_result: 'Array(UInt64)',
  },
};
