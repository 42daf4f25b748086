/** Tasks or results by a number or a name, over the days before the one that is judged. */
export interface Distribution {
  readonly n: number;
  readonly median: number;
  readonly p99: number;
}

/** How often a tool gave results of each shape. */
export interface Shapes {
  readonly n: number;
  readonly counts: ReadonlyMap<string, number>;
}

/** What a workflow's tasks must do, as its owner says. Names of tools. */
export interface Expectation {
  readonly required: readonly string[];
  readonly forbidden: readonly string[];
  /** The first of each pair must have succeeded before the second is called. */
  readonly before: readonly (readonly [string, string])[];
  readonly max_calls: number | null;
}

/** Another task with the same idempotency key and workflow. */
export interface Twin {
  readonly task_id: string;
  readonly key: string;
  /** Nanoseconds since 1970. */
  readonly started_at: bigint;
}

/** What a rule may know beside the task itself. What is not known is null: then no rule speaks. */
export interface Background {
  /** Start of the task's first span, nanoseconds since 1970. */
  readonly startedAt: bigint;
  readonly rateLimitedMs: number;
  readonly humanWaitMs: number;
  /** Lower bound of the task's cost where models are unpriced. */
  readonly costUsd: number | null;
  /** The UTC day whose earlier days were learnt from, such as `2026-03-04`. */
  readonly baseline: string;
  /** Tokens that a model can take in. */
  readonly windowOf: (provider: string, model: string) => number | null;
  readonly shapesOf: (tool: string) => Shapes | null;
  /** USD of the workflow's successes. */
  readonly cost: Distribution | null;
  /** Tool calls of the workflow's tasks. */
  readonly calls: Distribution | null;
  readonly twins: readonly Twin[];
  readonly expect: Expectation | null;
  /** Retirement days of models beside the built-in ones; null takes a built-in one away. */
  readonly retired: Readonly<Record<string, string | null>>;
}

/** Nothing known: rules that need a background are silent. */
export const noBackground: Background = {
  startedAt: 0n,
  rateLimitedMs: 0,
  humanWaitMs: 0,
  costUsd: null,
  baseline: '',
  windowOf: () => null,
  shapesOf: () => null,
  cost: null,
  calls: null,
  twins: [],
  expect: null,
  retired: {},
};
