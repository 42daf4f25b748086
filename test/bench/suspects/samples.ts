import { deriveTrajectory } from '../../../query/decisions/derive.ts';
import type { Step } from '../../../query/decisions/model.ts';
import { findDefects } from '../../../query/findings/find.ts';
import { type Candidate, features } from '../../../query/suspects/rank.ts';
import type { Sample } from './fit.ts';
import { evidenceOf, indexOf, type Label, type Run, readRuns } from './who-and-when.ts';

/** Signals whose weights are fitted: the others need tools that write, which these runs do not have. */
export const fittedSignals = [
  'request_restated',
  'goal_lost',
  'made_up_data',
  'unsourced_statement',
  'taken_back',
  'first_tool_error',
  'result_used',
  'first_of_tool',
] as const;

/** A run through the same code as a task of the store: derived, searched for defects, its steps with their evidence. */
export interface Case {
  readonly run: Run;
  readonly label: Label;
  readonly candidates: readonly Candidate[];
  readonly sample: Sample;
}

export function readCases(folder: string): Case[] {
  return readRuns(folder).map(({ run, label }) => {
    const trajectory = deriveTrajectory(evidenceOf(run));
    const candidates = features(trajectory, findDefects(trajectory));
    const steps = candidates.map(({ reasons }) => new Set(reasons.map(({ signal }) => signal)));
    const marked = candidates.findIndex(({ step }) => placeOf(step) === label.step);
    const { subset, question } = run;
    return { run, label, candidates, sample: { subset, question, steps, marked } };
  });
}

/** The place of a step's message in the run. */
export function placeOf({ id }: Step): number {
  return indexOf(id);
}
