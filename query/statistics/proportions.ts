import { normalTwoSided, Z_95 } from './distributions.ts';

/** `hits` out of `n`. */
export interface Share {
  readonly hits: number;
  readonly n: number;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Wilson score interval of a share; n > 0. */
export function wilson({ hits, n }: Share, z = Z_95): Interval {
  const p = hits / n;
  const spread = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  const centre = p + (z * z) / (2 * n);
  // What rounding leaves must not put a share of none or of all outside of its own interval.
  return {
    low: hits === 0 ? 0 : (centre - spread) / scale,
    high: hits === n ? 1 : (centre + spread) / scale,
  };
}

/** Newcombe's hybrid score interval of `to − from` (Newcombe 1998, method 10); both n > 0. */
export function newcombe(from: Share, to: Share, z = Z_95): Interval & { readonly delta: number } {
  const a = wilson(from, z);
  const b = wilson(to, z);
  const pa = from.hits / from.n;
  const pb = to.hits / to.n;
  const delta = pb - pa;
  return {
    delta,
    low: delta - Math.hypot(pb - b.low, a.high - pa),
    high: delta + Math.hypot(b.high - pb, pa - a.low),
  };
}

/** Pooled score test of two shares; p is null when nothing can differ (all hits or none in both). */
export function twoProportions(
  from: Share,
  to: Share,
): { readonly z: number | null; readonly p: number | null; readonly cohensH: number } {
  const pa = from.hits / from.n;
  const pb = to.hits / to.n;
  const pooled = (from.hits + to.hits) / (from.n + to.n);
  const variance = pooled * (1 - pooled) * (1 / from.n + 1 / to.n);
  const z = variance > 0 ? (pb - pa) / Math.sqrt(variance) : null;
  return {
    z,
    p: z === null ? null : normalTwoSided(z),
    cohensH: 2 * Math.asin(Math.sqrt(pb)) - 2 * Math.asin(Math.sqrt(pa)),
  };
}
