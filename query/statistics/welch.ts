import { studentQuantile, studentTwoSided } from './distributions.ts';

/** Additive moments of a sample: SQL and hourly buckets return these, never the values. */
export interface Moments {
  readonly n: number;
  readonly sum: number;
  readonly sumSquares: number;
}

export interface WelchResult {
  /** mean(to) − mean(from) */
  readonly delta: number;
  readonly t: number | null;
  readonly df: number | null;
  /** null when both samples are constant: a total change or none at all, which no t can tell. */
  readonly p: number | null;
  readonly low: number;
  readonly high: number;
}

/** Sum of squares about the mean; never negative, and 0 below the rounding error of the sums. */
export function squaresAboutMean({ n, sum, sumSquares }: Moments): number {
  if (n === 0) return 0;
  const rest = sumSquares - (sum * sum) / n;
  return rest > Math.abs(sumSquares) * 1e-12 ? rest : 0;
}

/** Unbiased variance; null below two values. */
export function variance(moments: Moments): number | null {
  return moments.n < 2 ? null : squaresAboutMean(moments) / (moments.n - 1);
}

/** Welch's t test with its 95 % interval; null below two values in either sample. */
export function welch(from: Moments, to: Moments): WelchResult | null {
  const va = variance(from);
  const vb = variance(to);
  if (va === null || vb === null) return null;
  const delta = to.sum / to.n - from.sum / from.n;
  const a = va / from.n;
  const b = vb / to.n;
  if (a + b === 0) return { delta, t: null, df: null, p: null, low: delta, high: delta };
  const se = Math.sqrt(a + b);
  const df = (a + b) ** 2 / ((a * a) / (from.n - 1) + (b * b) / (to.n - 1));
  const half = studentQuantile(0.05, df) * se;
  const t = delta / se;
  return { delta, t, df, p: studentTwoSided(t, df), low: delta - half, high: delta + half };
}
