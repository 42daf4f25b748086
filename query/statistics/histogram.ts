import { normalTwoSided, Z_95 } from './distributions.ts';

/** Two samples counted on the same ascending values (or bucket bounds). */
export interface Bin {
  readonly value: number;
  readonly from: number;
  readonly to: number;
}

export interface Ranks {
  /** P(to > from) + ½ P(equal) */
  readonly probabilityGreater: number;
  readonly u: number;
  readonly sd: number;
  /** Tie-corrected, with continuity correction; null when every value is equal. */
  readonly p: number | null;
}

/** Mann–Whitney U of two binned samples; both must hold at least one value. */
export function mannWhitney(bins: readonly Bin[]): Ranks {
  let n = 0;
  let greater = 0;
  let ties = 0;
  let m = 0;
  for (const { from, to } of bins) {
    greater += to * (n + from / 2);
    n += from;
    m += to;
    const both = from + to;
    ties += both ** 3 - both;
  }
  const all = n + m;
  const sd = Math.sqrt(((n * m) / 12) * (all + 1 - ties / (all * (all - 1))));
  const distance = Math.max(0, Math.abs(greater - (n * m) / 2) - 0.5);
  return {
    probabilityGreater: greater / (n * m),
    u: n * m - greater,
    sd,
    p: sd > 0 ? normalTwoSided(distance / sd) : null,
  };
}

/** Below this product of sample sizes the exact distribution is counted; above it the asymptotic one is good to 1 %. */
const EXACT_CELLS = 250_000;

/** Two-sample Kolmogorov–Smirnov of binned samples; both must hold at least one value. Ties make p too large, never too small. */
export function kolmogorovSmirnov(bins: readonly Bin[]): {
  readonly d: number;
  readonly p: number;
} {
  const n = bins.reduce((sum, bin) => sum + bin.from, 0);
  const m = bins.reduce((sum, bin) => sum + bin.to, 0);
  let below = 0;
  let belowTo = 0;
  let d = 0;
  for (const { from, to } of bins) {
    below += from;
    belowTo += to;
    d = Math.max(d, Math.abs(below / n - belowTo / m));
  }
  return { d, p: n * m <= EXACT_CELLS ? exactTail(n, m, d) : asymptoticTail(n, m, d) };
}

/** P(D ≥ d): one minus the share of lattice paths from (0, 0) to (n, m) that stay inside the band |i/n − j/m| < d. */
function exactTail(n: number, m: number, d: number): number {
  const band = d - 1e-12;
  const row = new Float64Array(m + 1);
  for (let i = 0; i <= n; i++) {
    for (let j = 0; j <= m; j++) {
      // Every cell holds the share of paths inside, so that numbers stay in [0, 1] instead of binomials of n + m.
      const left = j > 0 ? (row[j - 1] ?? 0) * (j / (i + j)) : 0;
      const above = i > 0 ? (row[j] ?? 0) * (i / (i + j)) : 0;
      const inside = Math.abs(i / n - j / m) < band;
      row[j] = i + j === 0 ? 1 : inside ? left + above : 0;
    }
  }
  return Math.min(1, Math.max(0, 1 - (row[m] ?? 0)));
}

function asymptoticTail(n: number, m: number, d: number): number {
  const root = Math.sqrt((n * m) / (n + m));
  const lambda = (root + 0.12 + 0.11 / root) * d;
  let sum = 0;
  for (let k = 1; k <= 100; k++) sum += (k % 2 ? 2 : -2) * Math.exp(-2 * k * k * lambda * lambda);
  return lambda < 0.2 ? 1 : Math.min(1, Math.max(0, sum));
}

export interface Quantile {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Nearest-rank quantile `q` of one side with its 95 % binomial order-statistic interval; null on an empty side. */
export function quantile(bins: readonly Bin[], side: 'from' | 'to', q: number): Quantile | null {
  const n = bins.reduce((sum, bin) => sum + bin[side], 0);
  if (n === 0) return null;
  const spread = Z_95 * Math.sqrt(n * q * (1 - q));
  const rank = (position: number) => {
    const wanted = Math.min(n, Math.max(1, Math.ceil(position)));
    let seen = 0;
    for (const bin of bins) {
      seen += bin[side];
      if (seen >= wanted) return bin.value;
    }
    return bins.at(-1)?.value ?? 0;
  };
  return { value: rank(q * n), low: rank(q * n - spread), high: rank(q * n + spread + 1) };
}
