-- Keys (PARTITION BY, ORDER BY) are a contract: ClickHouse cannot change them later. Types and codecs may change.
-- Parts are fsynced before an insert is answered (law 1).
-- Every key column is a function of the row's own identity, never of anything resolved or derived.

-- Spans have some hundred columns. An insert of a few thousand of them is a part beyond the 10 MB at which a part gets a
-- file or two per column by default, each fsynced before the insert is answered: in one file (`min_bytes_for_wide_part`)
-- the same insert took half of the CPU and a third of the time. What merges make of it is wide again from 128 MiB on, and
-- then column by column (`vertical_…`): a merge of 120,000 rows that writes all columns at once holds 720 MB of buffers,
-- this way 200, and takes a fifth less CPU. The same holds for all tables of many columns.
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
    -- The name or hash, never the key itself, of the API key that a gateway billed.
    api_key LowCardinality(String),
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

    INDEX idx_task task_id TYPE bloom_filter(0.01) GRANULARITY 1,
    -- For the audit, which asks what was inserted lately, whatever its time.
    INDEX idx_inserted inserted_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toDate(start)
ORDER BY (project, toStartOfMinute(start), trace_id, span_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 134217728, vertical_merge_algorithm_min_rows_to_activate = 1;

CREATE TABLE IF NOT EXISTS messages
(
    project LowCardinality(String),
    day Date,
    trace_id String CODEC(ZSTD(1)),
    hash UInt64,
    content String CODEC(ZSTD(3)),
    -- Search in content: tokens of letters and digits, lower case. Measured on 300,000 messages of 580 bytes: 6 % of disk, a
    -- rare word in 26 ms instead of 227 (a text index: 120 % of disk, 7 ms, and no server before 26.2).
    INDEX idx_tokens lower(content) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 1
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

    -- Messages that a record carries for its span, as hashes into `messages` (joined at read where the span has none).
    input_messages Array(UInt64) CODEC(ZSTD(1)),
    output_messages Array(UInt64) CODEC(ZSTD(1)),
    system_instructions Array(UInt64) CODEC(ZSTD(1)),
    tool_definitions Array(UInt64) CODEC(ZSTD(1)),

    -- The call that a record reports, so that the derivation needs no mapping: agents that send no spans tell of their
    -- calls in log records. `kind` is '' where it reports none, `approval` where a person allowed or refused a call.
    kind LowCardinality(String),
    provider LowCardinality(String),
    request_model LowCardinality(String),
    response_model LowCardinality(String),
    response_id String CODEC(ZSTD(1)),
    service_tier LowCardinality(String),
    input_tokens Nullable(UInt64),
    output_tokens Nullable(UInt64),
    cache_read_tokens Nullable(UInt64),
    cache_write_tokens Nullable(UInt64),
    cache_write_1h_tokens Nullable(UInt64),
    reasoning_tokens Nullable(UInt64),
    cost_reported Nullable(Float64),
    duration_ms Nullable(Float64),
    ttft_ms Nullable(Float64),
    tool_name LowCardinality(String),
    tool_call_id String CODEC(ZSTD(1)),
    -- How the failure of the call shows, '' when there was none; of an approval `approved` or `denied`.
    call_status LowCardinality(String),

    INDEX idx_task task_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_inserted inserted_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toDate(time)
ORDER BY (project, toStartOfMinute(time), trace_id, span_id, event_name, time, hash)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 134217728, vertical_merge_algorithm_min_rows_to_activate = 1;

-- Metric points: one table for single numbers (gauge, sum), one for distributions (histogram, exponential histogram,
-- summary). A point is (project, series, start, time); `series` is the xxh64 of everything that makes a series in
-- OpenTelemetry: resource, scope, name, unit, type, temporality, monotonicity and attributes. `name` is part of it, and
-- leads the key because every question names a metric.
CREATE TABLE IF NOT EXISTS metrics_number
(
    project LowCardinality(String),
    name LowCardinality(String),
    series UInt64,
    start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    ver UInt64 CODEC(ZSTD(1)),
    mapping_version UInt16,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6) CODEC(Delta, ZSTD(1)),
    type LowCardinality(String),
    unit LowCardinality(String),
    description LowCardinality(String),
    temporality LowCardinality(String),
    monotonic UInt8,
    flags UInt32,
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
    -- What a point says of usage: `<rank of its family>:<field>`, '' where it says nothing. Families tell the same usage in
    -- several metrics; the lowest rank counts.
    usage LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    `exemplars.time` Array(DateTime64(9, 'UTC')) CODEC(ZSTD(1)),
    `exemplars.value` Array(Float64) CODEC(ZSTD(1)),
    `exemplars.trace_id` Array(String) CODEC(ZSTD(1)),
    `exemplars.span_id` Array(String) CODEC(ZSTD(1)),
    `exemplars.attributes` Array(Map(LowCardinality(String), String)) CODEC(ZSTD(1)),

    -- Null: the sender recorded no value. `value_int` is the exact integer where one was sent.
    value Nullable(Float64) CODEC(ZSTD(1)),
    value_int Nullable(Int64) CODEC(ZSTD(1)),
    INDEX idx_task task_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toDate(time)
ORDER BY (project, name, series, time, start)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 134217728, vertical_merge_algorithm_min_rows_to_activate = 1;

CREATE TABLE IF NOT EXISTS metrics_histogram
(
    project LowCardinality(String),
    name LowCardinality(String),
    series UInt64,
    start DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    ver UInt64 CODEC(ZSTD(1)),
    mapping_version UInt16,
    inserted_at DateTime64(6, 'UTC') DEFAULT now64(6) CODEC(Delta, ZSTD(1)),
    type LowCardinality(String),
    unit LowCardinality(String),
    description LowCardinality(String),
    temporality LowCardinality(String),
    monotonic UInt8,
    flags UInt32,
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
    -- What a point says of usage: `<rank of its family>:<field>`, '' where it says nothing. Families tell the same usage in
    -- several metrics; the lowest rank counts.
    usage LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    `exemplars.time` Array(DateTime64(9, 'UTC')) CODEC(ZSTD(1)),
    `exemplars.value` Array(Float64) CODEC(ZSTD(1)),
    `exemplars.trace_id` Array(String) CODEC(ZSTD(1)),
    `exemplars.span_id` Array(String) CODEC(ZSTD(1)),
    `exemplars.attributes` Array(Map(LowCardinality(String), String)) CODEC(ZSTD(1)),

    count UInt64 CODEC(ZSTD(1)),
    sum Nullable(Float64) CODEC(ZSTD(1)),
    min Nullable(Float64) CODEC(ZSTD(1)),
    max Nullable(Float64) CODEC(ZSTD(1)),
    -- Histogram: one count more than there are bounds, if the sender did as it should.
    bounds Array(Float64) CODEC(ZSTD(1)),
    bucket_counts Array(UInt64) CODEC(ZSTD(1)),
    -- Exponential histogram: bucket i of a side counts (base^(offset+i), base^(offset+i+1)], base = 2^(2^-scale).
    scale Int32,
    zero_count UInt64,
    zero_threshold Float64,
    positive_offset Int32,
    positive_counts Array(UInt64) CODEC(ZSTD(1)),
    negative_offset Int32,
    negative_counts Array(UInt64) CODEC(ZSTD(1)),
    -- Summary.
    quantiles Array(Float64) CODEC(ZSTD(1)),
    quantile_values Array(Float64) CODEC(ZSTD(1)),
    INDEX idx_task task_id TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toDate(time)
ORDER BY (project, name, series, time, start)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000,
    min_bytes_for_wide_part = 134217728, vertical_merge_algorithm_min_rows_to_activate = 1;

-- Mappings that made rows, by version: an equal mapping keeps its version, any other gets the next one, so that rows of the
-- mapping in use always win over those of former ones (store/mappings.ts).
CREATE TABLE IF NOT EXISTS mappings
(
    version UInt16,
    checksum String,
    first_used_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY version
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
