import { Z_95 } from '../statistics/distributions.ts';
import type { BurnState } from './burn.ts';
import { windowName } from './policies.ts';

/** Additive sums over the tasks of one window; money in USD. */
export interface Spend {
  readonly tasks: number;
  /** Tasks with a verdict. */
  readonly decided: number;
  readonly successes: number;
  /** Tasks whose cost is not known in full: they make every exact figure unknown. */
  readonly unpriced: number;
  readonly cost: number;
  readonly costSquares: number;
  /** Cost of the successful tasks. */
  readonly costOfSuccesses: number;
}

export type Spends = ReadonlyMap<number, Spend>;

export interface WindowQuota {
  readonly window: string;
  readonly tasks: number;
  readonly successes: number;
  readonly unpriced_tasks: number;
  readonly cost_usd: number | null;
  readonly cost_usd_known: number;
  /** Cost of all tasks per success; null = unknown, or infinite when `reason` is `no_success`. */
  readonly unit_cost_usd: number | null;
  readonly unit_cost_usd_low: number | null;
  readonly unit_cost_usd_high: number | null;
  /** Unit cost over the target: 1 = exactly at the target. */
  readonly quota_burn: number | null;
  readonly reason: 'no_tasks' | 'no_verdicts' | 'no_success' | 'unpriced' | null;
}

export interface QuotaPolicyState {
  readonly policy: string;
  readonly severity: 'page' | 'ticket';
  readonly long_window: string;
  readonly short_window: string | null;
  /** The multiple of the target that the lower bound must exceed. */
  readonly factor: number;
  /** Lower 95 % bound of the unit cost over `factor` × target; it fires above 1. */
  readonly margin: number | null;
  readonly fires: boolean | null;
}

export interface Quota extends Omit<WindowQuota, 'window'> {
  readonly state: BurnState;
  readonly target_usd: number;
  readonly label_coverage_ratio: number | null;
  readonly budget_consumed_ratio: number | null;
  readonly budget_left_ratio: number | null;
  readonly windows: readonly WindowQuota[];
  readonly policies: readonly QuotaPolicyState[];
}

const HOUR = 3_600;
const DAY = 24 * HOUR;

// A burn of 14.4 would mean $7.20 at a target of $0.50: quotas alert on the interval of the unit cost instead.
const policies = [
  {
    name: 'page_6h',
    severity: 'page',
    long: 6 * HOUR,
    shorts: [1_800, HOUR, 3 * HOUR],
    factor: 1.5,
  },
  { name: 'ticket_3d', severity: 'ticket', long: 3 * DAY, shorts: [], factor: 1 },
] as const;

/** A short window needs this many tasks before it is believed. */
const SHORT_MIN_TASKS = 2;

const none: Spend = {
  tasks: 0,
  decided: 0,
  successes: 0,
  unpriced: 0,
  cost: 0,
  costSquares: 0,
  costOfSuccesses: 0,
};

/** Every window of a quota in seconds, ascending; the SLO's own window is last. */
export function quotaWindows(windowDays: number): number[] {
  const all = policies.flatMap(({ long, shorts }) => [long, ...shorts]);
  return [...new Set([...all, windowDays * DAY])].sort((a, b) => a - b);
}

/** Cost per success of one window with its 95 % interval (delta method on the ratio of sums). */
export function unitCost(
  spend: Spend,
  targetUsd: number,
): Omit<WindowQuota, 'window'> & { readonly lower: number | null } {
  const { tasks, successes, cost } = spend;
  const known = spend.unpriced === 0;
  const unit = successes > 0 ? cost / successes : null;
  const interval = unit === null ? null : deltaInterval(spend, unit);
  const exact = known && tasks > 0 && spend.decided > 0 ? unit : null;
  return {
    tasks,
    successes,
    unpriced_tasks: spend.unpriced,
    cost_usd: known && tasks > 0 ? cost : null,
    cost_usd_known: cost,
    unit_cost_usd: exact,
    unit_cost_usd_low: known ? (interval?.low ?? null) : null,
    unit_cost_usd_high: known ? (interval?.high ?? null) : null,
    quota_burn: exact === null ? null : exact / targetUsd,
    reason: reasonOf(spend),
    lower: lowerBound(spend, interval?.low ?? null),
  };
}

