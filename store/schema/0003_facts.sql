-- What people say: verdicts, prices and rates with dates, settings. Joined to tasks at read (law 3).

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

-- What a project pays beside models: 'tool' per call of the tool `name`, 'human' per minute that a task of the workflow
-- `name` waits for a person, 'overhead' once for the workflow `name`, spread evenly over [valid_from, valid_to). `name` ''
-- is any. Project '*': all of them. `origin` as in prices.
CREATE TABLE IF NOT EXISTS rates
(
    project LowCardinality(String),
    kind LowCardinality(String),
    name String,
    label String,
    origin LowCardinality(String),
    valid_from DateTime64(3, 'UTC'),
    valid_to Nullable(DateTime64(3, 'UTC')),
    ver DateTime64(6, 'UTC') DEFAULT now64(6),
    deleted UInt8,
    usd Float64
)
ENGINE = ReplacingMergeTree(ver, deleted)
ORDER BY (project, kind, name, label, origin, valid_from)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- What people say about workflows: written from a settings file (store/workflows.ts), `*` for all that are not listed.
CREATE TABLE IF NOT EXISTS workflow_settings
(
    workflow String,
    ver UInt64,
    deleted UInt8,
    boundary String,
    idle_s UInt32,
    success_when LowCardinality(String),
    abandoned_running_s UInt32,
    abandoned_queued_s UInt32,
    abandoned_waiting_s UInt32
)
ENGINE = ReplacingMergeTree(ver, deleted)
ORDER BY workflow
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
