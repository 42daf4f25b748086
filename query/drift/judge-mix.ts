import {
  type ClusteredCategory,
  type ClusterSums,
  distances,
  raoScott,
} from '../statistics/categorical.ts';
import type { Judgement } from './judgement.ts';
import type { Sums } from './measures.ts';
import { mixDetectable, mixFloor } from './power.ts';

/** Calls of one tool in both windows. */
export type ToolUse = ClusteredCategory;

/** Categories with fewer calls than this in both windows together are pooled: their expected counts are below 5. */
const CALLS_MIN = 10;
const MOVERS = 3;

/** Shares of tools: Jensen–Shannon distance corrected for what equal mixes show, chi-square corrected for clustering in tasks. */
export function judgeMix(uses: readonly ToolUse[], reference: Sums, current: Sums): Judgement {
  const pooled = pool(uses);
  const distance = distances(
    pooled.map(({ name, from, to }) => ({ name, from: from.count, to: to.count })),
  );
  const test = raoScott(pooled, totals(reference), totals(current));
  const common = {
    n_reference: reference.tool_tasks,
    n_current: current.tool_tasks,
    reference_value: null,
    current_value: null,
    value_unit: null,
    effect_low: null,
    effect_high: null,
    effect_unit: 'js_distance',
    floor: mixFloor(pooled.length),
    degenerate: false,
    direction: 'any',
  } as const;
  if (distance === null || test === null)
    return { ...common, effect: null, p: null, minimum_detectable_effect: null, detail: {} };
  const { n, m, df, psi, psiNullMean, jsDistance, cramersV } = distance;
  const inflation = test.designEffect;
  // Two windows of one population differ by about (k − 1)(1/n + 1/m)/(8 ln 2) bits, times the design effect.
  const chance = (psiNullMean * inflation) / (8 * Math.LN2);
  return {
    ...common,
    effect: Math.sqrt(Math.max(0, jsDistance * jsDistance - chance)),
    // One tool in both windows: there is no mix that could differ.
    p: df === 0 ? 1 : test.p,
    minimum_detectable_effect: df === 0 ? null : mixDetectable(df, n, m, inflation),
    detail: {
      js_distance_raw: jsDistance,
      psi: psi - psiNullMean * inflation,
      cramers_v: cramersV,
      design_effect: inflation,
      calls_reference: n,
      calls_current: m,
      categories: uses.length,
      movers: movers(uses, n, m),
    },
  };
}

/** All tool calls of a window over its tasks. */
export function totals(sums: Sums) {
  return { tasks: sums.tool_tasks, count: sums.tool_calls, squares: sums.tool_squares };
}

function pool(uses: readonly ToolUse[]): ToolUse[] {
  const rare = uses.filter(({ from, to }) => from.count + to.count < CALLS_MIN);
  if (rare.length < 2) return [...uses];
  const add = (side: 'from' | 'to'): ClusterSums => ({
    count: rare.reduce((sum, use) => sum + use[side].count, 0),
    countSquares: rare.reduce((sum, use) => sum + use[side].countSquares, 0),
    countTimesTotal: rare.reduce((sum, use) => sum + use[side].countTimesTotal, 0),
  });
  const common = uses.filter((use) => !rare.includes(use));
  return [...common, { name: '', from: add('from'), to: add('to') }];
}

function movers(uses: readonly ToolUse[], n: number, m: number) {
  return uses
    .map(({ name, from, to }) => ({
      tool: name,
      reference_ratio: from.count / n,
      current_ratio: to.count / m,
    }))
    .sort(
      (a, b) =>
        Math.abs(b.current_ratio - b.reference_ratio) -
        Math.abs(a.current_ratio - a.reference_ratio),
    )
    .slice(0, MOVERS);
}
