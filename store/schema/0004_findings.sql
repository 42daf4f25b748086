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
    iterations UInt32,
    peak_context_ratio Nullable(Float64),
    confidences Array(Float64)
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toMonday(day)
ORDER BY (project, day, task_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

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

-- The second pass asks for task rows newer than a version.
ALTER TABLE tasks ADD INDEX IF NOT EXISTS idx_ver ver TYPE minmax GRANULARITY 1;

-- Search in content: tokens of letters and digits, lower case. Measured on 300,000 messages of 580 bytes: 6 % of disk, a rare
-- word in 26 ms instead of 227 (a text index: 120 % of disk, 7 ms, and no server before 26.2).
ALTER TABLE messages ADD INDEX IF NOT EXISTS idx_tokens lower(content) TYPE tokenbf_v1(32768, 3, 0) GRANULARITY 1;
