-- Agents that send no spans tell of their calls in log records and of their usage in metrics. What the mapping reads of
-- these is here, so that the derivation needs no mapping.

-- The call that a record reports: `kind` is '' where it reports none, `approval` where a person allowed or refused a call.
ALTER TABLE logs ADD COLUMN IF NOT EXISTS kind LowCardinality(String);

ALTER TABLE logs ADD COLUMN IF NOT EXISTS provider LowCardinality(String);

ALTER TABLE logs ADD COLUMN IF NOT EXISTS request_model LowCardinality(String);

ALTER TABLE logs ADD COLUMN IF NOT EXISTS response_model LowCardinality(String);

ALTER TABLE logs ADD COLUMN IF NOT EXISTS response_id String CODEC(ZSTD(1));

ALTER TABLE logs ADD COLUMN IF NOT EXISTS service_tier LowCardinality(String);

ALTER TABLE logs ADD COLUMN IF NOT EXISTS input_tokens Nullable(UInt64);

ALTER TABLE logs ADD COLUMN IF NOT EXISTS output_tokens Nullable(UInt64);

ALTER TABLE logs ADD COLUMN IF NOT EXISTS cache_read_tokens Nullable(UInt64);

ALTER TABLE logs ADD COLUMN IF NOT EXISTS cache_write_tokens Nullable(UInt64);

ALTER TABLE logs ADD COLUMN IF NOT EXISTS cache_write_1h_tokens Nullable(UInt64);

ALTER TABLE logs ADD COLUMN IF NOT EXISTS reasoning_tokens Nullable(UInt64);

ALTER TABLE logs ADD COLUMN IF NOT EXISTS cost_reported Nullable(Float64);

ALTER TABLE logs ADD COLUMN IF NOT EXISTS duration_ms Nullable(Float64);

ALTER TABLE logs ADD COLUMN IF NOT EXISTS ttft_ms Nullable(Float64);

ALTER TABLE logs ADD COLUMN IF NOT EXISTS tool_name LowCardinality(String);

ALTER TABLE logs ADD COLUMN IF NOT EXISTS tool_call_id String CODEC(ZSTD(1));

-- How the failure of the call shows, '' when there was none; of an approval `approved` or `denied`.
ALTER TABLE logs ADD COLUMN IF NOT EXISTS call_status LowCardinality(String);

-- What a point says of usage: `<rank of its family>:<field>`, '' where it says nothing. Families tell the same usage in
-- several metrics; the lowest rank counts.
ALTER TABLE metrics_number ADD COLUMN IF NOT EXISTS usage LowCardinality(String);

ALTER TABLE metrics_number ADD COLUMN IF NOT EXISTS provider LowCardinality(String);

ALTER TABLE metrics_number ADD COLUMN IF NOT EXISTS model LowCardinality(String);

ALTER TABLE metrics_histogram ADD COLUMN IF NOT EXISTS usage LowCardinality(String);

ALTER TABLE metrics_histogram ADD COLUMN IF NOT EXISTS provider LowCardinality(String);

ALTER TABLE metrics_histogram ADD COLUMN IF NOT EXISTS model LowCardinality(String);

-- The name or hash, never the key itself, of the API key that a gateway billed.
ALTER TABLE spans ADD COLUMN IF NOT EXISTS api_key LowCardinality(String);

ALTER TABLE tasks ADD COLUMN IF NOT EXISTS api_key LowCardinality(String);
