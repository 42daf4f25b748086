-- Keys (PARTITION BY, ORDER BY) are a contract: ClickHouse cannot change them later. Types and codecs may change.
-- Parts are fsynced before an insert is answered (law 1).
-- Every key column is a function of the row's own identity, never of anything resolved or derived.

CREATE TABLE IF NOT EXISTS spans
(
    project LowCardinality(String),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    parent_id String CODEC(ZSTD(1)),
    start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    end DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    ver UInt64 CODEC(ZSTD(1)),
    mapping_version UInt16,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6) CODEC(Delta, ZSTD(1)),

    name LowCardinality(String),
    span_kind LowCardinality(String),
    status LowCardinality(String),
    status_message String CODEC(ZSTD(1)),
    trace_state String CODEC(ZSTD(1)),
    flags UInt32,
    service LowCardinality(String),
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    resource Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    attribute_types Map(LowCardinality(String), UInt8) CODEC(ZSTD(1)),
    payload Map(LowCardinality(String), Array(UInt64)) CODEC(ZSTD(1)),
    `events.time` Array(DateTime64(9, 'UTC')) CODEC(ZSTD(1)),
    `events.name` Array(LowCardinality(String)) CODEC(ZSTD(1)),
    `events.attributes` Array(Map(LowCardinality(String), String)) CODEC(ZSTD(1)),
    `links.trace_id` Array(String) CODEC(ZSTD(1)),
    `links.span_id` Array(String) CODEC(ZSTD(1)),
    `links.attributes` Array(Map(LowCardinality(String), String)) CODEC(ZSTD(1)),

    convention LowCardinality(String),
    kind LowCardinality(String),
    operation LowCardinality(String),
    provider LowCardinality(String),
    framework LowCardinality(String),
    request_model LowCardinality(String),
    response_model LowCardinality(String),
    response_id String CODEC(ZSTD(1)),
    previous_response_id String CODEC(ZSTD(1)),
    input_tokens Nullable(UInt64),
    output_tokens Nullable(UInt64),
    cache_read_tokens Nullable(UInt64),
    cache_write_tokens Nullable(UInt64),
    cache_write_1h_tokens Nullable(UInt64),
    reasoning_tokens Nullable(UInt64),
    usage_semantics LowCardinality(String),
    service_tier LowCardinality(String),
    cost_reported Nullable(Float64),
    ttft_ms Nullable(Float64),
    finish_reason LowCardinality(String),
    error_type LowCardinality(String),
    error_message String CODEC(ZSTD(1)),

    agent_name LowCardinality(String),
    agent_id String CODEC(ZSTD(1)),
    conversation_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    environment LowCardinality(String),
    release LowCardinality(String),
    prompt_name LowCardinality(String),
    prompt_version LowCardinality(String),
    prompt_fingerprint LowCardinality(String),
    toolset_fingerprint LowCardinality(String),
    agent_version_hash LowCardinality(String),
    request_hash String CODEC(ZSTD(1)),
    iteration Nullable(UInt32),

    task_id String CODEC(ZSTD(1)),
    task_id_kind LowCardinality(String),
    workflow LowCardinality(String),
    task_attempt Nullable(UInt16),
    task_ref String CODEC(ZSTD(1)),
    task_parent_id String CODEC(ZSTD(1)),
    task_traffic LowCardinality(String),
    task_idempotency_key String CODEC(ZSTD(1)),

    tool_name LowCardinality(String),
    tool_call_id String CODEC(ZSTD(1)),
    tool_type LowCardinality(String),
    tool_effect LowCardinality(String),
    tool_risk LowCardinality(String),
    tool_polling UInt8,
    tool_error_by LowCardinality(String),
    tool_arguments_hash String CODEC(ZSTD(1)),
    tool_arguments_valid Nullable(UInt8),
    tool_result_hash String CODEC(ZSTD(1)),
    tool_result_bytes Nullable(UInt64),
    tool_result_shape LowCardinality(String),
    tool_result_valid Nullable(UInt8),
    tool_side_effect_key String CODEC(ZSTD(1)),
    handoff_from LowCardinality(String),
    handoff_to LowCardinality(String),

    input_messages Array(UInt64) CODEC(ZSTD(1)),
    output_messages Array(UInt64) CODEC(ZSTD(1)),
    system_instructions Array(UInt64) CODEC(ZSTD(1)),
    tool_definitions Array(UInt64) CODEC(ZSTD(1)),
    tool_arguments Array(UInt64) CODEC(ZSTD(1)),
    tool_result Array(UInt64) CODEC(ZSTD(1)),

    INDEX idx_task task_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toDate(start)
