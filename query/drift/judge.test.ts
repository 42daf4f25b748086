import { describe, expect, it } from 'vitest';
import { vector } from '../../test/vectors.ts';
import type { ClusterSums } from '../statistics/categorical.ts';
import type { Bin } from '../statistics/histogram.ts';
import { attribute, shareDelta } from './contrast.ts';
import { eventsOf } from './events.ts';
import { type Evidence, judge, verdictOf } from './judge.ts';
import { judgeMix } from './judge-mix.ts';
import { addSums, type Sums } from './measures.ts';
import { logDetectable, logFloor, mixDetectable, shareDetectable, shareFloor } from './power.ts';
import { type Signal, signals } from './signals.ts';

const blank = addSums([]);

function signal(name: string): Signal {
  const found = signals.find((each) => each.signal === name);
  if (found === undefined) throw new Error(`no signal ${name}`);
  return found;
}

function evidence(
  reference: Partial<Sums>,
  current: Partial<Sums>,
  bins: readonly Bin[] = [],
): Evidence {
  return {
    reference: { ...blank, ...reference },
    current: { ...blank, ...current },
    tools: [],
    duration: bins,
    steps: bins,
  };
}

function decide(name: string, given: Evidence, q?: number | null) {
  const judgement = judge(signal(name), given);
  return { ...judgement, verdict: verdictOf(signal(name), judgement, q ?? judgement.p) };
}

/** Moments of n equal halves one deviation around a mean. */
function logs(n: number, mean: number, sd: number) {
  return {
    cost_n: n,
    cost_log: n * mean,
    cost_log_squares: n * (mean * mean + sd * sd),
  };
}

const rates = (decided: number, successes: number) => ({ tasks: decided, decided, successes });

describe('verdicts', () => {
  it('call a fall from 92 to 81 % drift, with its interval', () => {
    const result = decide('success_rate', evidence(rates(2_500, 2_300), rates(400, 324)));
    expect(result.verdict).toBe('drift');
    expect(result.effect).toBeCloseTo(-11, 9);
    expect(result.effect_high).toBeLessThan(0);
    expect(result.direction).toBe('down');
  });

  it('never call few tasks stable, nor drift', () => {
    const same = decide('success_rate', evidence(rates(50, 45), rates(50, 45)));
    expect(same).toMatchObject({ verdict: 'insufficient_data', p: null });
    const awful = decide('success_rate', evidence(rates(50, 50), rates(50, 0)));
    expect(awful).toMatchObject({ verdict: 'insufficient_data', p: null });
    expect(same.minimum_detectable_effect).toBeGreaterThan(15);
  });

  it('call windows below the floor insufficient when nothing was found, and enough of them stable', () => {
    const few = decide('success_rate', evidence(rates(300, 270), rates(300, 270)));
    expect(few.verdict).toBe('insufficient_data');
    expect(few.floor).toBeGreaterThan(300);
    expect(decide('success_rate', evidence(rates(3_000, 2_700), rates(3_000, 2_700))).verdict).toBe(
      'stable',
    );
  });

  it('need a large effect as well as a small q', () => {
    const trifle = evidence(rates(100_000, 95_000), rates(100_000, 94_000));
    expect(decide('success_rate', trifle)).toMatchObject({ verdict: 'stable' });
    const noise = evidence(rates(3_000, 2_700), rates(120, 100));
    expect(decide('success_rate', noise, 0.2).verdict).not.toBe('drift');
  });

  it('warn between the two thresholds', () => {
    const result = decide('success_rate', evidence(rates(9_000, 8_550), rates(9_000, 8_280)));
    expect(result.verdict).toBe('warn');
  });

  it('are null and insufficient on nothing at all, for every signal', () => {
    for (const each of signals) {
      const judgement = judge(each, evidence({}, {}));
      expect(judgement).toMatchObject({ effect: null, p: null });
      expect(verdictOf(each, judgement, null)).toBe('insufficient_data');
      expect(
        JSON.stringify(judgement, (_, value) => (Number.isNaN(value) ? 'NaN' : value)),
      ).not.toContain('NaN');
    }
  });
});

