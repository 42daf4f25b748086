/** What is counted. Every indicator is a closed definition over the tasks view (`counts.ts`); users set targets, not SQL. */
export type RatioIndicator =
  | 'task_success_rate'
  | 'p95_time_to_first_token'
  | 'p95_time_to_completion'
  | 'tool_call_error_rate'
  | 'human_escalation_rate';

export type Indicator = RatioIndicator | 'cost_per_successful_task';

interface Common {
  readonly name: string;
  readonly description: string;
  /** The one workflow it is for; null = every workflow that has no objective of this name for itself. */
  readonly workflow: string | null;
  readonly windowDays: number;
}

/** Good events out of valid events. A p95 limit is the same statement as "95 % of events are faster", and adds up. */
export interface RatioObjective extends Common {
  readonly kind: 'ratio';
  readonly indicator: RatioIndicator;
  readonly unit: 'task' | 'llm_call' | 'tool_call';
  /** Wanted share of good events, in (0, 1). */
  readonly target: number;
  /** An event at or above this is bad; null for indicators that need no limit. */
  readonly thresholdMs: number | null;
}

/** Money spent per success, failed tasks included: a quota, not a share of events. */
export interface QuotaObjective extends Common {
  readonly kind: 'quota';
  readonly indicator: 'cost_per_successful_task';
  readonly unit: 'task';
  readonly targetUsd: number;
}

export type Objective = RatioObjective | QuotaObjective;

const everywhere = { workflow: null, windowDays: 28 } as const;

/** The objectives of DESIGN §11, per workflow, on live traffic. */
export const builtinObjectives: readonly Objective[] = [
  {
    ...everywhere,
    kind: 'ratio',
    name: 'task_success_rate',
    indicator: 'task_success_rate',
    description: 'Tasks with a verdict that succeeded',
    unit: 'task',
    target: 0.95,
    thresholdMs: null,
  },
  {
    ...everywhere,
    kind: 'ratio',
    name: 'p95_time_to_first_token',
    indicator: 'p95_time_to_first_token',
    description: 'Streamed model calls whose first token came within the limit',
    unit: 'llm_call',
    target: 0.95,
    thresholdMs: 2_000,
  },
  {
    ...everywhere,
    kind: 'ratio',
    name: 'p95_time_to_completion',
    indicator: 'p95_time_to_completion',
    description: 'Tasks done within the limit; what is still running past it counts as late',
    unit: 'task',
    target: 0.95,
    thresholdMs: 30_000,
  },
  {
    ...everywhere,
    kind: 'ratio',
    name: 'tool_call_error_rate',
    indicator: 'tool_call_error_rate',
    description: 'Tool calls without an error, errors inside OK results included',
    unit: 'tool_call',
    target: 0.98,
    thresholdMs: null,
  },
  {
    ...everywhere,
    kind: 'ratio',
    name: 'human_escalation_rate',
    indicator: 'human_escalation_rate',
    description: 'Ended tasks that needed no human',
    unit: 'task',
    target: 0.9,
    thresholdMs: null,
  },
  {
    ...everywhere,
    kind: 'quota',
    name: 'cost_per_successful_task',
    indicator: 'cost_per_successful_task',
    description: 'Cost of all tasks, failed ones too, per successful task',
    unit: 'task',
    targetUsd: 0.5,
  },
];
