import type { Moments } from './welch.ts';

/** Part of the series at each end in which no split is tried: 5 %, but at most three buckets, or yesterday's change stays unseen. */
const TRIM = 0.05;
const TRIM_BUCKETS_MAX = 3;

/** Where a series of buckets changed, if it did. Indices count buckets; `at` is the first bucket after the change. */
export interface ChangePoint {
  readonly at: number;
  /** 95 % credible interval of `at`. */
  readonly low: number;
  readonly high: number;
  /** Likelihood ratio of the best split, already divided by the variance inflation of `autocorrelation`. */
  readonly lr: number;
  /** Post-selection p of the best of all splits (Miller and Siegmund 1982), not the naive chi-square one. */
  readonly p: number;
  readonly autocorrelation: number;
  /** Posterior mass of every bucket as the first after the change; 0 where no split is allowed. */
  readonly posterior: readonly number[];
}

/** A way to see a series: the likelihood ratio of a split before bucket `k`, and the standardised residuals around it. */
export interface Series {
  readonly buckets: number;
  /** Splits with the wrong sign count as 0, so that an older change in the other direction is not blamed. */
  readonly ratio: (k: number) => number;
  readonly residuals: (k: number) => readonly number[];
}

/**
 * Scans all splits for the one with the largest likelihood ratio. Null when the series has too few buckets or no split
 * fits better than none. `slo-drift.md` §2.4: a maximum is not chi-square, and autocorrelation kills everything else.
 */
