import type { Table } from './table.ts';

/** A verdict on a task, or on whatever `ref`, `trace_id`, `response_id` or `session_id` names. */
export interface OutcomeRow {
  readonly project: string;
  readonly key: string;
  readonly task_id: string;
  readonly ref: string;
  readonly trace_id: string;
  readonly response_id: string;
  readonly session_id: string;
  readonly outcome: string;
  readonly score: number | null;
  readonly reason: string;
  readonly source: string;
  readonly by: string;
  readonly at: bigint;
}

export const outcomes: Table<OutcomeRow> = {
  name: 'outcomes',
  columns: {
    project: 'LowCardinality(String)',
    key: 'String',
    task_id: 'String',
    ref: 'String',
    trace_id: 'String',
    response_id: 'String',
    session_id: 'String',
    outcome: 'LowCardinality(String)',
    score: 'Nullable(Float64)',
    reason: 'String',
    source: 'LowCardinality(String)',
    by: 'String',
    at: "DateTime64(6, 'UTC')",
  },
};
