import { designEffect } from '../statistics/categorical.ts';
import { newcombe, type Share, twoProportions } from '../statistics/proportions.ts';
import type { Judgement } from './judgement.ts';
import type { Sums } from './measures.ts';
import { shareDetectable, shareFloor, TASKS_MIN } from './power.ts';

const none = {
  reference_value: null,
  current_value: null,
  effect: null,
  effect_low: null,
  effect_high: null,
  p: null,
  minimum_detectable_effect: null,
  degenerate: false,
  direction: 'any',
} as const;

/** A share of tasks in two windows: score test, Newcombe interval. `alert` is a difference of shares. */
export function judgeShare(from: Share, to: Share, alert: number): Judgement {
  const common = {
    n_reference: from.n,
    n_current: to.n,
    value_unit: 'ratio',
    effect_unit: 'percentage_points',
    detail: {},
  } as const;
  if (from.n === 0 || to.n === 0) {
    const rate = from.n > 0 ? from.hits / from.n : 0.5;
    return { ...common, ...none, floor: shareFloor(rate, alert) };
  }
  const { delta, low, high } = newcombe(from, to);
  const rate = from.hits / from.n;
  const test = twoProportions(from, to);
  return {
    ...common,
    reference_value: rate,
    current_value: to.hits / to.n,
    effect: delta * 100,
    effect_low: low * 100,
    effect_high: high * 100,
    // All or none in both windows: nothing differs.
    p: test.p ?? 1,
    floor: shareFloor(rate, alert),
    minimum_detectable_effect: shareDetectable(rate, from.n, to.n) * 100,
    degenerate: false,
    direction: delta > 0 ? 'up' : delta < 0 ? 'down' : 'any',
    detail: { cohens_h: test.cohensH },
  };
}

/** Errors among tool calls: the same after dividing calls by their design effect, because one retry loop is many errors. */
export function judgeCallShare(reference: Sums, current: Sums, alert: number): Judgement {
  const { from, to, designEffect } = effectiveShares(reference, current);
  const judged = judgeShare(from, to, alert);
  // A floor in independent calls, as tasks.
  const tasksPerCall = from.n > 0 ? reference.tool_tasks / from.n : 1;
  return {
    ...judged,
    n_reference: reference.tool_tasks,
    n_current: current.tool_tasks,
    floor: Math.max(TASKS_MIN, Math.ceil(judged.floor * tasksPerCall)),
    detail: {
      ...judged.detail,
      calls_reference: reference.tool_calls,
      calls_current: current.tool_calls,
      design_effect: designEffect,
    },
  };
}

/**
 * Errors out of tool calls on both sides, divided by their common design effect (Rao–Scott for two categories): the
 * score test of these shares is the corrected chi-square. One side alone would not do, since without an error it shows
 * no clustering.
 */
export function effectiveShares(
  reference: Sums,
  current: Sums,
): { readonly from: Share; readonly to: Share; readonly designEffect: number } {
  const parts = [reference, current].filter(({ tool_calls }) => tool_calls > 0);
  const weights = parts.reduce((sum, { tool_calls }) => sum + 1 / tool_calls, 0);
  const effects = parts.reduce((sum, part) => sum + clustering(part) / part.tool_calls, 0);
  const common = Math.max(1, weights > 0 ? effects / weights : 1);
  const share = ({ tool_errors, tool_calls }: Sums) => ({
    hits: tool_errors / common,
    n: tool_calls / common,
  });
  return { from: share(reference), to: share(current), designEffect: common };
}

/** How many times more the error share of some tasks varies than that of as many independent calls. */
export function clustering(sums: Sums): number {
  const errors = {
    count: sums.tool_errors,
    countSquares: sums.tool_error_squares,
    countTimesTotal: sums.tool_error_products,
  };
  const all = { tasks: sums.tool_tasks, count: sums.tool_calls, squares: sums.tool_squares };
  return designEffect(errors, all);
}
