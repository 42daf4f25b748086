import type { Entries, Table } from './table.ts';

/** USD per token for requests of at least `from_input_tokens` input tokens; the whole request has this price. */
export type PriceTier = readonly [
  from_input_tokens: bigint,
  input: number,
  output: number,
  cache_read: number,
  cache_write: number,
  cache_write_1h: number,
];

/** USD per token of one provider and model from a date on. */
export interface PriceRow {
  readonly project: string;
  readonly provider: string;
  readonly model: string;
  /** `list`, `file` or `api`: the later beats the earlier. */
  readonly origin: string;
  readonly valid_from: bigint;
  readonly deleted: number;
  readonly source: string;
  readonly priced: number;
  readonly tiers: readonly PriceTier[];
  readonly multipliers: Entries<number>;
  readonly context_window: bigint | null;
}

export const prices: Table<PriceRow> = {
  name: 'prices',
  columns: {
    project: 'LowCardinality(String)',
    provider: 'LowCardinality(String)',
    model: 'LowCardinality(String)',
    origin: 'LowCardinality(String)',
    valid_from: "DateTime64(3, 'UTC')",
    deleted: 'UInt8',
    source: 'LowCardinality(String)',
    priced: 'UInt8',
    tiers:
      'Array(Tuple(from_input_tokens UInt64, input Float64, output Float64, cache_read Float64, cache_write Float64, cache_write_1h Float64))',
    multipliers: 'Map(LowCardinality(String), Float64)',
    context_window: 'Nullable(UInt64)',
  },
};
