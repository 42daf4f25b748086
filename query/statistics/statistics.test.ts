import { describe, expect, it } from 'vitest';
import { vector } from '../../test/vectors.ts';
import { distances, raoScott } from './categorical.ts';
import {
  binomialSeries,
  changePoint,
  gaussianSeries,
  lagOne,
  multinomialSeries,
  supremumP,
} from './change-point.ts';
import { binomialTail, chiSquareTail, normalTail, studentTwoSided } from './distributions.ts';
import { type Bin, kolmogorovSmirnov, mannWhitney, quantile } from './histogram.ts';
import { kitagawa } from './kitagawa.ts';
import { benjaminiHochberg } from './multiplicity.ts';
import { newcombe, twoProportions, wilson } from './proportions.ts';
import { type Moments, welch } from './welch.ts';

interface Gate {
  readonly n: number;
  readonly bad: number;
  readonly budget: number;
  readonly binom_tail_p: number;
}

interface CategoryInput {
  readonly categories: string[];
  readonly ref: number[];
  readonly cur: number[];
}

interface Clusters {
  readonly ref_runs_tool_counts: number[][];
  readonly cur_runs_tool_counts: number[][];
}

type RaoScottExpected = Record<'chi2_naive' | 'deff' | 'df' | 'p_rao_scott', number>;

interface Samples {
  readonly a: number[];
  readonly b: number[];
}

type Group = Record<'n_ref' | 'rate_ref' | 'n_cur' | 'rate_cur', number>;

interface KitagawaExpected {
  readonly overall_change: number;
  readonly mix_total: number;
  readonly rate_total: number;
  readonly groups: Record<string, { mix: number; rate: number }>;
}

type Expected = Record<
  | 'u_a'
  | 'tie_corrected_sd'
  | 'prob_b_greater_a'
  | 'p_two_sided_asymptotic_continuity'
  | 'd'
  | 'p_exact'
  | 't_b_minus_a'
  | 'df'
  | 'p'
  | 'diff'
  | 'z_pooled'
  | 'p_two_sided'
  | 'cohens_h'
  | 'change_index_0based'
  | 'lr_max'
  | 'miller_siegmund_p_eps_1_12',
  number
>;

function close(actual: number | null | undefined, expected: number, relative = 1e-9) {
  expect(actual).toBeTypeOf('number');
  expect(Math.abs((actual ?? Number.NaN) - expected)).toBeLessThanOrEqual(
    Math.max(1e-300, Math.abs(expected) * relative),
  );
}

function moments(values: readonly number[]): Moments {
  return {
    n: values.length,
    sum: values.reduce((a, b) => a + b, 0),
    sumSquares: values.reduce((a, b) => a + b * b, 0),
  };
}

function bins(a: readonly number[], b: readonly number[]): Bin[] {
  const values = [...new Set([...a, ...b])].sort((x, y) => x - y);
  const count = (list: readonly number[], value: number) => list.filter((x) => x === value).length;
  return values.map((value) => ({ value, from: count(a, value), to: count(b, value) }));
}

function normals(count: number, seed: number): number[] {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}

describe('distributions', () => {
  it('agrees with scipy on chi-square tails down to 1e-11', () => {
    const { input, expected } = vector<{ pairs: [number, number][] }, { p: number[] }>(
      'chi2-sf-integer-df',
    );
    for (const [i, [df, x]] of input.pairs.entries()) {
      close(chiSquareTail(x, df), expected.p[i] ?? Number.NaN, 1e-7);
    }
  });

  it('sums binomial tails exactly', () => {
    const rows = vector<unknown, { rows: Gate[] }>('low-traffic-gate').expected.rows;
    expect(rows).toHaveLength(7);
    for (const row of rows) close(binomialTail(row.bad, row.n, row.budget), row.binom_tail_p);
  });

  it('knows the edges of a binomial tail', () => {
    expect(binomialTail(0, 10, 0.1)).toBe(1);
    expect(binomialTail(11, 10, 0.1)).toBe(0);
    expect(binomialTail(0, 0, 0.1)).toBe(1);
  });

  it('keeps far tails: P(Z > 6) and t with one degree of freedom (Cauchy)', () => {
    close(normalTail(6), 9.865876450376981e-10);
    close(studentTwoSided(1, 1), 0.5);
  });

  it('survives large counts', () => {
    const p = binomialTail(50_500, 1_000_000, 0.05);
    expect(p).toBeGreaterThan(0.0105);
    expect(p).toBeLessThan(0.0112);
  });
});

