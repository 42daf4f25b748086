-- Tasks and what is needed to derive them again, whole, from what is known of them.

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

-- task_traces by trace: which ids were ever named on it, also by versions of a span that a merge has dropped since.
CREATE TABLE IF NOT EXISTS trace_tasks
(
    project LowCardinality(String),
    trace_id String,
    task_id String
)
ENGINE = ReplacingMergeTree
ORDER BY (project, trace_id, task_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS trace_tasks_writer TO trace_tasks AS
SELECT project, trace_id, task_id FROM task_traces WHERE trace_id != '';

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

-- Versions handed out to derivations: whoever derives enters one here before reading (store/derive/version.ts). They
-- rise whatever the engine's clock does. Not fsynced: an entry is only needed while a derivation is under way.
CREATE TABLE IF NOT EXISTS derivation_versions
(
    ver SimpleAggregateFunction(max, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY tuple()
SETTINGS old_parts_lifetime = 30;

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
    api_key LowCardinality(String),
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
    `transitions.applied` Array(UInt8),
    -- Hash of everything derived in a row, so that the audit compares without reading it (store/derive/content-hash.ts).
    content_hash UInt64 CODEC(NONE),
    -- The second pass asks for task rows newer than a version.
    INDEX idx_ver ver TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(ver, deleted)
PARTITION BY toMonday(day)
ORDER BY (project, day, task_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1,
    min_bytes_for_wide_part = 134217728, vertical_merge_algorithm_min_rows_to_activate = 1;

-- Findings and trajectory measures of the second pass: one row per task, replaced whole, so that a vanished finding
-- vanishes. `task_ver` is the version of the task row it was computed from, `ended` whether that task was over then.
CREATE TABLE IF NOT EXISTS task_findings
(
    project LowCardinality(String),
    day Date,
    task_id String CODEC(ZSTD(1)),
    ver UInt64,
    task_ver UInt64,
    rules UInt32,
    ended UInt8,
    signature String CODEC(ZSTD(1)),
    `findings.finding` Array(LowCardinality(String)),
    `findings.severity` Array(LowCardinality(String)),
    `findings.version` Array(UInt16),
    `findings.decision` Array(String) CODEC(ZSTD(1)),
    `findings.tool` Array(LowCardinality(String)),
    `findings.text` Array(String) CODEC(ZSTD(1)),
    `findings.spans` Array(Array(String)) CODEC(ZSTD(1)),
    `findings.baseline` Array(String) CODEC(ZSTD(1)),
    `findings.covered_by` Array(LowCardinality(String)),
    decisions UInt32,
    model_calls UInt32,
    tool_calls UInt32,
    unnecessary_calls UInt32,
    judged_arguments UInt32,
    invalid_arguments UInt32,
    blocked_calls UInt32,
    handoffs UInt32,
    failed_handoffs UInt32,
    known_results UInt32,
    unused_results UInt32,
    order_rules UInt32,
    broken_order_rules UInt32,
    -- Steps of declared plans, and those that were followed.
    planned_steps UInt32,
    followed_steps UInt32,
    iterations UInt32,
    peak_context_ratio Nullable(Float64),
    confidences Array(Float64)
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toMonday(day)
ORDER BY (project, day, task_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1,
    min_bytes_for_wide_part = 134217728, vertical_merge_algorithm_min_rows_to_activate = 1;

-- What one UTC day says about a tool (`kind` tool: results by shape) or a workflow (cost: tasks by the logarithm of the
-- cost of successes; calls: tasks by tool calls). A task is judged by the days before its own.
CREATE TABLE IF NOT EXISTS profiles
(
    project LowCardinality(String),
    day Date,
    kind LowCardinality(String),
    name String,
    ver UInt64,
    keys Array(String),
    counts Array(UInt64)
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toMonday(day)
ORDER BY (project, day, kind, name)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
