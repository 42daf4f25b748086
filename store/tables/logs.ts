import type { Entries, Table } from './table.ts';

/** The call that a record reports: agents without spans tell of their calls so. */
export interface LogCallColumns {
  /** `llm embedding reranker tool`, `approval` where a person allowed or refused a call, '' where it reports none. */
  readonly kind: string;
  readonly provider: string;
  readonly request_model: string;
  readonly response_model: string;
  readonly response_id: string;
  readonly service_tier: string;
  readonly input_tokens: bigint | null;
  readonly output_tokens: bigint | null;
  readonly cache_read_tokens: bigint | null;
  readonly cache_write_tokens: bigint | null;
  readonly cache_write_1h_tokens: bigint | null;
  readonly reasoning_tokens: bigint | null;
  readonly cost_reported: number | null;
  /** The record is written at the end of the call. */
  readonly duration_ms: number | null;
  readonly ttft_ms: number | null;
  readonly tool_name: string;
  readonly tool_call_id: string;
  /** How the failure of the call shows, '' when there was none; of an approval `approved` or `denied`. */
  readonly call_status: string;
}

/** One log record as stored. `hash` is the xxh64 of body and attributes and part of its identity. */
export interface LogRow extends LogCallColumns {
  readonly project: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly time: bigint;
  readonly hash: bigint;
  readonly ver: bigint;
  readonly mapping_version: number;
  readonly event_name: string;
  readonly severity_number: number;
  readonly severity_text: string;
  readonly body: string;
  readonly service: string;
  readonly scope_name: string;
  readonly scope_version: string;
  readonly resource: Entries<string>;
  readonly attributes: Entries<string>;
  readonly attribute_types: Entries<number>;
  readonly task_id: string;
  readonly task_id_kind: string;
  readonly workflow: string;
  readonly agent_name: string;
  readonly conversation_id: string;
  readonly user_id: string;
  readonly environment: string;
  readonly release: string;
  /** What the record carries of its span's messages. */
  readonly input_messages: readonly bigint[];
  readonly output_messages: readonly bigint[];
  readonly system_instructions: readonly bigint[];
  readonly tool_definitions: readonly bigint[];
}

export const logs: Table<LogRow> = {
  name: 'logs',
  columns: {
    project: 'LowCardinality(String)',
    trace_id: 'String',
    span_id: 'String',
    time: "DateTime64(9, 'UTC')",
    hash: 'UInt64',
    ver: 'UInt64',
    mapping_version: 'UInt16',
    event_name: 'LowCardinality(String)',
    severity_number: 'UInt8',
    severity_text: 'LowCardinality(String)',
    body: 'String',
    service: 'LowCardinality(String)',
    scope_name: 'LowCardinality(String)',
    scope_version: 'LowCardinality(String)',
    resource: 'Map(LowCardinality(String), String)',
    attributes: 'Map(LowCardinality(String), String)',
    attribute_types: 'Map(LowCardinality(String), UInt8)',
    task_id: 'String',
    task_id_kind: 'LowCardinality(String)',
    workflow: 'LowCardinality(String)',
    agent_name: 'LowCardinality(String)',
    conversation_id: 'String',
    user_id: 'String',
    environment: 'LowCardinality(String)',
    release: 'LowCardinality(String)',
    input_messages: 'Array(UInt64)',
    output_messages: 'Array(UInt64)',
    system_instructions: 'Array(UInt64)',
    tool_definitions: 'Array(UInt64)',
    kind: 'LowCardinality(String)',
    provider: 'LowCardinality(String)',
    request_model: 'LowCardinality(String)',
    response_model: 'LowCardinality(String)',
    response_id: 'String',
    service_tier: 'LowCardinality(String)',
    input_tokens: 'Nullable(UInt64)',
    output_tokens: 'Nullable(UInt64)',
    cache_read_tokens: 'Nullable(UInt64)',
    cache_write_tokens: 'Nullable(UInt64)',
    cache_write_1h_tokens: 'Nullable(UInt64)',
    reasoning_tokens: 'Nullable(UInt64)',
    cost_reported: 'Nullable(Float64)',
    duration_ms: 'Nullable(Float64)',
    ttft_ms: 'Nullable(Float64)',
    tool_name: 'LowCardinality(String)',
    tool_call_id: 'String',
    call_status: 'LowCardinality(String)',
  },
};