describe('categorical distances', () => {
  const ids = ['cat-tool-shift', 'cat-new-tool', 'cat-significant-but-trivial', 'cat-small-n-null'];
  it.each(ids)('equals numpy and scipy on %s', (id) => {
    const { input, expected } = vector<CategoryInput, Record<string, number>>(id);
    const result = distances(
      input.categories.map((name, i) => ({ name, from: input.ref[i] ?? 0, to: input.cur[i] ?? 0 })),
    );
    close(result?.psi, expected['psi_add_half'] ?? Number.NaN);
    close(result?.psiNullMean, expected['psi_null_mean'] ?? Number.NaN);
    close(result?.jsDistance, expected['js_distance_base2'] ?? Number.NaN);
    close(result?.chi2, expected['chi2'] ?? Number.NaN);
    close(result?.cramersV, expected['cramers_v'] ?? Number.NaN);
    expect(result?.df).toBe(expected['df']);
    close(chiSquareTail(result?.chi2 ?? 0, result?.df ?? 1), expected['p_chi2'] ?? Number.NaN);
  });

  it('keeps PSI at eight times the divergence for small shifts', () => {
    const { input, expected } = vector<
      { p: number[]; q: number[] },
      { psi: number; jsd_nats: number }
    >('psi-small-shift-identities');
    // So many events that the added halves do not show.
    const many = 1e12;
    const result = distances(
      input.p.map((p, i) => ({ name: String(i), from: p * many, to: (input.q[i] ?? 0) * many })),
    );
    close(result?.psi, expected.psi);
    close((result?.jsDistance ?? 0) ** 2 * Math.LN2, expected.jsd_nats);
  });

  it('is null when a window is empty', () => {
    expect(distances([{ name: 'a', from: 3, to: 0 }])).toBeNull();
  });

  it('corrects chi-square for calls clustered in tasks', () => {
    const { input, expected } = vector<Clusters, RaoScottExpected>('rao-scott-cluster');
    const sums = (runs: number[][], c: number) => ({
      count: runs.reduce((sum, run) => sum + (run[c] ?? 0), 0),
      countSquares: runs.reduce((sum, run) => sum + (run[c] ?? 0) ** 2, 0),
      countTimesTotal: runs.reduce((sum, run) => sum + (run[c] ?? 0) * total(run), 0),
    });
    const total = (run: number[]) => run.reduce((a, b) => a + b, 0);
    const totals = (runs: number[][]) => ({
      tasks: runs.length,
      count: runs.reduce((sum, run) => sum + total(run), 0),
      squares: runs.reduce((sum, run) => sum + total(run) ** 2, 0),
    });
    const ref = input.ref_runs_tool_counts;
    const cur = input.cur_runs_tool_counts;
    const result = raoScott(
      [0, 1, 2].map((c) => ({ name: String(c), from: sums(ref, c), to: sums(cur, c) })),
      totals(ref),
      totals(cur),
    );
    close(result?.chi2, expected.chi2_naive);
    close(result?.designEffect, expected.deff);
    expect(result?.df).toBe(expected.df);
    close(result?.p, expected.p_rao_scott);
  });
});

