import { ClickHouseLogLevel } from '@clickhouse/client';

// Errors are thrown; the client's own log would print them a second time, with what users sent.
export const QUIET = { level: ClickHouseLogLevel.OFF } as const;

// 64-bit integers as text (JavaScript numbers would round them), NaN and infinity as null, all times in UTC.
export const SESSION = {
  output_format_json_quote_64bit_integers: '1',
  output_format_json_quote_denormals: '0',
  session_timezone: 'UTC',
  // Ids stand in the text of an embedded query; parameters know no such bound.
  max_query_size: String(64 * 1024 * 1024),
} as const;
