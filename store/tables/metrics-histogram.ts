import { type MetricPointRow, pointColumns } from './metrics-number.ts';
import type { Table } from './table.ts';

/** One point of a histogram, an exponential histogram or a summary. */
export interface MetricHistogramRow extends MetricPointRow {
  readonly count: bigint;
  readonly sum: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly bounds: readonly number[];
  readonly bucket_counts: readonly bigint[];
  readonly scale: number;
  readonly zero_count: bigint;
  readonly zero_threshold: number;
  readonly positive_offset: number;
  readonly positive_counts: readonly bigint[];
  readonly negative_offset: number;
  readonly negative_counts: readonly bigint[];
  readonly quantiles: readonly number[];
  readonly quantile_values: readonly number[];
}

export const metricsHistogram: Table<MetricHistogramRow> = {
  name: 'metrics_histogram',
  columns: {
    ...pointColumns,
    count: 'UInt64',
    sum: 'Nullable(Float64)',
    min: 'Nullable(Float64)',
    max: 'Nullable(Float64)',
    bounds: 'Array(Float64)',
    bucket_counts: 'Array(UInt64)',
    scale: 'Int32',
    zero_count: 'UInt64',
    zero_threshold: 'Float64',
    positive_offset: 'Int32',
    positive_counts: 'Array(UInt64)',
    negative_offset: 'Int32',
    negative_counts: 'Array(UInt64)',
    quantiles: 'Array(Float64)',
    quantile_values: 'Array(Float64)',
  },
};
