import type { FindingAnswer, SuspectAnswer, SuspectReason } from '../decisions/answer.ts';
import type { Step, Trajectory } from '../decisions/model.ts';
import { cut, oneLine } from '../decisions/wording.ts';
import { isCovered } from '../findings/find.ts';
import { actingOrder } from './acting.ts';
import { evidenceFor } from './evidence.ts';
import { omission } from './omission.ts';
import fitted from './weights.json' with { type: 'json' };

/** How much each signal counts against a step, on a log scale, and how much every later place in acting order for it. */
export interface Weights {
  readonly acting_order: number;
  readonly signals: Readonly<Record<string, number>>;
  /** For a finding that tells of a cause. */
  readonly finding: number;
}

const most = 5;
// Without evidence as strong as this the list is filled up to three by acting order.
const strong = 1;
const least = 3;
// Orders steps, but is nothing to hold against one.
const slight = new Set(['first_of_tool']);

/**
 * The decisions that may have broken a failed task, most suspect first, each with its reasons; empty when the task did
 * not fail. The prior is acting order (BEHAVIOUR §4); evidence must outweigh it to move a step up. Where nothing was
 * changed although tools for it were on offer, the omission itself is what is suspect. Scores order the suspects and mean
 * nothing else. The weights were fitted by `npm run bench:suspects:fit`, but for those of tools that write.
 */
export function rankSuspects(
  trajectory: Trajectory,
  findings: readonly FindingAnswer[],
): SuspectAnswer[] {
  const { task } = trajectory;
  const failed =
    task.outcome === 'failure' || (task.outcome === 'unknown' && task.state === 'failed');
  if (!failed) return [];
  const own = findings.filter((finding) => !isCovered(finding));
  const ranked = rankSteps(features(trajectory, own), fitted);
  const sum = ranked.reduce((total, { utility }) => total + Math.exp(utility), 0);
  const proven = ranked.filter(({ weight }) => weight > 0);
  const certain = proven.some(({ weight }) => weight >= strong);
  const shown = proven.length >= least || certain ? proven : ranked.slice(0, least);
  return shown.slice(0, most).map((suspect, i) => ({
    rank: i + 1,
    decision: suspect.step.id,
    score: Math.min(0.99, Math.round((100 * Math.exp(suspect.utility)) / sum) / 100),
    reasons: reasonsFor(suspect, own),
  }));
}

/** A model step, its place in acting order, from 0, and what is said of it. */
export interface Candidate {
  readonly step: Step;
  readonly place: number;
  readonly reasons: readonly SuspectReason[];
}

/** Every model step in acting order with its evidence. */
export function features(trajectory: Trajectory, findings: readonly FindingAnswer[]): Candidate[] {
  const evidence = evidenceFor(trajectory, findings);
  const omitted = omission(trajectory);
  return actingOrder(trajectory).map((step, place) => ({
    step,
    place,
    reasons: [...(step === omitted?.step ? omitted.reasons : []), ...(evidence.get(step.id) ?? [])],
  }));
}

interface Ranked extends Candidate {
  readonly utility: number;
  /** The strongest evidence against it. */
  readonly weight: number;
}

/** Most suspect first. */
export function rankSteps(candidates: readonly Candidate[], weights: Weights): Ranked[] {
  return candidates
    .map((candidate) => {
      if (candidate.reasons.length === 0)
        return { ...candidate, utility: prior(candidate, weights), weight: 0 };
      const own = candidate.reasons.map(({ signal }) => weightOf(signal, weights));
      const utility = own.reduce((sum, weight) => sum + weight, prior(candidate, weights));
      const against = candidate.reasons.filter(({ signal }) => !slight.has(signal));
      const weight = Math.max(0, ...against.map(({ signal }) => weightOf(signal, weights)));
      return { ...candidate, utility, weight };
    })
    .toSorted((a, b) => b.utility - a.utility || a.place - b.place);
}

function prior({ place }: Candidate, weights: Weights): number {
  return -weights.acting_order * Math.log(place + 1);
}

function weightOf(signal: string, weights: Weights): number {
  return weights.signals[signal] ?? weights.finding;
}

function modelError({ span, span_id }: Step): SuspectReason {
  const said = oneLine(span?.error_message || span?.error_type || '');
  const text = `the model call failed${said === '' ? '' : `: ${cut(said, 160)}`}`;
  return { signal: 'model_error', text, spans: [span_id] };
}

/** What speaks against a step, strongest first; where nothing does, what was found there, or its place in acting order. */
function reasonsFor(
  { step, place, reasons }: Ranked,
  findings: readonly FindingAnswer[],
): SuspectReason[] {
  const against = reasons.filter(
    ({ signal }) => weightOf(signal, fitted) > 0 && !slight.has(signal),
  );
  if (against.length === 0) {
    const here = findings.filter(
      ({ decision, severity, finding }) =>
        decision === step.id && (severity !== 'info' || finding === 'repeated_call'),
    );
    const found =
      here.length > 0
        ? here
        : findings.filter(
            ({ severity, spans }) => severity !== 'info' && spans.includes(step.span_id),
          );
    if (found.length > 0)
      return found.map(({ finding, text, spans }) => ({ signal: finding, text, spans }));
    if (step.chosen?.none === 'error') return [modelError(step)];
    const which = place === 0 ? 'the first step that acted' : `step ${place + 1} in acting order`;
    return [{ signal: 'acting_order', text: which, spans: [step.span_id] }];
  }
  return against.toSorted((a, b) => weightOf(b.signal, fitted) - weightOf(a.signal, fitted));
}
