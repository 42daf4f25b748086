import { describe, expect, it } from 'vitest';
import { vector } from '../../test/vectors.ts';
import { quotaOf, quotaWindows, type Spend, unitCost } from './quota.ts';

interface Run {
  readonly cost: number;
  readonly success: number;
}

function spend(runs: readonly Run[], unpriced = 0): Spend {
  const sum = (value: (run: Run) => number) => runs.reduce((total, run) => total + value(run), 0);
  return {
    tasks: runs.length,
    decided: runs.length,
    successes: sum((run) => run.success),
    unpriced,
    cost: sum((run) => run.cost),
    costSquares: sum((run) => run.cost ** 2),
    costOfSuccesses: sum((run) => run.cost * run.success),
  };
}

function everywhere(sums: Spend) {
  return new Map(quotaWindows(28).map((seconds) => [seconds, sums]));
}

describe('cost per successful task', () => {
  it('divides the cost of all tasks by the successes, with its interval', () => {
    const { input, expected } = vector<
      { runs: Run[]; target_usd: number },
      { unit_cost: number; quota_burn: number; ci95: [number, number] }
    >('cost-per-success');
    const result = unitCost(spend(input.runs), input.target_usd);
    expect(result.unit_cost_usd).toBeCloseTo(expected.unit_cost, 9);
    expect(result.quota_burn).toBeCloseTo(expected.quota_burn, 9);
    expect(result.unit_cost_usd_low).toBeCloseTo(expected.ci95[0], 9);
    expect(result.unit_cost_usd_high).toBeCloseTo(expected.ci95[1], 9);
  });

  it('is over target but not proven so by eight tasks', () => {
    const { input } = vector<{ runs: Run[] }, unknown>('cost-per-success');
    expect(quotaOf(everywhere(spend(input.runs)), 0.5, 28).state).toBe('ok');
  });

  it('pages when the lower bound is half as much again as the target', () => {
    const runs = Array.from({ length: 40 }, (_, i) => ({ cost: 1 + (i % 3) / 100, success: 1 }));
    const quota = quotaOf(everywhere(spend(runs)), 0.5, 28);
    expect(quota.state).toBe('page');
    expect(quota.budget_left_ratio).toBeLessThan(-1);
  });

  it('is unknown when a model has no price, with the known part as lower bound', () => {
    const runs = Array.from({ length: 40 }, () => ({ cost: 2, success: 1 }));
    const quota = quotaOf(everywhere(spend(runs, 3)), 0.5, 28);
    expect(quota).toMatchObject({
      unit_cost_usd: null,
      quota_burn: null,
      cost_usd: null,
      cost_usd_known: 80,
      reason: 'unpriced',
      state: 'page',
    });
  });

  it('calls a hundred failures bad and one cheap failure nothing', () => {
    const failures = (count: number) =>
      Array.from({ length: count }, () => ({ cost: 0.05, success: 0 }));
    expect(quotaOf(everywhere(spend(failures(1))), 0.5, 28)).toMatchObject({
      state: 'ok',
      unit_cost_usd: null,
      reason: 'no_success',
    });
    expect(quotaOf(everywhere(spend(failures(100))), 0.5, 28).state).toBe('page');
  });

  it('is unknown without tasks or without verdicts', () => {
    expect(quotaOf(new Map(), 0.5, 28)).toMatchObject({
      state: 'no_data',
      unit_cost_usd: null,
      budget_left_ratio: null,
      reason: 'no_tasks',
    });
    const undecided = { ...spend([{ cost: 9, success: 0 }]), decided: 0 };
    expect(quotaOf(everywhere(undecided), 0.5, 28)).toMatchObject({
      state: 'no_data',
      reason: 'no_verdicts',
      label_coverage_ratio: 0,
    });
  });
});
