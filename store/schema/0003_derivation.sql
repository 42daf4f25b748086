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
