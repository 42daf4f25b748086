import type { Table } from './table.ts';

/** A trace on which a task id was seen, with the first and last start time seen there. */
export interface TaskTraceRow {
  readonly project: string;
  readonly task_id: string;
  readonly trace_id: string;
  readonly first: bigint;
  readonly last: bigint;
}

export const taskTraces: Table<TaskTraceRow> = {
  name: 'task_traces',
  columns: {
    project: 'LowCardinality(String)',
    task_id: 'String',
    trace_id: 'String',
    first: "SimpleAggregateFunction(min, DateTime64(9, 'UTC'))",
    last: "SimpleAggregateFunction(max, DateTime64(9, 'UTC'))",
  },
};
