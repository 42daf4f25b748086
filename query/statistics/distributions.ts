import { betaI, gammaQ } from './special.ts';

/** Standard normal quantiles: two-sided 95 %, two-sided 99 %, and power 80 %. */
export const Z_95 = 1.959963984540054;
export const Z_99 = 2.5758293035489004;
export const Z_POWER_80 = 0.8416212335729143;

/** P(Z > z) of the standard normal distribution; keeps its relative accuracy far into the tail. */
export function normalTail(z: number): number {
  const half = 0.5 * gammaQ(0.5, (z * z) / 2);
  return z >= 0 ? half : 1 - half;
}

/** Two-sided p of a standard normal statistic. */
export function normalTwoSided(z: number): number {
  return Math.min(1, 2 * normalTail(Math.abs(z)));
}

/** P(X > x) of chi-square with `df` > 0 degrees of freedom (need not be whole). */
export function chiSquareTail(x: number, df: number): number {
  return x <= 0 ? 1 : gammaQ(df / 2, x / 2);
}

/** Two-sided p of Student's t with `df` > 0 degrees of freedom (need not be whole). */
export function studentTwoSided(t: number, df: number): number {
  return betaI(df / (df + t * t), df / 2, 0.5);
}

/** The t whose two-sided p is `p`, 0 < p < 1, by bisection. */
export function studentQuantile(p: number, df: number): number {
  let low = 0;
  let high = 1;
  while (studentTwoSided(high, df) > p && high < 1e12) high *= 2;
  for (let i = 0; i < 200 && high - low > high * 1e-15; i++) {
    const middle = (low + high) / 2;
    if (studentTwoSided(middle, df) > p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Exact binomial tail P(X ≥ k | n, p), as I_p(k, n − k + 1). `k` and `n` may be fractions: events divided by a design
 * effect still have a tail.
 */
export function binomialTail(k: number, n: number, p: number): number {
  if (k <= 0) return 1;
  if (k > n) return 0;
  return betaI(p, k, n - k + 1);
}
