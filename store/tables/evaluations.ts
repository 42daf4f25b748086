import type { Table } from './table.ts';

/** A named score given to a task, span or response. */
export interface EvaluationRow {
  readonly project: string;
  readonly key: string;
  readonly task_id: string;
  readonly trace_id: string;
  readonly span_id: string;
  readonly response_id: string;
  readonly name: string;
  readonly score: number | null;
  readonly label: string;
  readonly evaluator: string;
  readonly explanation: string;
  readonly at: bigint;
}

export const evaluations: Table<EvaluationRow> = {
  name: 'evaluations',
  columns: {
    project: 'LowCardinality(String)',
    key: 'String',
    task_id: 'String',
    trace_id: 'String',
    span_id: 'String',
    response_id: 'String',
    name: 'LowCardinality(String)',
    score: 'Nullable(Float64)',
    label: 'LowCardinality(String)',
    evaluator: 'LowCardinality(String)',
    explanation: 'String',
    at: "DateTime64(6, 'UTC')",
  },
};
