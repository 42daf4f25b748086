import { distances, raoScott } from '../statistics/categorical.ts';
import { newcombe, type Share } from '../statistics/proportions.ts';
import { type Moments, welch } from '../statistics/welch.ts';
import { type ToolUse, totals } from './judge-mix.ts';
import { effectiveShares } from './judge-share.ts';
import type { EffectUnit } from './judgement.ts';
import { logMoments, type Sums } from './measures.ts';
import type { Signal } from './signals.ts';

/** Some tasks: their sums, and the calls of each tool where the signal is about those. */
export interface Group {
  readonly sums: Sums;
  readonly tools: ReadonlyMap<string, ToolUse['from']>;
}

/** One difference between two groups, in the unit of `unit`. */
export interface Delta {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly significant: boolean;
}

/**
 * `cause`: new differs from old *at the same time*, old did not change with time. `external`: old changed too and new is
 * like it. `mixed`: both. `temporal_only`: too few old ones were left to tell. `inconclusive`: neither is proven.
 */
export type Attribution = 'cause' | 'external' | 'mixed' | 'temporal_only' | 'inconclusive';

/** Old tasks after the change from which the two can be told apart. */
export const OLD_AFTER_MIN = 30;
const ALPHA = 0.05;

/** Unit in which groups of a signal are compared. */
export function contrastUnit(signal: Signal): EffectUnit {
  switch (signal.kind) {
    case 'share':
    case 'call_share':
      return 'percentage_points';
    case 'log':
    case 'quantile':
    case 'rank':
      return 'ratio';
    case 'mix':
      return 'js_distance';
  }
}

/** How many tasks of a group the signal counts. */
export function sizeOf(signal: Signal, { sums }: Group): number {
  switch (signal.kind) {
    case 'share':
      return sums[signal.n];
    case 'call_share':
    case 'mix':
      return sums.tool_tasks;
    case 'log':
    case 'quantile':
    case 'rank':
      return sums[`${signal.quantity}_n`];
  }
}

/** The signal's value in a group: share, geometric mean, or null for a mix or an empty group. */
export function valueIn(signal: Signal, { sums }: Group): number | null {
  switch (signal.kind) {
    case 'share':
      return ratio(sums[signal.hits], sums[signal.n]);
    case 'call_share':
      return ratio(sums.tool_errors, sums.tool_calls);
    case 'log':
    case 'quantile':
    case 'rank': {
      const { n, sum } = logMoments(sums, signal.quantity);
      return n > 0 ? Math.exp(sum / n) : null;
    }
    case 'mix':
      return null;
  }
}

function ratio(hits: number, n: number): number | null {
  return n > 0 ? hits / n : null;
}

/** How `to` differs from `from`; null when either has nothing to compare. */
export function deltaOf(signal: Signal, from: Group, to: Group): Delta | null {
  switch (signal.kind) {
    case 'share': {
      const of = ({ sums }: Group) => ({ hits: sums[signal.hits], n: sums[signal.n] });
      return shareDelta(of(from), of(to));
    }
    case 'call_share':
      return callDelta(from.sums, to.sums);
    case 'log':
    case 'quantile':
    case 'rank': {
      const of = ({ sums }: Group) => logMoments(sums, signal.quantity);
      return logDelta(of(from), of(to));
    }
    case 'mix':
      return mixDelta(from, to);
  }
}

/** Difference of two shares in percentage points with Newcombe's interval. */
export function shareDelta(from: Share, to: Share): Delta | null {
  if (from.n === 0 || to.n === 0) return null;
  const { delta, low, high } = newcombe(from, to);
  return { value: delta * 100, low: low * 100, high: high * 100, significant: low > 0 || high < 0 };
}

function callDelta(reference: Sums, current: Sums): Delta | null {
  const { from, to } = effectiveShares(reference, current);
  return shareDelta(from, to);
}

function logDelta(from: Moments, to: Moments): Delta | null {
  const test = welch(from, to);
  if (test === null) return null;
  return {
    value: Math.exp(test.delta),
    low: Math.exp(test.low),
    high: Math.exp(test.high),
    significant: test.low > 0 || test.high < 0,
  };
}

function mixDelta(from: Group, to: Group): Delta | null {
  const none = { count: 0, countSquares: 0, countTimesTotal: 0 };
  const names = [...new Set([...from.tools.keys(), ...to.tools.keys()])];
  const uses = names.map((name) => ({
    name,
    from: from.tools.get(name) ?? none,
    to: to.tools.get(name) ?? none,
  }));
  const test = raoScott(uses, totals(from.sums), totals(to.sums));
  const counts = uses.map((use) => ({
    name: use.name,
    from: use.from.count,
    to: use.to.count,
  }));
  const distance = distances(counts);
  if (test === null || distance === null) return null;
  return {
    value: distance.jsDistance,
    low: null,
    high: null,
    significant: test.p !== null && test.p < ALPHA,
  };
}

/** Verdict from both differences; `oldAfter` = old tasks after the change. */
export function attribute(
  oldAfter: number,
  deltaNew: Delta | null,
  deltaTime: Delta | null,
): Attribution {
  if (oldAfter < OLD_AFTER_MIN || deltaNew === null || deltaTime === null) return 'temporal_only';
  if (deltaNew.significant) return deltaTime.significant ? 'mixed' : 'cause';
  return deltaTime.significant ? 'external' : 'inconclusive';
}