/** Everything about the cost SLO of one workflow. */
export function quotaOf(spends: Spends, targetUsd: number, windowDays: number): Quota {
  const spend = spends.get(windowDays * DAY) ?? none;
  const { lower, ...whole } = unitCost(spend, targetUsd);
  const judged = policies.map((policy) => judge(policy, spends, targetUsd));
  return {
    ...whole,
    state: stateOf(judged, lower !== null && lower > targetUsd),
    target_usd: targetUsd,
    label_coverage_ratio: spend.tasks === 0 ? null : spend.decided / spend.tasks,
    budget_consumed_ratio: whole.quota_burn,
    budget_left_ratio: whole.quota_burn === null ? null : 1 - whole.quota_burn,
    windows: [...spends].map(([seconds, sums]) => {
      const { lower: _, ...quota } = unitCost(sums, targetUsd);
      return { window: windowName(seconds), ...quota };
    }),
    policies: judged,
  };
}

function reasonOf({ tasks, decided, successes, unpriced }: Spend): WindowQuota['reason'] {
  if (tasks === 0) return 'no_tasks';
  if (decided === 0) return 'no_verdicts';
  if (successes === 0) return 'no_success';
  return unpriced > 0 ? 'unpriced' : null;
}

function deltaInterval(spend: Spend, unit: number): { low: number; high: number } | null {
  const { tasks, successes } = spend;
  if (tasks < 2) return null;
  const residuals = spend.costSquares - 2 * unit * spend.costOfSuccesses + unit * unit * successes;
  const se = Math.sqrt(Math.max(0, residuals) / (tasks - 1) / tasks) / (successes / tasks);
  return { low: unit - Z_95 * se, high: unit + Z_95 * se };
}

/**
 * What the unit cost is at least. Costs that are unknown only raise it. Without any success the share of successes is at
 * most 1 − 0.025^(1/n), so a single cheap failure proves nothing, and a hundred failures do.
 */
function lowerBound(spend: Spend, low: number | null): number | null {
  if (spend.tasks === 0 || spend.decided === 0) return null;
  if (spend.successes > 0) return low;
  const share = 1 - 0.025 ** (1 / spend.tasks);
  return spend.cost / (spend.tasks * share);
}

function judge(
  policy: (typeof policies)[number],
  spends: Spends,
  targetUsd: number,
): QuotaPolicyState {
  const limit = policy.factor * targetUsd;
  const lower = unitCost(spends.get(policy.long) ?? none, targetUsd).lower;
  const shorts: readonly number[] = policy.shorts;
  const short =
    shorts.find((seconds) => (spends.get(seconds)?.tasks ?? 0) >= SHORT_MIN_TASKS) ?? shorts.at(-1);
  const agrees = short === undefined ? true : agreement(spends.get(short) ?? none, limit);
  return {
    policy: policy.name,
    severity: policy.severity,
    long_window: windowName(policy.long),
    short_window: short === undefined ? null : windowName(short),
    factor: policy.factor,
    margin: lower === null ? null : lower / limit,
    fires: lower === null || agrees === null ? null : lower > limit && agrees,
  };
}

/** Whether the short window costs more than the limit per success as well; null without verdicts. */
function agreement(spend: Spend, limit: number): boolean | null {
  if (spend.decided === 0) return null;
  return spend.successes === 0 ? spend.cost > 0 : spend.cost / spend.successes > limit;
}

function stateOf(judged: readonly QuotaPolicyState[], overspent: boolean): BurnState {
  const firing = judged.find(({ fires }) => fires === true);
  if (firing !== undefined) return firing.severity;
  if (overspent) return 'exhausted';
  return judged.every(({ fires }) => fires === null) ? 'no_data' : 'ok';
}