ORDER BY (project, toStartOfMinute(start), trace_id, span_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS messages
(
    project LowCardinality(String),
    day Date,
    trace_id String CODEC(ZSTD(1)),
    hash UInt64,
    content String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
PARTITION BY day
ORDER BY (project, day, trace_id, hash)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000;

CREATE TABLE IF NOT EXISTS logs
(
    project LowCardinality(String),
    trace_id String CODEC(ZSTD(1)),
    span_id String CODEC(ZSTD(1)),
    time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    hash UInt64,
    ver UInt64 CODEC(ZSTD(1)),
    mapping_version UInt16,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6) CODEC(Delta, ZSTD(1)),
    event_name LowCardinality(String),
    severity_number UInt8,
    severity_text LowCardinality(String),
    body String CODEC(ZSTD(1)),
    service LowCardinality(String),
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    resource Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    attribute_types Map(LowCardinality(String), UInt8) CODEC(ZSTD(1)),
    task_id String CODEC(ZSTD(1)),
    task_id_kind LowCardinality(String),
    workflow LowCardinality(String),
    agent_name LowCardinality(String),
    conversation_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    environment LowCardinality(String),
    release LowCardinality(String),
    INDEX idx_task task_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toDate(time)
ORDER BY (project, toStartOfMinute(time), trace_id, span_id, event_name, time, hash)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000;

-- Which traces carry a task's id, and when. A log without a trace is listed under trace_id ''.
CREATE TABLE IF NOT EXISTS task_traces
(
    project LowCardinality(String),
    task_id String,
    trace_id String,
    first SimpleAggregateFunction(min, DateTime64(9, 'UTC')),
    last SimpleAggregateFunction(max, DateTime64(9, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (project, task_id, trace_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Start times of the first and the last item (span or log) of a trace: bounds every read of a trace.
CREATE TABLE IF NOT EXISTS trace_bounds
(
    project LowCardinality(String),
    trace_id String,
    first SimpleAggregateFunction(min, DateTime64(9, 'UTC')),
    last SimpleAggregateFunction(max, DateTime64(9, 'UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (project, trace_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Every day on which a row of this task was ever written: tombstones and look-ups by id go there.
CREATE TABLE IF NOT EXISTS task_days
(
    project LowCardinality(String),
    task_id String,
    day Date
)
ENGINE = ReplacingMergeTree
ORDER BY (project, task_id, day)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS tasks
(
    project LowCardinality(String),
    day Date,
    task_id String CODEC(ZSTD(1)),
    ver UInt64,
    deleted UInt8,
    workflow LowCardinality(String),
    agent_path LowCardinality(String),
    session_id String CODEC(ZSTD(1)),
    user_id String CODEC(ZSTD(1)),
    environment LowCardinality(String),
    release LowCardinality(String),
    service LowCardinality(String),
    prompt_versions Array(LowCardinality(String)),
    agent_version_hash LowCardinality(String),
    traffic LowCardinality(String),
    ref String CODEC(ZSTD(1)),
    parent_id String CODEC(ZSTD(1)),
    attribution LowCardinality(String),
    declared_state LowCardinality(String),
    root_ended UInt8,
    root_error UInt8,
    attempts UInt16,
    started_at DateTime64(9, 'UTC'),
    ended_at Nullable(DateTime64(9, 'UTC')),
    last_signal_at DateTime64(9, 'UTC'),
    model_ms Float64,
    tool_ms Float64,
    retrieval_ms Float64,
    human_wait_ms Float64,
    rate_limited_ms Float64,
    queued_ms Float64,
    ttft_ms Nullable(Float64),
    waiting_since Nullable(DateTime64(9, 'UTC')),
    llm_calls UInt32,
    tool_calls UInt32,
    tool_errors UInt32,
    handoffs UInt32,
    approvals UInt32,
    escalated UInt8,
    input_tokens Nullable(UInt64),
    output_tokens Nullable(UInt64),
    cache_read_tokens Nullable(UInt64),
    cache_write_tokens Nullable(UInt64),
    reasoning_tokens Nullable(UInt64),
    peak_context_tokens Nullable(UInt64),
    trace_ids Array(String),
    spans UInt32,
    error_message String CODEC(ZSTD(1)),
    `calls.span_id` Array(String) CODEC(ZSTD(1)),
    `calls.trace_id` Array(String) CODEC(ZSTD(1)),
    `calls.kind` Array(LowCardinality(String)),
    `calls.name` Array(LowCardinality(String)),
    `calls.agent` Array(LowCardinality(String)),
    `calls.provider` Array(LowCardinality(String)),
    `calls.response_id` Array(String) CODEC(ZSTD(1)),
    `calls.service_tier` Array(LowCardinality(String)),
    `calls.start` Array(DateTime64(9, 'UTC')) CODEC(ZSTD(1)),
    `calls.duration_ms` Array(Float64) CODEC(ZSTD(1)),
    `calls.ttft_ms` Array(Nullable(Float64)) CODEC(ZSTD(1)),
    `calls.attempt` Array(UInt16),
    `calls.error_by` Array(LowCardinality(String)),
    `calls.input_tokens` Array(Nullable(UInt64)) CODEC(ZSTD(1)),
    `calls.output_tokens` Array(Nullable(UInt64)) CODEC(ZSTD(1)),
    `calls.cache_read_tokens` Array(Nullable(UInt64)) CODEC(ZSTD(1)),
    `calls.cache_write_tokens` Array(Nullable(UInt64)) CODEC(ZSTD(1)),
    `calls.cache_write_1h_tokens` Array(Nullable(UInt64)) CODEC(ZSTD(1)),
    `calls.reasoning_tokens` Array(Nullable(UInt64)) CODEC(ZSTD(1)),
    `calls.cost_reported` Array(Nullable(Float64)) CODEC(ZSTD(1)),
    `transitions.at` Array(DateTime64(9, 'UTC')) CODEC(ZSTD(1)),
    `transitions.state` Array(LowCardinality(String)),
    `transitions.reason` Array(String) CODEC(ZSTD(1)),
    `transitions.applied` Array(UInt8)
)
ENGINE = ReplacingMergeTree(ver, deleted)
PARTITION BY toMonday(day)
ORDER BY (project, day, task_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- Verdicts given after the fact or in telemetry; all are kept, tasks_v picks the one that counts.
CREATE TABLE IF NOT EXISTS outcomes
(
    project LowCardinality(String),
    key String,
    ver DateTime64(6, 'UTC') DEFAULT now64(6),
    task_id String,
    ref String,
    trace_id String,
    response_id String,
    session_id String,
    outcome LowCardinality(String),
    score Nullable(Float64),
    reason String CODEC(ZSTD(1)),
    source LowCardinality(String),
    by String,
    at DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY (project, key)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS evaluations
(
    project LowCardinality(String),
    key String,
    ver DateTime64(6, 'UTC') DEFAULT now64(6),
    task_id String,
    trace_id String,
    span_id String,
    response_id String,
    name LowCardinality(String),
    score Nullable(Float64),
    label LowCardinality(String),
    evaluator LowCardinality(String),
    explanation String CODEC(ZSTD(1)),
    at DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY (project, key)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- USD per token, dated. `origin`: 'list' (the built-in list, written when a pair is first seen), 'file' or 'api'
-- (overrides); where several hold at a time, api beats file beats list. Tiers apply to the whole request by its input
-- tokens; `multipliers` say what a service tier (batch, flex, priority) costs relative to them.
CREATE TABLE IF NOT EXISTS prices
(
    project LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    origin LowCardinality(String),
    valid_from DateTime64(3, 'UTC'),
    ver DateTime64(6, 'UTC') DEFAULT now64(6),
    deleted UInt8,
    source LowCardinality(String),
    priced UInt8,
    tiers Array(Tuple(from_input_tokens UInt64, input Float64, output Float64, cache_read Float64, cache_write Float64, cache_write_1h Float64)),
    multipliers Map(LowCardinality(String), Float64),
    context_window Nullable(UInt64)
)
ENGINE = ReplacingMergeTree(ver, deleted)
ORDER BY (project, provider, model, origin, valid_from)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
