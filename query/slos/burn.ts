import { binomialTail } from '../statistics/distributions.ts';
import { factorOf, type Policy, policiesFor, shortWindows, windowName } from './policies.ts';

/** Events of one window: additive counts, never a stored ratio. */
export interface Count {
  readonly valid: number;
  readonly bad: number;
}

/** Counts per window in seconds, the SLO's own window included. */
export type Counts = ReadonlyMap<number, Count>;

export interface WindowBurn extends Count {
  readonly window: string;
  readonly error_ratio: number | null;
  readonly burn: number | null;
}

export interface PolicyState {
  readonly policy: string;
  readonly severity: 'page' | 'ticket';
  readonly long_window: string;
  /** The short window that was used; wider than the policy's own when that one held fewer than two events. */
  readonly short_window: string;
  /** Burn at which the standard table fires. */
  readonly factor: number;
  /** `factor` capped, so that it can be reached: what the burn is compared with. */
  readonly factor_effective: number;
  /** Whether the uncapped factor could ever be reached: false when it needs an error ratio of 1 or more. */
  readonly reachable: boolean;
  readonly burn_long: number | null;
  readonly burn_short: number | null;
  /** The slower of both burns over `factor_effective`; it fires above 1. */
  readonly margin: number | null;
  /** Exact chance of so many bad events in the long window if the service only just met its target. */
  readonly p: number | null;
  readonly p_below: number;
  /** Part of the whole window's budget that the long window spent. */
  readonly budget_share_ratio: number | null;
  /** null: no data in a window; a running alert neither resolves nor starts. */
  readonly fires: boolean | null;
}

export type BurnState = 'page' | 'ticket' | 'exhausted' | 'ok' | 'no_data';

export interface Burn extends Count {
  readonly state: BurnState;
  readonly target: number;
  readonly error_ratio: number | null;
  readonly burn: number | null;
  readonly budget_consumed_ratio: number | null;
  /** Below 0 when more than the budget is spent. */
  readonly budget_left_ratio: number | null;
  /** Days until the budget is spent at the last day's burn; 0 = spent, null = never at this rate, or no data. */
  readonly exhaustion_days: number | null;
  /** Variance inflation by events of one task failing together; 1 when tasks are counted. */
  readonly design_effect: number;
  readonly windows: readonly WindowBurn[];
  readonly policies: readonly PolicyState[];
}

/** A short window needs this many events before it is believed. */
const SHORT_MIN_VALID = 2;
const DAY = 86_400;
/** 1 − 0.95 is 0.050000000000000044: a burn exactly at the factor must not fire. */
const EPSILON = 1e-9;

const none: Count = { valid: 0, bad: 0 };

/** Error ratio over error budget; null without events. */
export function burnRate({ valid, bad }: Count, target: number): number | null {
  return valid === 0 ? null : bad / valid / (1 - target);
}

/** Bad events that the targets of all segments (times or workflows) allow together. */
export function allowedBad(
  segments: readonly { readonly valid: number; readonly target: number }[],
): number {
  return segments.reduce((sum, { target, valid }) => sum + (1 - target) * valid, 0);
}

/** Days until a budget is spent at burn `burn`. */
export function exhaustionDays(
  consumed: number | null,
  burn: number | null,
  windowDays: number,
): number | null {
  if (consumed === null) return null;
  if (consumed >= 1) return 0;
  return burn === null || burn === 0 ? null : ((1 - consumed) * windowDays) / burn;
}

/** Whether a factor's error ratio lies below 1. */
export function reachable(factor: number, target: number): boolean {
  return factor * (1 - target) < 1 - EPSILON;
}

/** How far both windows are above a factor, and whether that fires before the gate is asked; null without data. */
export function compare(
  long: Count,
  short: Count,
  target: number,
  factor: number,
): { readonly margin: number; readonly above: boolean } | null {
  const burnLong = burnRate(long, target);
  const burnShort = burnRate(short, target);
  if (burnLong === null || burnShort === null) return null;
  const margin = Math.min(burnLong, burnShort) / factor;
  return { margin, above: margin > 1 + EPSILON };
}

/** Everything about one SLO of one workflow. `windowDays` must have its count in `counts`; `designEffect` ≥ 1. */
export function burnOf(counts: Counts, target: number, windowDays: number, designEffect = 1): Burn {
  const whole = counts.get(windowDays * DAY) ?? none;
  const policies = policiesFor(windowDays).map((policy) =>
    judge(policy, counts, target, windowDays, designEffect),
  );
  const consumed = burnRate(whole, target);
  const lastDay = burnRate(counts.get(policyDay(windowDays)) ?? none, target);
  return {
    ...whole,
    state: stateOf(policies, consumed),
    target,
    error_ratio: whole.valid === 0 ? null : whole.bad / whole.valid,
    burn: consumed,
    budget_consumed_ratio: consumed,
    budget_left_ratio: consumed === null ? null : 1 - consumed,
    exhaustion_days: exhaustionDays(consumed, lastDay, windowDays),
    design_effect: designEffect,
    windows: [...counts].map(([seconds, count]) => ({
      window: windowName(seconds),
      ...count,
      error_ratio: count.valid === 0 ? null : count.bad / count.valid,
      burn: burnRate(count, target),
    })),
    policies,
  };
}

/** The long window of the daily tier: the burn that forecasts. */
function policyDay(windowDays: number): number {
  const daily = policiesFor(windowDays).find((policy) => policy.name === 'ticket_1d');
  return daily?.longSeconds ?? DAY;
}

function judge(
  policy: Policy,
  counts: Counts,
  target: number,
  windowDays: number,
  designEffect: number,
): PolicyState {
  const budget = 1 - target;
  const factor =
    policy.budgetFraction === null
      ? policy.cap / budget
      : factorOf(policy.budgetFraction, windowDays * DAY, policy.longSeconds);
  const effective = Math.min(factor, policy.cap / budget);
  const long = counts.get(policy.longSeconds) ?? none;
  const shortSeconds = adaptiveShort(policy, counts);
  const short = counts.get(shortSeconds) ?? none;
  const result = compare(long, short, target, effective);
  const whole = counts.get(windowDays * DAY) ?? none;
  const p =
    long.valid === 0
      ? null
      : binomialTail(long.bad / designEffect, long.valid / designEffect, budget);
  return {
    policy: policy.name,
    severity: policy.severity,
    long_window: windowName(policy.longSeconds),
    short_window: windowName(shortSeconds),
    factor,
    factor_effective: effective,
    reachable: reachable(factor, target),
    burn_long: burnRate(long, target),
    burn_short: burnRate(short, target),
    margin: result?.margin ?? null,
    p,
    p_below: policy.alpha,
    budget_share_ratio: whole.valid === 0 ? null : long.bad / (budget * whole.valid),
    fires: result === null || p === null ? null : result.above && p < policy.alpha,
  };
}

/** The policy's short window, or the first wider one that holds enough events, or the widest. */
export function adaptiveShort(policy: Policy, counts: Counts): number {
  const windows = shortWindows(policy);
  const enough = windows.find((seconds) => (counts.get(seconds)?.valid ?? 0) >= SHORT_MIN_VALID);
  return enough ?? windows.at(-1) ?? policy.shortSeconds;
}

function stateOf(policies: readonly PolicyState[], consumed: number | null): BurnState {
  if (policies.some(({ fires, severity }) => fires === true && severity === 'page')) return 'page';
  if (policies.some(({ fires }) => fires === true)) return 'ticket';
  if (consumed !== null && consumed >= 1) return 'exhausted';
  return policies.every(({ fires }) => fires === null) ? 'no_data' : 'ok';
}
