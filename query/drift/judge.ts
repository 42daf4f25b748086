import type { Bin } from '../statistics/histogram.ts';
import { judgeMix, type ToolUse } from './judge-mix.ts';
import { judgeDuration, judgeLog, judgeSteps } from './judge-sample.ts';
import { judgeCallShare, judgeShare } from './judge-share.ts';
import type { EffectUnit, Judgement } from './judgement.ts';
import { logMoments, type Sums } from './measures.ts';
import { effectiveSize, TASKS_MIN } from './power.ts';
import type { Signal } from './signals.ts';

/** Both windows of one workflow, summed. */
export interface Evidence {
  readonly reference: Sums;
  readonly current: Sums;
  readonly tools: readonly ToolUse[];
  readonly duration: readonly Bin[];
  readonly steps: readonly Bin[];
}

export type Verdict = 'drift' | 'warn' | 'stable' | 'insufficient_data';

/** Level of the Benjamini–Hochberg q-value. */
export const Q_MAX = 0.05;

/** The judgement of one signal; null p below {@link TASKS_MIN}, where it is not a member of the family either. */
export function judge(signal: Signal, evidence: Evidence): Judgement {
  const judgement = judgeAny(signal, evidence);
  return enough(judgement) ? judgement : { ...judgement, p: null };
}

function judgeAny(signal: Signal, { reference, current, tools, duration, steps }: Evidence) {
  switch (signal.kind) {
    case 'share': {
      const of = (sums: Sums) => ({ hits: sums[signal.hits], n: sums[signal.n] });
      return judgeShare(of(reference), of(current), signal.alert / 100);
    }
    case 'call_share':
      return judgeCallShare(reference, current, signal.alert / 100);
    case 'log': {
      const of = (sums: Sums) => logMoments(sums, signal.quantity);
      return judgeLog(of(reference), of(current), signal.unit, Math.log(signal.alert));
    }
    case 'quantile':
      return judgeDuration(
        duration,
        logMoments(reference, signal.quantity),
        logMoments(current, signal.quantity),
      );
    case 'rank':
      return judgeSteps(steps);
    case 'mix':
      return judgeMix(tools, reference, current);
  }
}

function enough({ n_reference, n_current }: Judgement): boolean {
  return Math.min(n_reference, n_current) >= TASKS_MIN;
}

/**
 * Drift and warn need a large effect *and* a small q. Stable needs windows that would have found drift. Everything else
 * is insufficient data, never stable.
 */
export function verdictOf(signal: Signal, judgement: Judgement, q: number | null): Verdict {
  if (!enough(judgement) || judgement.effect === null) return 'insufficient_data';
  const significant = judgement.degenerate || (q !== null && q < Q_MAX);
  const size = magnitude(judgement.effect, judgement.effect_unit);
  if (significant && size >= magnitude(signal.alert, judgement.effect_unit)) return 'drift';
  if (significant && size >= magnitude(signal.warn, judgement.effect_unit)) return 'warn';
  const powered = effectiveSize(judgement.n_reference, judgement.n_current) >= judgement.floor;
  return powered ? 'stable' : 'insufficient_data';
}

/** How far an effect is from none, whichever way. */
function magnitude(effect: number, unit: EffectUnit): number {
  switch (unit) {
    case 'ratio':
      return Math.abs(Math.log(effect));
    case 'probability_current_greater':
      return Math.abs(effect - 0.5);
    case 'percentage_points':
    case 'js_distance':
      return Math.abs(effect);
  }
}
