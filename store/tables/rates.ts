import type { Table } from './table.ts';

/** What a project pays beside models, in USD. */
export interface RateRow {
  /** `*`: every project. */
  readonly project: string;
  /** `tool` per call, `human` per minute of waiting for a person, `overhead` once over its time. */
  readonly kind: string;
  /** The tool, or the workflow; '' is any. */
  readonly name: string;
  /** What an overhead was for. */
  readonly label: string;
  /** `file` or `api`: the later beats the earlier. */
  readonly origin: string;
  readonly valid_from: bigint;
  /** End of an overhead's time. */
  readonly valid_to: bigint | null;
  readonly deleted: number;
  readonly usd: number;
}

export const rates: Table<RateRow> = {
  name: 'rates',
  columns: {
    project: 'LowCardinality(String)',
    kind: 'LowCardinality(String)',
    name: 'String',
    label: 'String',
    origin: 'LowCardinality(String)',
    valid_from: "DateTime64(3, 'UTC')",
    valid_to: "Nullable(DateTime64(3, 'UTC'))",
    deleted: 'UInt8',
    usd: 'Float64',
  },
};
