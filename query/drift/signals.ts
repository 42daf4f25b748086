import type { LogQuantity, Measure } from './measures.ts';

interface Common {
  readonly signal: string;
  readonly label: string;
  /** Effect from which a significant difference is a warning, and from which it is drift; in the effect's own unit. */
  readonly warn: number;
  readonly alert: number;
}

/** Share of tasks; effect in percentage points. */
export interface ShareSignal extends Common {
  readonly kind: 'share';
  readonly hits: Measure;
  readonly n: Measure;
}

/** Share of tool calls, which cluster in tasks; effect in percentage points. */
export interface CallShareSignal extends Common {
  readonly kind: 'call_share';
}

/** Geometric mean; effect as ratio. */
export interface LogSignal extends Common {
  readonly kind: 'log';
  readonly quantity: LogQuantity;
  readonly unit: 'usd' | 'tokens';
}

/** Whole distribution by Kolmogorov–Smirnov, effect as ratio of the median or the 95th percentile. */
export interface QuantileSignal extends Common {
  readonly kind: 'quantile';
  readonly quantity: 'duration';
}

/** Whole distribution by ranks, effect as the chance that a current task has more. */
export interface RankSignal extends Common {
  readonly kind: 'rank';
  readonly quantity: 'steps';
}

/** Shares of categories; effect as Jensen–Shannon distance to base 2. */
export interface MixSignal extends Common {
  readonly kind: 'mix';
}

export type Signal =
  | ShareSignal
  | CallShareSignal
  | LogSignal
  | QuantileSignal
  | RankSignal
  | MixSignal;

/** The first family of signals; thresholds are those of reference "SLO burn, drift" §2.1. */
export const signals: readonly Signal[] = [
  {
    kind: 'share',
    signal: 'success_rate',
    label: 'success',
    hits: 'successes',
    n: 'decided',
    warn: 2,
    alert: 5,
  },
  {
    kind: 'share',
    signal: 'escalation_rate',
    label: 'escalation',
    hits: 'escalated',
    n: 'tasks',
    warn: 2,
    alert: 5,
  },
  { kind: 'call_share', signal: 'tool_error_rate', label: 'tool errors', warn: 2, alert: 5 },
  { kind: 'mix', signal: 'tool_mix', label: 'tool mix', warn: 0.13, alert: 0.21 },
  {
    kind: 'log',
    signal: 'cost_per_task',
    label: 'cost per task',
    quantity: 'cost',
    unit: 'usd',
    warn: 1.1,
    alert: 1.25,
  },
  {
    kind: 'log',
    signal: 'input_tokens_per_task',
    label: 'input tokens',
    quantity: 'input',
    unit: 'tokens',
    warn: 1.1,
    alert: 1.25,
  },
  {
    kind: 'log',
    signal: 'output_tokens_per_task',
    label: 'output tokens',
    quantity: 'output',
    unit: 'tokens',
    warn: 1.1,
    alert: 1.25,
  },
  {
    kind: 'quantile',
    signal: 'latency',
    label: 'latency',
    quantity: 'duration',
    warn: 1.1,
    alert: 1.25,
  },
  {
    kind: 'rank',
    signal: 'steps_per_task',
    label: 'steps',
    quantity: 'steps',
    warn: 0.56,
    alert: 0.64,
  },
];
