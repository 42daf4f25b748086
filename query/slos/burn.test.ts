import { describe, expect, it } from 'vitest';
import { vector } from '../../test/vectors.ts';
import { binomialTail } from '../statistics/distributions.ts';
import {
  adaptiveShort,
  allowedBad,
  burnOf,
  burnRate,
  type Count,
  type Counts,
  compare,
  exhaustionDays,
  reachable,
} from './burn.ts';
import { factorOf, policiesFor, shortWindows, windowName, windowsFor } from './policies.ts';

const DAY = 86_400;

/** Counts in which every window from `seconds` on holds `count`. */
function since(seconds: number, count: Count, windowDays = 28): Counts {
  return new Map(
    windowsFor(windowDays).map((window) => [
      window,
      window >= seconds ? count : { valid: 0, bad: 0 },
    ]),
  );
}

function policy(counts: Counts, target: number, name: string) {
  const found = burnOf(counts, target, 28).policies.find((state) => state.policy === name);
  if (found === undefined) throw new Error(`no policy ${name}`);
  return found;
}

describe('burn rate', () => {
  it('is the error ratio over the budget, as sums', () => {
    const { input, expected } = vector<
      { target: number; windows: Record<string, Count> },
      { burn: Record<string, number> }
    >('burn-basic');
    for (const [window, count] of Object.entries(input.windows)) {
      expect(burnRate(count, input.target)).toBeCloseTo(expected.burn[window] ?? Number.NaN, 9);
    }
  });

  it('weighs every event, not every minute', () => {
    const { expected } = vector<unknown, { burn_occurrences: number }>(
      'ratio-of-sums-vs-average-of-ratios',
    );
    const day = { valid: 23 * 60 * 10 + 60 * 1000, bad: 60 * 500 };
    expect(burnRate(day, 0.95)).toBeCloseTo(expected.burn_occurrences, 9);
  });

  it('is 0.2 with 80 % of the budget left at a target of 95 % with 99 good and 1 bad', () => {
    const burn = burnOf(since(180, { valid: 100, bad: 1 }), 0.95, 28);
    expect(burn.burn).toBeCloseTo(0.2, 9);
    expect(burn.budget_left_ratio).toBeCloseTo(0.8, 9);
    expect(burn.state).toBe('ok');
  });

  it('is null without traffic, and so is everything made of it', () => {
    const burn = burnOf(new Map(), 0.95, 28);
    expect(burn).toMatchObject({
      state: 'no_data',
      error_ratio: null,
      burn: null,
      budget_left_ratio: null,
      exhaustion_days: null,
    });
    for (const state of burn.policies) {
      expect(state).toMatchObject({ burn_long: null, margin: null, p: null, fires: null });
    }
  });

  it('counts a limit on a percentile as a share of events', () => {
    const { input, expected } = vector<
      { ttft_s: number[]; threshold_s: number; target: number },
      { good: number; valid: number; burn: number }
    >('percentile-as-ratio');
    const bad = input.ttft_s.filter((seconds) => seconds >= input.threshold_s).length;
    expect({ good: input.ttft_s.length - bad, valid: input.ttft_s.length }).toEqual({
      good: expected.good,
      valid: expected.valid,
    });
    expect(burnRate({ valid: input.ttft_s.length, bad }, input.target)).toBeCloseTo(
      expected.burn,
      9,
    );
  });
});

describe('budget', () => {
  it('adds the budgets of segments with different targets', () => {
    const { input, expected } = vector<
      { segments: (Count & { target: number })[] },
      { allowed_bad: number; budget_consumed: number }
    >('time-varying-target');
    const allowed = allowedBad(input.segments);
    expect(allowed).toBeCloseTo(expected.allowed_bad, 9);
    const bad = input.segments.reduce((sum, segment) => sum + segment.bad, 0);
    expect(bad / allowed).toBeCloseTo(expected.budget_consumed, 9);
  });

  it('goes below zero when overspent', () => {
    const burn = burnOf(new Map([[28 * DAY, { valid: 100, bad: 20 }]]), 0.95, 28);
    expect(burn.budget_left_ratio).toBeCloseTo(-3, 9);
    expect(burn.exhaustion_days).toBe(0);
    expect(burn.state).toBe('exhausted');
  });

  it('forecasts its end', () => {
    const { input, expected } = vector<
      { budget_consumed: number; burn_rate_1d: number; slo_days: number },
      { days_to_exhaustion: number }
    >('projected-exhaustion');
    const { budget_consumed, burn_rate_1d, slo_days } = input;
    expect(exhaustionDays(budget_consumed, burn_rate_1d, slo_days)).toBeCloseTo(
      expected.days_to_exhaustion,
      9,
    );
    expect(exhaustionDays(0.4, 0, 28)).toBeNull();
  });
});

