-- Messages that a log record carries for its span, as hashes into `messages` (joined at read where the span has none).
ALTER TABLE logs ADD COLUMN IF NOT EXISTS input_messages Array(UInt64) CODEC(ZSTD(1));

ALTER TABLE logs ADD COLUMN IF NOT EXISTS output_messages Array(UInt64) CODEC(ZSTD(1));

ALTER TABLE logs ADD COLUMN IF NOT EXISTS system_instructions Array(UInt64) CODEC(ZSTD(1));

ALTER TABLE logs ADD COLUMN IF NOT EXISTS tool_definitions Array(UInt64) CODEC(ZSTD(1));
