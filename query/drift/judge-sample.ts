import { Z_95 } from '../statistics/distributions.ts';
import {
  type Bin,
  kolmogorovSmirnov,
  mannWhitney,
  type Quantile,
  quantile,
} from '../statistics/histogram.ts';
import { type Moments, squaresAboutMean, welch } from '../statistics/welch.ts';
import type { Judgement } from './judgement.ts';
import { logDetectable, logFloor, rankDetectable, TASKS_MIN } from './power.ts';

const DURATION_FLOOR = 200;

/** Means of logarithms (Welch): the effect is the ratio of geometric means. `alert` is a difference of logarithms. */
export function judgeLog(
  from: Moments,
  to: Moments,
  unit: 'usd' | 'tokens',
  alert: number,
): Judgement {
  const test = welch(from, to);
  const sd = pooledSd(from, to);
  const values = from.n > 0 && to.n > 0;
  const delta = values ? to.sum / to.n - from.sum / from.n : null;
  return {
    n_reference: from.n,
    n_current: to.n,
    reference_value: from.n > 0 ? Math.exp(from.sum / from.n) : null,
    current_value: to.n > 0 ? Math.exp(to.sum / to.n) : null,
    value_unit: unit,
    effect: delta === null ? null : Math.exp(delta),
    effect_low: test === null ? null : Math.exp(test.low),
    effect_high: test === null ? null : Math.exp(test.high),
    effect_unit: 'ratio',
    p: test?.p ?? null,
    floor: logFloor(sd, alert),
    minimum_detectable_effect: values ? logDetectable(sd, from.n, to.n) : null,
    degenerate: test !== null && test.p === null,
    direction: delta === null || delta === 0 ? 'any' : delta > 0 ? 'up' : 'down',
    detail: { log_sd: sd },
  };
}

function pooledSd(from: Moments, to: Moments): number {
  const free = from.n + to.n - 2;
  if (free <= 0) return 0;
  return Math.sqrt((squaresAboutMean(from) + squaresAboutMean(to)) / free);
}

/** Durations: Kolmogorov–Smirnov for whether, the median or the 95th percentile for how much. */
export function judgeDuration(bins: readonly Bin[], from: Moments, to: Moments): Judgement {
  const shifts = [0.5, 0.95].map((q) => shiftOf(bins, q));
  const [median] = shifts;
  // The larger shift among those beyond their own interval; a 95th percentile of few tasks jumps by itself.
  const proven = shifts
    .filter((shift) => shift !== null)
    .filter(({ low, high }) => low > 0 || high < 0)
    .sort((a, b) => Math.abs(b.delta) - Math.abs(a.delta));
  const shift = proven[0] ?? median ?? null;
  const both = shift !== null;
  const ks = both ? kolmogorovSmirnov(bins) : null;
  const ranks = both ? mannWhitney(bins) : null;
  const side = (q: number, which: 'from' | 'to') => quantile(bins, which, q)?.value ?? null;
  return {
    n_reference: from.n,
    n_current: to.n,
    reference_value: shift?.from.value ?? side(0.5, 'from'),
    current_value: shift?.to.value ?? side(0.5, 'to'),
    value_unit: 'ms',
    effect: shift === null ? null : Math.exp(shift.delta),
    effect_low: shift === null ? null : Math.exp(shift.low),
    effect_high: shift === null ? null : Math.exp(shift.high),
    effect_unit: 'ratio',
    p: ks?.p ?? null,
    floor: DURATION_FLOOR,
    minimum_detectable_effect: both
      ? logDetectable(pooledSd(from, to) * 1.2533, from.n, to.n)
      : null,
    degenerate: false,
    direction: shift === null || shift.delta === 0 ? 'any' : shift.delta > 0 ? 'up' : 'down',
    detail: {
      quantile: shift?.q ?? null,
      p50_reference_ms: side(0.5, 'from'),
      p50_current_ms: side(0.5, 'to'),
      p95_reference_ms: side(0.95, 'from'),
      p95_current_ms: side(0.95, 'to'),
      ks_distance: ks?.d ?? null,
      probability_current_greater: ranks?.probabilityGreater ?? null,
    },
  };
}

interface Shift {
  readonly q: number;
  readonly from: Quantile;
  readonly to: Quantile;
  /** Difference of logarithms with its interval. */
  readonly delta: number;
  readonly low: number;
  readonly high: number;
}

function shiftOf(bins: readonly Bin[], q: number): Shift | null {
  const from = quantile(bins, 'from', q);
  const to = quantile(bins, 'to', q);
  if (from === null || to === null) return null;
  const log = ({ value, low, high }: Quantile) => [value, low, high].map(Math.log);
  const [a = 0, aLow = 0, aHigh = 0] = log(from);
  const [b = 0, bLow = 0, bHigh = 0] = log(to);
  const delta = b - a;
  // Two order-statistic intervals joined as Newcombe joins two scores.
  return {
    q,
    from,
    to,
    delta,
    low: delta - Math.hypot(b - bLow, aHigh - a),
    high: delta + Math.hypot(bHigh - b, a - aLow),
  };
}

/** Steps per task by ranks: the effect is the chance that a current task has more than a reference task. */
export function judgeSteps(bins: readonly Bin[]): Judgement {
  const n = bins.reduce((sum, bin) => sum + bin.from, 0);
  const m = bins.reduce((sum, bin) => sum + bin.to, 0);
  const ranks = n > 0 && m > 0 ? mannWhitney(bins) : null;
  const effect = ranks?.probabilityGreater ?? null;
  const half = ranks === null ? 0 : (Z_95 * ranks.sd) / (n * m);
  return {
    n_reference: n,
    n_current: m,
    reference_value: quantile(bins, 'from', 0.5)?.value ?? null,
    current_value: quantile(bins, 'to', 0.5)?.value ?? null,
    value_unit: 'steps',
    effect,
    effect_low: effect === null ? null : Math.max(0, effect - half),
    effect_high: effect === null ? null : Math.min(1, effect + half),
    effect_unit: 'probability_current_greater',
    // Every task of both windows has as many steps: nothing differs.
    p: ranks === null ? null : (ranks.p ?? 1),
    floor: TASKS_MIN,
    minimum_detectable_effect: n > 0 && m > 0 ? rankDetectable(n, m) : null,
    degenerate: false,
    direction: effect === null || effect === 0.5 ? 'any' : effect > 0.5 ? 'up' : 'down',
    detail: {},
  };
}