describe('windows and factors', () => {
  it('spends the stated fraction of the budget', () => {
    const { rows } = vector<
      unknown,
      { rows: { slo_days: number; budget_fraction: number; long_h: number; factor: number }[] }
    >('window-factors').expected;
    for (const row of rows) {
      const factor = factorOf(row.budget_fraction, row.slo_days * DAY, row.long_h * 3_600);
      expect(factor).toBeCloseTo(row.factor, 9);
    }
  });

  it('shrinks with a shorter SLO window, so that no factor falls further below 1', () => {
    const week = policiesFor(7).find(({ name }) => name === 'ticket_3d');
    expect(factorOf(0.1, 7 * DAY, week?.longSeconds ?? 0)).toBeCloseTo(28 / 30, 9);
  });

  it('knows which factors can never be reached', () => {
    const { rows } = vector<
      unknown,
      { rows: { target: number; factor: number; reachable: boolean }[] }
    >('reachability').expected;
    expect(rows).toHaveLength(20);
    for (const row of rows) expect(reachable(row.factor, row.target)).toBe(row.reachable);
  });

  it('widens a short window up to half the long one', () => {
    const hourly = policiesFor(28).find(({ name }) => name === 'page_1h');
    expect(hourly && shortWindows(hourly)).toEqual([300, 600, 1_200, 1_800]);
    expect(windowsFor(28).map(windowName)).toEqual(
      '3m 5m 10m 20m 30m 1h 2h 3h 4h 6h 8h 12h 1d 36h 3d 28d'.split(' '),
    );
  });
});

describe('policies', () => {
  it('decide as the vectors, before the gate', () => {
    const { input, expected } = vector<
      {
        cases: {
          bad_long: number;
          valid_long: number;
          bad_short: number;
          valid_short: number;
          target: number;
          factor: number;
        }[];
      },
      { fire: (boolean | null)[] }
    >('mwmbr-decisions');
    const fired = input.cases.map((each) => {
      const long = { valid: each.valid_long, bad: each.bad_long };
      const short = { valid: each.valid_short, bad: each.bad_short };
      return compare(long, short, each.target, each.factor)?.above ?? null;
    });
    expect(fired).toEqual(expected.fire);
  });

  it('cap a factor so that a 95 % target pages at half the events bad', () => {
    const { expected } = vector<unknown, { f_eff: number; margin: number }>('alert-margin');
    const counts = since(180, { valid: 100, bad: 60 });
    const hourly = policy(counts, 0.95, 'page_1h');
    expect(hourly.factor_effective).toBeCloseTo(expected.f_eff, 9);
    expect(hourly.margin).toBeCloseTo(expected.margin, 9);
    expect(hourly.fires).toBe(true);
  });

  it('say that the fast page cannot be reached at 90 %, and fire all the same', () => {
    const hourly = policy(since(180, { valid: 60, bad: 60 }), 0.9, 'page_1h');
    expect(hourly).toMatchObject({ reachable: false, fires: true });
    expect(hourly.factor).toBeCloseTo(13.44, 9);
    expect(hourly.factor_effective).toBeCloseTo(5, 9);
  });

  it('fire for six hours at 5.0 when the target is 95 %', () => {
    expect(policy(new Map(), 0.95, 'page_6h').factor_effective).toBeCloseTo(5, 9);
  });

  it('do not wake anyone for one failure of one task', () => {
    const one = policy(since(180, { valid: 1, bad: 1 }), 0.95, 'page_1h');
    expect(one.margin).toBeGreaterThan(1);
    expect(one.p).toBeCloseTo(0.05, 12);
    expect(one.fires).toBe(false);
  });

  it('gate as the exact binomial tail of the vectors', () => {
    const { rows } = vector<
      unknown,
      { rows: { n: number; bad: number; budget: number; 'gate_alpha_1e-3': boolean }[] }
    >('low-traffic-gate').expected;
    for (const row of rows) {
      expect(binomialTail(row.bad, row.n, row.budget) < 1e-3).toBe(row['gate_alpha_1e-3']);
    }
  });

  it('gate with the events divided by the design effect of calls that fail together', () => {
    const counts = since(180, { valid: 60, bad: 50 });
    const independent = burnOf(counts, 0.98, 28, 1).policies[1];
    const clustered = burnOf(counts, 0.98, 28, 50).policies[1];
    expect(independent?.fires).toBe(true);
    expect(clustered?.fires).toBe(false);
    expect(clustered?.burn_long).toBe(independent?.burn_long);
  });

  it('read a wider short window when the first holds fewer than two events', () => {
    const hourly = policiesFor(28).find(({ name }) => name === 'page_1h');
    if (hourly === undefined) throw new Error('no page_1h');
    expect(adaptiveShort(hourly, since(1_200, { valid: 2, bad: 2 }))).toBe(1_200);
    expect(adaptiveShort(hourly, since(300, { valid: 2, bad: 2 }))).toBe(300);
    expect(adaptiveShort(hourly, new Map())).toBe(1_800);
  });

  it('keep still, and do not resolve, when the short window is silent', () => {
    const hourly = policy(since(3_600, { valid: 60, bad: 45 }), 0.95, 'page_1h');
    expect(hourly).toMatchObject({ burn_short: null, margin: null, fires: null });
    expect(hourly.burn_long).toBeCloseTo(15, 9);
  });
});
