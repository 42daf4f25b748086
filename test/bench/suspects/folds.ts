import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Weights } from '../../../query/suspects/rank.ts';
import weights from '../../../query/suspects/weights.json' with { type: 'json' };
import { withModel } from './fit.ts';
import { fittedSignals } from './samples.ts';

/**
 * For every question that the committed weights were fitted on, the weights fitted without its runs: a run is never
 * scored by weights that saw it, or another run of its question.
 */
export interface Folds {
  readonly signals: readonly string[];
  /** By {@link questionKey}: the weight of acting order, then those of the signals. */
  readonly without: Readonly<Record<string, readonly number[]>>;
}

export const foldsFile = new URL('folds.json', import.meta.url);

export function questionKey(question: string): string {
  const plain = question.toLowerCase().replace(/\W+/g, ' ').trim();
  return createHash('sha256').update(plain).digest('hex').slice(0, 12);
}

/** The weights for a run of `question`, and whether they were fitted on other questions only because of it. */
export function readFolds(): (question: string) => { weights: Weights; left: boolean } {
  const { without } = JSON.parse(readFileSync(foldsFile, 'utf8')) as Folds;
  return (question) => {
    const own = without[questionKey(question)];
    if (own === undefined) return { weights, left: false };
    const [order = 1, ...signals] = own;
    return { weights: withModel(weights, fittedSignals, { order, signals }), left: true };
  };
}