export function changePoint(series: Series): ChangePoint | null {
  const n = series.buckets;
  if (n < 4) return null;
  const trim = Math.max(1, Math.min(TRIM * n, TRIM_BUCKETS_MAX));
  const ratios = Array.from({ length: n }, (_, k) =>
    k >= trim && k <= n - trim ? Math.max(0, series.ratio(k)) : null,
  );
  const tried = ratios.flatMap((ratio, k) => (ratio === null ? [] : [{ ratio, k }]));
  const best = tried.reduce((a, b) => (b.ratio > a.ratio ? b : a), { ratio: 0, k: 0 });
  if (!(best.ratio > 0)) return null;
  const autocorrelation = lagOne(series.residuals(best.k));
  const inflation = (1 + autocorrelation) / (1 - autocorrelation);
  const weights = ratios.map((ratio) =>
    ratio === null ? 0 : Math.exp((ratio - best.ratio) / inflation / 2),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const posterior = weights.map((weight) => weight / total);
  const lr = best.ratio / inflation;
  return {
    at: best.k,
    low: massAt(posterior, 0.025),
    high: massAt(posterior, 0.975),
    lr,
    p: supremumP(lr, trim / n),
    autocorrelation,
    posterior,
  };
}

/** P that the largest likelihood ratio of all splits reaches `lr` when nothing changed; `trim` = share left out at each end. */
export function supremumP(lr: number, trim: number): number {
  const b = Math.sqrt(lr);
  if (b < 1.5) return 1;
  const density = Math.exp(-lr / 2) / Math.sqrt(2 * Math.PI);
  const odds = 2 * Math.log((1 - trim) / trim);
  return Math.min(1, density * ((b - 1 / b) * odds + 4 / b));
}

function massAt(posterior: readonly number[], mass: number): number {
  let cumulative = 0;
  for (const [k, weight] of posterior.entries()) {
    cumulative += weight;
    if (cumulative >= mass) return k;
  }
  return posterior.length - 1;
}

/** Lag-1 autocorrelation, bias-corrected by r + (1 + 3r)/n, clipped to [0, 0.97]. */
export function lagOne(residuals: readonly number[]): number {
  const n = residuals.length;
  const mean = residuals.reduce((sum, value) => sum + value, 0) / n;
  let products = 0;
  let squares = 0;
  let previous: number | null = null;
  for (const value of residuals) {
    const centred = value - mean;
    squares += centred * centred;
    if (previous !== null) products += centred * previous;
    previous = centred;
  }
  if (!(squares > 0)) return 0;
  const r = products / squares;
  return Math.min(0.97, Math.max(0, r + (1 + 3 * r) / n));
}

export type Direction = 'up' | 'down' | 'any';

function allowed(direction: Direction, before: number, after: number): boolean {
  return direction === 'any' || (direction === 'up' ? after > before : after < before);
}

/** Log-likelihood of a binomial at its own rate. */
function binomialFit(hits: number, n: number): number {
  const part = (x: number) => (x > 0 ? x * Math.log(x / n) : 0);
  return part(hits) + part(n - hits);
}

/** Running sums: entry k = the first k buckets. */
function prefix(values: readonly number[]): number[] {
  const sums = [0];
  for (const value of values) sums.push((sums.at(-1) ?? 0) + value);
  return sums;
}

const at = (values: readonly number[], k: number) => values[k] ?? 0;

/** Shares: every bucket holds `hits` of `n` > 0. */
export function binomialSeries(
  buckets: readonly { readonly hits: number; readonly n: number }[],
  direction: Direction = 'any',
): Series {
  const hits = prefix(buckets.map((bucket) => bucket.hits));
  const ns = prefix(buckets.map((bucket) => bucket.n));
  const x = hits.at(-1) ?? 0;
  const n = ns.at(-1) ?? 0;
  return {
    buckets: buckets.length,
    ratio: (k) => {
      const x1 = at(hits, k);
      const n1 = at(ns, k);
      if (!allowed(direction, x1 / n1, (x - x1) / (n - n1))) return 0;
      return 2 * (binomialFit(x1, n1) + binomialFit(x - x1, n - n1) - binomialFit(x, n));
    },
    residuals: (k) => {
      const before = at(hits, k) / at(ns, k);
      const after = (x - at(hits, k)) / (n - at(ns, k));
      return buckets.map((bucket, i) => {
        const rate = i < k ? before : after;
        const sd = Math.sqrt(bucket.n * rate * (1 - rate));
        return sd > 0 ? (bucket.hits - bucket.n * rate) / sd : 0;
      });
    },
  };
}

/** Means of roughly normal values (logarithms of cost, tokens, latency): every bucket holds the moments of n > 0 values. */
export function gaussianSeries(buckets: readonly Moments[], direction: Direction = 'any'): Series {
  const ns = prefix(buckets.map((bucket) => bucket.n));
  const sums = prefix(buckets.map((bucket) => bucket.sum));
  const n = ns.at(-1) ?? 0;
  const sum = sums.at(-1) ?? 0;
  const squares = buckets.reduce((total, bucket) => total + bucket.sumSquares, 0);
  const whole = squares - (sum * sum) / n;
  // A perfect step leaves nothing inside the segments: a floor keeps its ratio finite.
  const floor = Math.max(whole * 1e-9, Number.MIN_VALUE);
  return {
    buckets: buckets.length,
    ratio: (k) => {
      const n1 = at(ns, k);
      const s1 = at(sums, k);
      const n2 = n - n1;
      const s2 = sum - s1;
      if (!(whole > squares * 1e-12) || !allowed(direction, s1 / n1, s2 / n2)) return 0;
      const inside = Math.max(floor, squares - (s1 * s1) / n1 - (s2 * s2) / n2);
      return n * Math.log(whole / inside);
    },
    residuals: (k) => {
      const before = at(sums, k) / at(ns, k);
      const after = (sum - at(sums, k)) / (n - at(ns, k));
      return buckets.map(
        (bucket, i) => (bucket.sum / bucket.n - (i < k ? before : after)) * Math.sqrt(bucket.n),
      );
    },
  };
}

/** Mixes: every bucket holds the counts of the same categories, at least one > 0; `designEffect` ≥ 1 for calls clustered in tasks. */
export function multinomialSeries(
  buckets: readonly (readonly number[])[],
  designEffect = 1,
): Series {
  const k0 = buckets[0]?.length ?? 0;
  const columns = Array.from({ length: k0 }, (_, c) => buckets.map((bucket) => at(bucket, c)));
  const sums = columns.map(prefix);
  const ns = prefix(buckets.map((bucket) => bucket.reduce((total, count) => total + count, 0)));
  const n = ns.at(-1) ?? 0;
  const likelihood = (counts: readonly number[], total: number) =>
    counts.reduce((log, x) => log + (x > 0 ? x * Math.log(x / total) : 0), 0);
  const before = (k: number) => sums.map((column) => at(column, k));
  const after = (k: number) => sums.map((column) => (column.at(-1) ?? 0) - at(column, k));
  const whole = likelihood(after(0), n);
  return {
    buckets: buckets.length,
    ratio: (k) => {
      const n1 = at(ns, k);
      return (
        (2 * (likelihood(before(k), n1) + likelihood(after(k), n - n1) - whole)) / designEffect
      );
    },
    // The category that moved most stands for the mix.
    residuals: (k) => {
      const a = before(k);
      const b = after(k);
      const moved = a.map((x, c) => Math.abs(x / at(ns, k) - at(b, c) / (n - at(ns, k))));
      const c = moved.indexOf(Math.max(...moved));
      return binomialSeries(
        buckets.map((bucket, i) => ({ hits: at(bucket, c), n: at(ns, i + 1) - at(ns, i) })),
      ).residuals(k);
    },
  };
}