describe('samples', () => {
  it('ranks ties as Mann and Whitney do', () => {
    const { input, expected } = vector<Samples, Expected>('mwu-ties');
    const result = mannWhitney(bins(input.a, input.b));
    close(result.u, expected.u_a);
    close(result.sd, expected.tie_corrected_sd);
    close(result.probabilityGreater, expected.prob_b_greater_a);
    close(result.p, expected.p_two_sided_asymptotic_continuity);
  });

  it('has no p when every value is equal', () => {
    expect(mannWhitney([{ value: 1, from: 5, to: 7 }]).p).toBeNull();
  });

  it('counts Kolmogorov–Smirnov exactly for small samples', () => {
    const { input, expected } = vector<Samples, Expected>('ks-exact');
    const result = kolmogorovSmirnov(bins(input.a, input.b));
    close(result.d, expected.d);
    close(result.p, expected.p_exact);
  });

  it('joins the asymptotic Kolmogorov–Smirnov to the exact one', () => {
    const shifted = (n: number): Bin[] => [
      { value: 1, from: n * 0.5, to: n * 0.4 },
      { value: 2, from: n * 0.5, to: n * 0.6 },
    ];
    const exact = kolmogorovSmirnov(shifted(500)).p;
    const asymptotic = kolmogorovSmirnov(shifted(510)).p;
    expect(Math.abs(Math.log(exact / asymptotic))).toBeLessThan(0.25);
  });

  it('gives Welch with its interval', () => {
    const { input, expected } = vector<Samples, Expected & { ci95: [number, number] }>('welch');
    const result = welch(moments(input.a), moments(input.b));
    close(result?.t, expected.t_b_minus_a);
    close(result?.df, expected.df);
    close(result?.p, expected.p);
    close(result?.delta, expected.diff);
    close(result?.low, expected.ci95[0]);
    close(result?.high, expected.ci95[1]);
  });

  it('says that two constant samples have no p, never NaN', () => {
    const { input } = vector<Samples, unknown>('welch-constant-groups');
    const result = welch(moments(input.a), moments(input.b));
    expect(result).toMatchObject({ delta: 1, p: null, t: null, low: 1, high: 1 });
    expect(welch(moments([0.1, 0.1, 0.1]), moments([0.1, 0.1]))?.p).toBeNull();
  });

  it('brackets a quantile by order statistics', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(quantile(bins(hundred, [1]), 'from', 0.5)).toEqual({ value: 50, low: 41, high: 61 });
    expect(quantile([], 'from', 0.5)).toBeNull();
  });
});

describe('proportions', () => {
  it('gives the score test and the interval of Newcombe', () => {
    const { input, expected } = vector<
      Record<'baseline' | 'canary', { bad: number; n: number }>,
      Expected & { newcombe_ci95: [number, number] }
    >('two-proportions');
    const side = (name: 'baseline' | 'canary') => ({ hits: input[name].bad, n: input[name].n });
    const test = twoProportions(side('baseline'), side('canary'));
    close(test.z, expected.z_pooled);
    close(test.p, expected.p_two_sided);
    close(test.cohensH, expected.cohens_h);
    const interval = newcombe(side('baseline'), side('canary'));
    close(interval.delta, expected.diff);
    close(interval.low, expected.newcombe_ci95[0]);
    close(interval.high, expected.newcombe_ci95[1]);
  });

  it('has no p when nothing can differ', () => {
    expect(twoProportions({ hits: 0, n: 5 }, { hits: 0, n: 9 }).p).toBeNull();
  });

  it('gives the one-sided Wilson bound of the vectors', () => {
    close(wilson({ hits: 1, n: 1 }, 1.6448536269514722).low, 0.2698659487840541);
  });
});

describe('families', () => {
  it('steps up as Benjamini and Hochberg', () => {
    const { input, expected } = vector<{ p: number[] }, { q: number[] }>('bh-fdr');
    const q = benjaminiHochberg(input.p);
    for (const [i, value] of q.entries()) close(value, expected.q[i] ?? Number.NaN);
  });

  it('leaves what has no p out of the family', () => {
    expect(benjaminiHochberg([null, 0.04, null, 0.02])).toEqual([null, 0.04, null, 0.04]);
  });

  it('splits a change into mix and rate without a rest', () => {
    const { input, expected } = vector<{ groups: Record<string, Group> }, KitagawaExpected>(
      'kitagawa-mix-rate',
    );
    const result = kitagawa(
      Object.entries(input.groups).map(([name, g]) => ({
        name,
        from: { hits: g.n_ref * g.rate_ref, n: g.n_ref },
        to: { hits: g.n_cur * g.rate_cur, n: g.n_cur },
      })),
    );
    close(result?.change, expected.overall_change);
    close(result?.mix, expected.mix_total);
    close(result?.rate, expected.rate_total);
    for (const part of result?.groups ?? []) {
      expect(part.mix).toBeCloseTo(expected.groups[part.name]?.mix ?? Number.NaN, 12);
      expect(part.rate).toBeCloseTo(expected.groups[part.name]?.rate ?? Number.NaN, 12);
    }
  });
});

