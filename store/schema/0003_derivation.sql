-- Versions handed out to derivations: whoever derives enters one here before reading (store/derive/version.ts). They
-- rise whatever the engine's clock does. Not fsynced: an entry is only needed while a derivation is under way.
CREATE TABLE IF NOT EXISTS derivation_versions
(
    ver SimpleAggregateFunction(max, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY tuple()
SETTINGS old_parts_lifetime = 30;

-- For the audit, which asks what was inserted lately, whatever its time.
ALTER TABLE spans ADD INDEX IF NOT EXISTS idx_inserted inserted_at TYPE minmax GRANULARITY 1;

ALTER TABLE logs ADD INDEX IF NOT EXISTS idx_inserted inserted_at TYPE minmax GRANULARITY 1;

-- Hash of everything derived in a row, so that the audit compares without reading it (store/derive/content-hash.ts).
ALTER TABLE tasks ADD COLUMN IF NOT EXISTS content_hash UInt64 CODEC(NONE);

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