describe('logarithmic means', () => {
  it('report the ratio of geometric means', () => {
    const given = evidence(logs(1_000, 0, 0.5), logs(1_000, Math.log(1.3), 0.5));
    const result = decide('cost_per_task', given);
    expect(result.effect).toBeCloseTo(1.3, 9);
    expect(result).toMatchObject({ verdict: 'drift', direction: 'up', degenerate: false });
  });

  it('call a total change of constants drift although it has no p', () => {
    const given = evidence(logs(200, 0, 0), logs(200, Math.log(2), 0));
    expect(decide('cost_per_task', given)).toMatchObject({
      verdict: 'drift',
      degenerate: true,
      p: null,
    });
  });

  it('call two equal constants stable', () => {
    const given = evidence(logs(200, 1, 0), logs(200, 1, 0));
    expect(decide('cost_per_task', given)).toMatchObject({ verdict: 'stable', effect: 1 });
  });
});

describe('distributions', () => {
  const bins: Bin[] = [100, 200, 400, 800].map((value, i) => ({
    value,
    from: [100, 100, 100, 20][i] ?? 0,
    to: [20, 100, 100, 100][i] ?? 0,
  }));
  const duration = (n: number) => ({
    duration_n: n,
    duration_log: n * 5,
    duration_log_squares: n * 25.5,
  });

  it('find slower tasks by their quantiles', () => {
    const result = decide('latency', evidence(duration(320), duration(320), bins));
    expect(result).toMatchObject({ verdict: 'drift', direction: 'up', value_unit: 'ms' });
    expect(result.effect).toBeGreaterThan(1.9);
    expect(result.detail).toMatchObject({ p50_reference_ms: 200, p50_current_ms: 400 });
  });

  it('find more steps by ranks, and nothing in equal ones', () => {
    expect(decide('steps_per_task', evidence({}, {}, bins)).verdict).toBe('drift');
    const equal = [{ value: 3, from: 200, to: 150 }];
    expect(decide('steps_per_task', evidence({}, {}, equal))).toMatchObject({
      verdict: 'stable',
      effect: 0.5,
      p: 1,
    });
  });
});

describe('tool calls', () => {
  it('do not turn one retry loop into drift', () => {
    const calm = { tool_tasks: 200, tool_calls: 1_000, tool_squares: 5_000 };
    const loop = {
      tool_tasks: 200,
      tool_calls: 1_000 + 95,
      tool_squares: 5_000 - 25 + 10_000,
      tool_errors: 100,
      tool_error_squares: 10_000,
      tool_error_products: 10_000,
    };
    const result = decide('tool_error_rate', evidence(calm, loop));
    expect(result.effect).toBeGreaterThan(9);
    expect(result.p).toBeGreaterThan(0.05);
    expect(result.verdict).not.toBe('drift');
  });

  it('compare mixes by task: clustered noise is no drift', () => {
    const { input } = vector<
      { ref_runs_tool_counts: number[][]; cur_runs_tool_counts: number[][] },
      unknown
    >('rao-scott-cluster');
    const total = (run: number[]) => run.reduce((a, b) => a + b, 0);
    const sums = (runs: number[][], c: number): ClusterSums => ({
      count: runs.reduce((sum, run) => sum + (run[c] ?? 0), 0),
      countSquares: runs.reduce((sum, run) => sum + (run[c] ?? 0) ** 2, 0),
      countTimesTotal: runs.reduce((sum, run) => sum + (run[c] ?? 0) * total(run), 0),
    });
    const window = (runs: number[][]): Sums => ({
      ...blank,
      tool_tasks: runs.length,
      tool_calls: runs.reduce((sum, run) => sum + total(run), 0),
      tool_squares: runs.reduce((sum, run) => sum + total(run) ** 2, 0),
    });
    const { ref_runs_tool_counts: ref, cur_runs_tool_counts: cur } = input;
    const uses = [0, 1, 2].map((c) => ({ name: `t${c}`, from: sums(ref, c), to: sums(cur, c) }));
    const result = judgeMix(uses, window(ref), window(cur));
    expect(result.p).toBeCloseTo(0.10788318140720081, 9);
    expect(result.detail['design_effect']).toBeCloseTo(2.447529374214561, 9);
    expect(result.effect).toBeLessThan(Number(result.detail['js_distance_raw']));
    expect(result.detail['movers']).toHaveLength(3);
  });
});

