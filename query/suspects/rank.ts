import type { FindingAnswer, SuspectAnswer, SuspectReason } from '../decisions/answer.ts';
import type { Step, Trajectory } from '../decisions/model.ts';
import { isScratchTool } from '../decisions/tools.ts';
import { isCovered } from '../findings/find.ts';
import { type Evidence, evidenceFor } from './evidence.ts';
import { omission } from './omission.ts';

// Weights order the suspects and mean nothing else. The prior is acting order (BEHAVIOUR §4): steps that act, earliest
// first, then the other model steps; evidence must outweigh it to move a step up.
const acting = 0.3;
const talking = 0.05;
const decay = 0.9;
const shown = 5;

/**
 * The decisions that may have broken a failed task, most suspect first, each with its reasons; empty when the task did
 * not fail. Where no write happened although one was on offer, the omission itself is a suspect.
 */
export function rankSuspects(
  trajectory: Trajectory,
  findings: readonly FindingAnswer[],
): SuspectAnswer[] {
  const { task } = trajectory;
  const failed =
    task.outcome === 'failure' || (task.outcome === 'unknown' && task.state === 'failed');
  if (!failed) return [];
  const evidence = evidenceFor(
    trajectory,
    findings.filter((finding) => !isCovered(finding)),
  );
  const scored = [...scoreSteps(trajectory, evidence), ...omission(trajectory)];
  const proven = scored.filter(({ reasons }) => reasons.some(({ weight }) => weight > 0));
  const suspects = proven.length > 0 ? proven : scored.slice(0, 3);
  return merge(suspects)
    .toSorted((a, b) => b.score - a.score || a.step.n - b.step.n)
    .slice(0, shown)
    .map(({ step, score, reasons }, i) => ({
      rank: i + 1,
      decision: step.id,
      score: Math.min(0.99, Math.round(score * 100) / 100),
      reasons: reasons.map(({ signal, text, spans }): SuspectReason => ({ signal, text, spans })),
    }));
}

export interface Scored {
  readonly step: Step;
  readonly score: number;
  readonly reasons: readonly Evidence[];
}

/** Every model step with its prior by acting order plus the weight of its evidence, in acting order. */
function scoreSteps(trajectory: Trajectory, evidence: ReadonlyMap<string, Evidence[]>): Scored[] {
  const models = trajectory.steps.filter(({ kind }) => kind === 'inference');
  const ordered = [...models.filter(acts), ...models.filter((step) => !acts(step))];
  let actors = 0;
  return ordered.map((step, i) => {
    const prior = acts(step) ? acting * decay ** actors++ : talking * decay ** (i - actors);
    const reasons = evidence.get(step.id) ?? [];
    const weight = reasons.reduce((sum, reason) => sum + reason.weight, 0);
    return {
      step,
      score: prior + weight,
      reasons: reasons.length > 0 ? reasons : [order(step, i)],
    };
  });
}

/** A step acts when it calls a tool other than to think or to calculate. */
function acts({ chosen }: Step): boolean {
  return (chosen?.calls ?? []).some(({ tool }) => !isScratchTool(tool));
}

function order(step: Step, place: number): Evidence {
  const which = place === 0 ? 'the first step that acted' : `step ${place + 1} in acting order`;
  return { signal: 'acting_order', text: which, spans: [step.span_id], weight: 0 };
}

/** One suspect per decision: what is found by two ways adds up. */
function merge(scored: readonly Scored[]): Scored[] {
  const byStep = new Map<Step, Scored>();
  for (const own of scored) {
    const other = byStep.get(own.step);
    if (other === undefined) byStep.set(own.step, own);
    else
      byStep.set(own.step, {
        step: own.step,
        score: Math.max(own.score, other.score),
        reasons: [...own.reasons, ...other.reasons]
          .filter(({ weight }) => weight > 0)
          .toSorted((a, b) => b.weight - a.weight),
      });
  }
  return [...byStep.values()];
}