describe('change points', () => {
  const { input, expected } = vector<
    { bad: number[]; valid: number[] },
    Expected & { lr_by_split_1_to_11: number[]; posterior_by_split_1_to_11: number[] }
  >('changepoint-binomial');
  const buckets = input.bad.map((hits, i) => ({
    hits,
    n: input.valid[i] ?? 0,
  }));

  it('scans every split by its likelihood ratio', () => {
    const series = binomialSeries(buckets);
    for (const [i, lr] of expected.lr_by_split_1_to_11.entries()) {
      close(series.ratio(i + 1), lr);
    }
  });

  it('finds where it began, with the posterior', () => {
    const found = changePoint(binomialSeries(buckets));
    expect(found?.at).toBe(expected.change_index_0based);
    // Independent residuals: nothing is divided away, so the vectors' values hold as they are.
    expect(found?.autocorrelation).toBe(0);
    close(found?.lr, expected.lr_max);
    close(found?.p, expected.miller_siegmund_p_eps_1_12);
    for (const [i, mass] of expected.posterior_by_split_1_to_11.entries()) {
      close(found?.posterior[i + 1], mass);
    }
    expect([found?.low, found?.high]).toEqual([5, 6]);
  });

  it('pays for choosing the best of all splits', () => {
    const rows = vector<unknown, { rows: { lr: number; eps: number; p_sup: number }[] }>(
      'sup-lr-pvalue',
    ).expected.rows;
    for (const row of rows) close(supremumP(row.lr, row.eps), row.p_sup);
  });

  it('does not blame a change in the other direction', () => {
    expect(changePoint(binomialSeries(buckets, 'down'))?.p ?? 1).toBeGreaterThan(0.05);
    expect(changePoint(binomialSeries(buckets, 'up'))?.at).toBe(6);
  });

  it('finds a step in the mean of logs and in a mix', () => {
    const noise = normals(48, 7);
    const step = noise.map((z, i) => ({
      n: 10,
      sum: 10 * (0.1 * z + (i < 30 ? 0 : 1)),
      sumSquares: 10 * ((0.1 * z + (i < 30 ? 0 : 1)) ** 2 + 0.01),
    }));
    expect(changePoint(gaussianSeries(step))?.at).toBe(30);
    const mix = Array.from({ length: 24 }, (_, i) => (i < 15 ? [8, 2, 0] : [3, 2, 5]));
    expect(changePoint(multinomialSeries(mix))?.at).toBe(15);
  });

  it('keeps quiet on a constant series', () => {
    const constant = Array.from({ length: 20 }, () => ({ n: 4, sum: 4 * 0.1, sumSquares: 0.04 }));
    expect(changePoint(gaussianSeries(constant))).toBeNull();
    expect(
      changePoint(binomialSeries(Array.from({ length: 20 }, () => ({ hits: 0, n: 3 })))),
    ).toBeNull();
  });

  it('rarely finds a change in autocorrelated noise, which the naive ratio does most of the time', () => {
    let corrected = 0;
    let naive = 0;
    for (let run = 0; run < 60; run++) {
      let level = 0;
      const series = normals(100, run + 1).map((z) => {
        level = 0.5 * level + z;
        return { n: 1, sum: level, sumSquares: level * level };
      });
      const found = changePoint(gaussianSeries(series));
      if (found === null) continue;
      const inflation = (1 + found.autocorrelation) / (1 - found.autocorrelation);
      if (found.p < 0.01) corrected++;
      if (supremumP(found.lr * inflation, 0.03) < 0.01) naive++;
    }
    expect(corrected).toBeLessThanOrEqual(5);
    expect(naive).toBeGreaterThan(10);
  });

  it('reads the lag-1 autocorrelation of a constant as 0', () => {
    expect(lagOne([2, 2, 2])).toBe(0);
  });
});
