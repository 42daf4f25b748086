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
