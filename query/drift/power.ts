import { Z_99, Z_POWER_80 } from '../statistics/distributions.ts';

// Two-sided level 1 %, power 80 %.
const Z = Z_99 + Z_POWER_80;
/** Upper 1 % point of the standard normal, for chi-square's one-sided test. */
const Z_99_ONE_SIDED = 2.3263478740408408;

/** Below this many tasks in a window nothing is said, however large the effect. */
export const TASKS_MIN = 100;

/** Tasks per window at which a difference of `delta` from `rate` is found. */
export function shareFloor(rate: number, delta: number): number {
  // The direction towards one half is the noisier one.
  const other = rate < 0.5 ? Math.min(1, rate + delta) : Math.max(0, rate - delta);
  const spread = rate * (1 - rate) + other * (1 - other);
  return Math.max(TASKS_MIN, Math.ceil((Z * Z * spread) / (delta * delta)));
}

/** Smallest difference from `rate` that `n` and `m` events find. */
export function shareDetectable(rate: number, n: number, m: number): number {
  // From a rate of exactly 0 or 1 a start at no difference would stay there.
  let delta = 0.05;
  for (let i = 0; i < 50; i++) {
    const other = rate < 0.5 ? Math.min(1, rate + delta) : Math.max(0, rate - delta);
    delta = Z * Math.sqrt((rate * (1 - rate)) / n + (other * (1 - other)) / m);
  }
  return Math.min(1, delta);
}

/** Tasks per window at which a shift of `log` in means of logarithms with deviation `sd` is found. */
export function logFloor(sd: number, log: number): number {
  return Math.max(TASKS_MIN, Math.ceil((2 * Z * Z * sd * sd) / (log * log)));
}

/** Smallest ratio of geometric means (above 1) that `n` and `m` values find. */
export function logDetectable(sd: number, n: number, m: number): number {
  return Math.exp(Z * sd * Math.sqrt(1 / n + 1 / m));
}

/** Smallest probability above one half that ranks of `n` and `m` values find. */
export function rankDetectable(n: number, m: number): number {
  return Math.min(1, 0.5 + Z * Math.sqrt((n + m + 1) / (12 * n * m)));
}

/** Tasks per window for a mix of `categories`: 300, and a null distance of at most 0.02 on average. */
export function mixFloor(categories: number): number {
  return Math.max(300, 100 * (categories - 1));
}

/** Smallest Jensen–Shannon distance (base 2) that a corrected chi-square of `n` and `m` calls finds. */
export function mixDetectable(df: number, n: number, m: number, designEffect: number): number {
  const third = 2 / (9 * df);
  const critical = df * (1 - third + Z_99_ONE_SIDED * Math.sqrt(third)) ** 3;
  let lambda = critical;
  for (let i = 0; i < 100; i++) {
    lambda = Math.max(0, critical - df + Z_POWER_80 * Math.sqrt(2 * (df + 2 * lambda)));
  }
  return Math.min(1, Math.sqrt((lambda * designEffect * (1 / n + 1 / m)) / (8 * Math.LN2)));
}

/** Size of two equal windows that would tell as much as `n` and `m`. */
export function effectiveSize(n: number, m: number): number {
  return n + m === 0 ? 0 : (2 * n * m) / (n + m);
}
