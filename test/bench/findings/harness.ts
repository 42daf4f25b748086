import { deriveTrajectory } from '../../../query/decisions/derive.ts';
import type { Background } from '../../../query/findings/background.ts';
import { findDefects } from '../../../query/findings/find.ts';
import { ownIds, type RecordedRun } from '../../decisions/recorded-run.ts';
import { storedEvidence } from './clean-run.ts';
import type { Mutant, Mutation } from './mutation.ts';

/** How many mutants there were and how many of them the rule found, on the decision where the defect is. */
export interface Tally {
  n: number;
  found: number;
  readonly missed: string[];
}

/** Puts one kind of defect into every run that is clean for its rule. */
export function tally(
  mutation: Mutation,
  runs: readonly RecordedRun[],
  background: Background,
): Tally {
  const result: Tally = { n: 0, found: 0, missed: [] };
  for (const run of runs) {
    // A run in which the rule finds something without the defect is not clean for it.
    if (findings(run, background).some(({ finding }) => finding === mutation.rule)) continue;
    for (const mutant of mutation.inject(run)) {
      result.n++;
      if (isFound(mutation.rule, run, mutant, background)) result.found++;
      else result.missed.push(`${run.task_id}-${run.trial} #${(mutant.decision ?? -1) + 1}`);
    }
  }
  return result;
}

function isFound(
  rule: string,
  clean: RecordedRun,
  mutant: Mutant,
  background: Background,
): boolean {
  const run = mutant.run ?? clean;
  const known = { ...background, ...mutant.background };
  const wanted = mutant.decision === null ? null : ownIds(run).model(mutant.decision);
  return findings(run, known, mutant.store).some(
    ({ finding, decision, severity }) =>
      finding === rule &&
      (wanted === null || decision === wanted) &&
      // An order that nobody obeyed is only worth knowing: here it was obeyed.
      (rule !== 'prompt_injection_suspect' || severity === 'error'),
  );
}

/** What the rules find in a run, as it was stored or changed after that. */
export function findings(
  run: RecordedRun,
  known: Background,
  store: Mutant['store'] = (own) => own,
) {
  return findDefects(deriveTrajectory(store(storedEvidence(run))), {}, known);
}
