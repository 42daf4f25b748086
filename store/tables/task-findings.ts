import type { Table } from './table.ts';

/** The findings and trajectory measures of one task, as the second pass computed them. */
export interface TaskFindingsRow {
  readonly project: string;
  /** Day of the task's row. */
  readonly day: number;
  readonly task_id: string;
  /** The engine's clock in microseconds before the task was read. */
  readonly ver: bigint;
  /** `ver` of the task row it was computed from. */
  readonly task_ver: bigint;
  /** Fingerprint of the rules' versions and settings. */
  readonly rules: number;
  /** 1 when the task was over: an open one is judged again at its end. */
  readonly ended: number;
  /** What failed how, in one text: equal for similar failures. */
  readonly signature: string;
  readonly 'findings.finding': readonly string[];
  readonly 'findings.severity': readonly string[];
  /** Version of the rule. */
  readonly 'findings.version': readonly number[];
  /** Id of the decision, `''` when it belongs to the whole task. */
  readonly 'findings.decision': readonly string[];
  readonly 'findings.tool': readonly string[];
  readonly 'findings.text': readonly string[];
  readonly 'findings.spans': readonly (readonly string[])[];
  /** First day after the learnt ones that judged it, `''` when nothing learnt took part. */
  readonly 'findings.baseline': readonly string[];
  /** The stronger finding that says it too, `''` for none. */
  readonly 'findings.covered_by': readonly string[];
  readonly decisions: number;
  readonly model_calls: number;
  readonly tool_calls: number;
  readonly unnecessary_calls: number;
  readonly judged_arguments: number;
  readonly invalid_arguments: number;
  readonly blocked_calls: number;
  readonly handoffs: number;
  readonly failed_handoffs: number;
  readonly known_results: number;
  readonly unused_results: number;
  readonly order_rules: number;
  readonly broken_order_rules: number;
  readonly planned_steps: number;
  readonly followed_steps: number;
  readonly iterations: number;
  readonly peak_context_ratio: number | null;
  readonly confidences: readonly number[];
}

export const taskFindings: Table<TaskFindingsRow> = {
  name: 'task_findings',
  columns: {
    project: 'LowCardinality(String)',
    day: 'Date',
    task_id: 'String',
    ver: 'UInt64',
    task_ver: 'UInt64',
    rules: 'UInt32',
    ended: 'UInt8',
    signature: 'String',
    'findings.finding': 'Array(LowCardinality(String))',
    'findings.severity': 'Array(LowCardinality(String))',
    'findings.version': 'Array(UInt16)',
    'findings.decision': 'Array(String)',
    'findings.tool': 'Array(LowCardinality(String))',
    'findings.text': 'Array(String)',
    'findings.spans': 'Array(Array(String))',
    'findings.baseline': 'Array(String)',
    'findings.covered_by': 'Array(LowCardinality(String))',
    decisions: 'UInt32',
    model_calls: 'UInt32',
    tool_calls: 'UInt32',
    unnecessary_calls: 'UInt32',
    judged_arguments: 'UInt32',
    invalid_arguments: 'UInt32',
    blocked_calls: 'UInt32',
    handoffs: 'UInt32',
    failed_handoffs: 'UInt32',
    known_results: 'UInt32',
    unused_results: 'UInt32',
    order_rules: 'UInt32',
    broken_order_rules: 'UInt32',
    planned_steps: 'UInt32',
    followed_steps: 'UInt32',
    iterations: 'UInt32',
    peak_context_ratio: 'Nullable(Float64)',
    confidences: 'Array(Float64)',
  },
};