describe('power', () => {
  it('agrees with the floors of the reference (two-sided 1 %, power 80 %) to a tenth', () => {
    const near = (actual: number, expected: number) =>
      expect(Math.abs(actual / expected - 1)).toBeLessThan(0.1);
    near(shareFloor(0.05, 0.05), 640);
    near(shareFloor(0.05, 0.03), 1_570);
    near(shareFloor(0.02, 0.02), 1_690);
    near(logFloor(0.5, Math.log(1.2)), 180);
    near(logFloor(0.8, Math.log(1.2)), 450);
  });

  it('finds at the floor exactly what the floor is for', () => {
    const n = shareFloor(0.1, 0.05);
    expect(shareDetectable(0.1, n, n)).toBeCloseTo(0.05, 3);
    const m = logFloor(0.5, Math.log(1.25));
    expect(logDetectable(0.5, m, m)).toBeCloseTo(1.25, 2);
  });

  it('has a smallest difference even where nothing ever failed', () => {
    // d = Z² / (m + Z²) solves d = Z √(d (1 − d) / m).
    expect(shareDetectable(0, 500, 500)).toBeCloseTo(11.6787 / 511.6787, 4);
    expect(shareDetectable(1, 500, 500)).toBeCloseTo(11.6787 / 511.6787, 4);
  });

  it('needs a noncentrality of 11.68 for one degree of freedom', () => {
    const distance = mixDetectable(1, 1_000, 1_000, 1);
    const lambda = (distance ** 2 * 8 * Math.LN2) / (2 / 1_000);
    expect(Math.abs(lambda / 11.68 - 1)).toBeLessThan(0.1);
  });
});

describe('attribution', () => {
  it('agrees with the vectors: cause, external, mixed, temporal only', () => {
    type Pair = [number, number];
    const { input, expected } = vector<
      { cases: { old_before: Pair; old_after: Pair; new_after: Pair }[] },
      {
        rows: { verdict: string; delta_new_ci95: Pair | null; delta_time_ci95: Pair | null }[];
      }
    >('attribution-verdict');
    const share = ([hits, n]: Pair) => ({ hits, n });
    for (const [i, { old_before, old_after, new_after }] of input.cases.entries()) {
      const deltaNew = shareDelta(share(old_after), share(new_after));
      const deltaTime = shareDelta(share(old_before), share(old_after));
      const row = expected.rows[i];
      expect(attribute(old_after[1], deltaNew, deltaTime)).toBe(row?.verdict);
      if (row?.delta_new_ci95 == null || row.delta_time_ci95 == null) continue;
      expect((deltaNew?.low ?? 0) / 100).toBeCloseTo(row.delta_new_ci95[0], 9);
      expect((deltaNew?.high ?? 0) / 100).toBeCloseTo(row.delta_new_ci95[1], 9);
      expect((deltaTime?.low ?? 0) / 100).toBeCloseTo(row.delta_time_ci95[0], 9);
      expect((deltaTime?.high ?? 0) / 100).toBeCloseTo(row.delta_time_ci95[1], 9);
    }
  });

  it('says inconclusive when neither difference is proven', () => {
    const none = { value: 0, low: -1, high: 1, significant: false };
    expect(attribute(100, none, none)).toBe('inconclusive');
  });
});

describe('events', () => {
  const seen = (kind: 'tool' | 'prompt', reference: number, current: number) =>
    ({ workflow: 'w', kind, value: 'v', first: 0, last: 1, reference, current }) as const;
  const tasks = { reference: 1_000, current: 1_000 };

  it('tell a new tool from one that is rare', () => {
    expect(eventsOf([seen('tool', 0, 30)], tasks)).toMatchObject([{ change: 'new', kind: 'tool' }]);
    expect(eventsOf([seen('tool', 0, 3)], tasks)).toEqual([]);
    expect(eventsOf([seen('tool', 30, 0)], tasks)).toMatchObject([{ change: 'vanished' }]);
    expect(eventsOf([seen('tool', 30, 1)], tasks)).toEqual([]);
  });

  it('report a new configuration from its first task', () => {
    expect(eventsOf([seen('prompt', 0, 1)], tasks)).toMatchObject([{ change: 'new' }]);
  });

  it('say nothing when there was nothing before', () => {
    expect(eventsOf([seen('prompt', 0, 9)], { reference: 0, current: 9 })).toEqual([]);
  });
});
