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
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000;

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
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 10000;
