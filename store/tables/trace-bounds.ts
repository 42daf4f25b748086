import type { Table } from './table.ts';

/** The first and last start time of anything seen on a trace. */
export interface TraceBoundsRow {
  readonly project: string;
  readonly trace_id: string;
  readonly first: bigint;
  readonly last: bigint;
}

export const traceBounds: Table<TraceBoundsRow> = {
  name: 'trace_bounds',
  columns: {
    project: 'LowCardinality(String)',
    trace_id: 'String',
    first: "SimpleAggregateFunction(min, DateTime64(9, 'UTC'))",
    last: "SimpleAggregateFunction(max, DateTime64(9, 'UTC'))",
  },
};
