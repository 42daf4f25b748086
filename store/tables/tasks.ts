import type { Table } from './table.ts';

/** One task as derived from its spans and logs. Nothing in it depends on the clock, on prices or on late verdicts: the view `tasks_v` joins those. */
export interface TaskRow {
  readonly project: string;
  readonly day: number;
  readonly task_id: string;
  readonly ver: bigint;
  readonly deleted: number;
  readonly workflow: string;
  readonly agent_path: string;
  readonly session_id: string;
  readonly user_id: string;
  /** Name or hash of the API key that a gateway billed. */
  readonly api_key: string;
  readonly environment: string;
  readonly release: string;
  readonly service: string;
  readonly prompt_versions: readonly string[];
  readonly agent_version_hash: string;
  readonly traffic: string;
  readonly ref: string;
  readonly parent_id: string;
  readonly attribution: string;
  readonly declared_state: string;
  readonly root_ended: number;
  readonly root_error: number;
  readonly attempts: number;
  readonly started_at: bigint;
  readonly ended_at: bigint | null;
  readonly last_signal_at: bigint;
  readonly model_ms: number;
  readonly tool_ms: number;
  readonly retrieval_ms: number;
  readonly human_wait_ms: number;
  readonly rate_limited_ms: number;
  readonly queued_ms: number;
  readonly ttft_ms: number | null;
  readonly waiting_since: bigint | null;
  readonly llm_calls: number;
  readonly tool_calls: number;
  readonly tool_errors: number;
  readonly handoffs: number;
  readonly approvals: number;
  readonly escalated: number;
  readonly input_tokens: bigint | null;
  readonly output_tokens: bigint | null;
  readonly cache_read_tokens: bigint | null;
  readonly cache_write_tokens: bigint | null;
  readonly reasoning_tokens: bigint | null;
  readonly peak_context_tokens: bigint | null;
  readonly trace_ids: readonly string[];
  readonly spans: number;
  readonly error_message: string;
  readonly 'calls.span_id': readonly string[];
  readonly 'calls.trace_id': readonly string[];
  readonly 'calls.kind': readonly string[];
  readonly 'calls.name': readonly string[];
  readonly 'calls.agent': readonly string[];
  readonly 'calls.provider': readonly string[];
  readonly 'calls.response_id': readonly string[];
  readonly 'calls.service_tier': readonly string[];
  readonly 'calls.start': readonly bigint[];
  readonly 'calls.duration_ms': readonly number[];
  readonly 'calls.ttft_ms': readonly (number | null)[];
  readonly 'calls.attempt': readonly number[];
  readonly 'calls.error_by': readonly string[];
  readonly 'calls.input_tokens': readonly (bigint | null)[];
  readonly 'calls.output_tokens': readonly (bigint | null)[];
  readonly 'calls.cache_read_tokens': readonly (bigint | null)[];
  readonly 'calls.cache_write_tokens': readonly (bigint | null)[];
  readonly 'calls.cache_write_1h_tokens': readonly (bigint | null)[];
  readonly 'calls.reasoning_tokens': readonly (bigint | null)[];
  readonly 'calls.cost_reported': readonly (number | null)[];
  readonly 'transitions.at': readonly bigint[];
  readonly 'transitions.state': readonly string[];
  readonly 'transitions.reason': readonly string[];
  readonly 'transitions.applied': readonly number[];
}

export const tasks: Table<TaskRow> = {
  name: 'tasks',
  columns: {
    project: 'LowCardinality(String)',
    day: 'Date',
    task_id: 'String',
    ver: 'UInt64',
    deleted: 'UInt8',
    workflow: 'LowCardinality(String)',
    agent_path: 'LowCardinality(String)',
    session_id: 'String',
    user_id: 'String',
    api_key: 'LowCardinality(String)',
    environment: 'LowCardinality(String)',
    release: 'LowCardinality(String)',
    service: 'LowCardinality(String)',
    prompt_versions: 'Array(LowCardinality(String))',
    agent_version_hash: 'LowCardinality(String)',
    traffic: 'LowCardinality(String)',
    ref: 'String',
    parent_id: 'String',
    attribution: 'LowCardinality(String)',
    declared_state: 'LowCardinality(String)',
    root_ended: 'UInt8',
    root_error: 'UInt8',
    attempts: 'UInt16',
    started_at: "DateTime64(9, 'UTC')",
    ended_at: "Nullable(DateTime64(9, 'UTC'))",
    last_signal_at: "DateTime64(9, 'UTC')",
    model_ms: 'Float64',
    tool_ms: 'Float64',
    retrieval_ms: 'Float64',
    human_wait_ms: 'Float64',
    rate_limited_ms: 'Float64',
    queued_ms: 'Float64',
    ttft_ms: 'Nullable(Float64)',
    waiting_since: "Nullable(DateTime64(9, 'UTC'))",
    llm_calls: 'UInt32',
    tool_calls: 'UInt32',
    tool_errors: 'UInt32',
    handoffs: 'UInt32',
    approvals: 'UInt32',
    escalated: 'UInt8',
    input_tokens: 'Nullable(UInt64)',
    output_tokens: 'Nullable(UInt64)',
    cache_read_tokens: 'Nullable(UInt64)',
    cache_write_tokens: 'Nullable(UInt64)',
    reasoning_tokens: 'Nullable(UInt64)',
    peak_context_tokens: 'Nullable(UInt64)',
    trace_ids: 'Array(String)',
    spans: 'UInt32',
    error_message: 'String',
    'calls.span_id': 'Array(String)',
    'calls.trace_id': 'Array(String)',
    'calls.kind': 'Array(LowCardinality(String))',
    'calls.name': 'Array(LowCardinality(String))',
    'calls.agent': 'Array(LowCardinality(String))',
    'calls.provider': 'Array(LowCardinality(String))',
    'calls.response_id': 'Array(String)',
    'calls.service_tier': 'Array(LowCardinality(String))',
    'calls.start': "Array(DateTime64(9, 'UTC'))",
    'calls.duration_ms': 'Array(Float64)',
    'calls.ttft_ms': 'Array(Nullable(Float64))',
    'calls.attempt': 'Array(UInt16)',
    'calls.error_by': 'Array(LowCardinality(String))',
    'calls.input_tokens': 'Array(Nullable(UInt64))',
    'calls.output_tokens': 'Array(Nullable(UInt64))',
    'calls.cache_read_tokens': 'Array(Nullable(UInt64))',
    'calls.cache_write_tokens': 'Array(Nullable(UInt64))',
    'calls.cache_write_1h_tokens': 'Array(Nullable(UInt64))',
    'calls.reasoning_tokens': 'Array(Nullable(UInt64))',
    'calls.cost_reported': 'Array(Nullable(Float64))',
    'transitions.at': "Array(DateTime64(9, 'UTC'))",
    'transitions.state': 'Array(LowCardinality(String))',
    'transitions.reason': 'Array(String)',
    'transitions.applied': 'Array(UInt8)',
  },
};
