import type { Entries, Table } from './table.ts';

/** What metric points of every type have in common. */
export interface MetricPointRow {
  readonly project: string;
  readonly name: string;
  /** xxh64 of everything that makes a series in OpenTelemetry. */
  readonly series: bigint;
  /** 0 when the sender left it unset. */
  readonly start: bigint;
  readonly time: bigint;
  readonly ver: bigint;
  readonly mapping_version: number;
  /** `gauge sum histogram exponential_histogram summary`. */
  readonly type: string;
  readonly unit: string;
  readonly description: string;
  /** `delta`, `cumulative` or `unspecified`. */
  readonly temporality: string;
  readonly monotonic: number;
  readonly flags: number;
  readonly service: string;
  readonly scope_name: string;
  readonly scope_version: string;
  readonly resource: Entries<string>;
  readonly attributes: Entries<string>;
  readonly attribute_types: Entries<number>;
  readonly task_id: string;
  readonly task_id_kind: string;
  readonly workflow: string;
  readonly agent_name: string;
  readonly conversation_id: string;
  readonly user_id: string;
  readonly environment: string;
  readonly release: string;
  /** `<rank of the family>:<field>` of a point that counts tokens or USD, else ''. */
  readonly usage: string;
  readonly provider: string;
  readonly model: string;
  readonly 'exemplars.time': readonly bigint[];
  readonly 'exemplars.value': readonly number[];
  readonly 'exemplars.trace_id': readonly string[];
  readonly 'exemplars.span_id': readonly string[];
  readonly 'exemplars.attributes': readonly Entries<string>[];
}

/** One point of a gauge or a sum. A null value: none was recorded. */
export interface MetricNumberRow extends MetricPointRow {
  readonly value: number | null;
  /** The exact integer where one was sent. */
  readonly value_int: bigint | null;
}

/** Their columns. */
export const pointColumns: Table<MetricPointRow>['columns'] = {
  project: 'LowCardinality(String)',
  name: 'LowCardinality(String)',
  series: 'UInt64',
  start: "DateTime64(9, 'UTC')",
  time: "DateTime64(9, 'UTC')",
  ver: 'UInt64',
  mapping_version: 'UInt16',
  type: 'LowCardinality(String)',
  unit: 'LowCardinality(String)',
  description: 'LowCardinality(String)',
  temporality: 'LowCardinality(String)',
  monotonic: 'UInt8',
  flags: 'UInt32',
  service: 'LowCardinality(String)',
  scope_name: 'LowCardinality(String)',
  scope_version: 'LowCardinality(String)',
  resource: 'Map(LowCardinality(String), String)',
  attributes: 'Map(LowCardinality(String), String)',
  attribute_types: 'Map(LowCardinality(String), UInt8)',
  task_id: 'String',
  task_id_kind: 'LowCardinality(String)',
  workflow: 'LowCardinality(String)',
  agent_name: 'LowCardinality(String)',
  conversation_id: 'String',
  user_id: 'String',
  environment: 'LowCardinality(String)',
  release: 'LowCardinality(String)',
  usage: 'LowCardinality(String)',
  provider: 'LowCardinality(String)',
  model: 'LowCardinality(String)',
  'exemplars.time': "Array(DateTime64(9, 'UTC'))",
  'exemplars.value': 'Array(Float64)',
  'exemplars.trace_id': 'Array(String)',
  'exemplars.span_id': 'Array(String)',
  'exemplars.attributes': 'Array(Map(LowCardinality(String), String))',
};

export const metricsNumber: Table<MetricNumberRow> = {
  name: 'metrics_number',
  columns: { ...pointColumns, value: 'Nullable(Float64)', value_int: 'Nullable(Int64)' },
};
