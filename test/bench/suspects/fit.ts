import type { Weights } from '../../../query/suspects/rank.ts';

/** The steps of a run as the ranking sees them, and which of them people marked. */
export interface Sample {
  readonly subset: string;
  /** Runs of one question are never parted between folds. */
  readonly question: string;
  /** In acting order: the signals of each step. */
  readonly steps: readonly ReadonlySet<string>[];
  /** Place of the marked step in acting order; -1 when it is no step of a model. */
  readonly marked: number;
}

/** A choice among the steps with one weight per signal, and one for the logarithm of the place in acting order. */
export interface Model {
  readonly order: number;
  readonly signals: readonly number[];
}

// Acting order alone: what no evidence falls back to.
const prior = 1;

/**
 * Conditional logit (McFadden 1974) with a ridge penalty that draws the signals to 0 and the order to 1, by Newton's
 * method; the log-likelihood is concave, so the answer is the same every time. `ridge` > 0.
 */
export function fitModel(
  samples: readonly Sample[],
  signals: readonly string[],
  ridge: number,
): Model {
  const rows = samples
    .filter(({ marked }) => marked >= 0)
    .map(({ steps, marked }) => ({
      marked,
      x: steps.map((own, i) => [
        -Math.log(i + 1),
        ...signals.map((signal) => Number(own.has(signal))),
      ]),
    }));
  const size = signals.length + 1;
  let beta = [prior, ...signals.map(() => 0)];
  for (let round = 0; round < 25; round++) {
    const gradient = beta.map((b, k) => -ridge * (b - (k === 0 ? prior : 0)));
    const hessian = identity(size, ridge);
    for (const { x, marked } of rows) addRun(x, marked, beta, gradient, hessian);
    const step = solve(hessian, gradient);
    beta = beta.map((b, k) => b + (step[k] ?? 0));
    if (Math.max(...step.map(Math.abs)) < 1e-9) break;
  }
  const [order = prior, ...own] = beta;
  return { order, signals: own };
}

function addRun(
  x: readonly (readonly number[])[],
  marked: number,
  beta: readonly number[],
  gradient: number[],
  hessian: number[][],
) {
  const shares = softmax(x.map((row) => dot(row, beta)));
  const mean = beta.map((_, k) =>
    x.reduce((sum, row, i) => sum + (shares[i] ?? 0) * (row[k] ?? 0), 0),
  );
  for (let k = 0; k < beta.length; k++) {
    gradient[k] = (gradient[k] ?? 0) + (x[marked]?.[k] ?? 0) - (mean[k] ?? 0);
    const line = hessian[k] ?? [];
    for (let l = 0; l < beta.length; l++) {
      const second = x.reduce(
        (sum, row, i) => sum + (shares[i] ?? 0) * (row[k] ?? 0) * (row[l] ?? 0),
        0,
      );
      line[l] = (line[l] ?? 0) + second - (mean[k] ?? 0) * (mean[l] ?? 0);
    }
  }
}

function identity(size: number, value: number): number[][] {
  return Array.from({ length: size }, (_, k) =>
    Array.from({ length: size }, (_, l) => (k === l ? value : 0)),
  );
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

function softmax(values: readonly number[]): number[] {
  const top = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** Gauss with pivots. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, k) => [...row, right[k] ?? 0]);
  const size = right.length;
  for (let k = 0; k < size; k++) {
    const pivot = rows
      .slice(k)
      .reduce((best, row) => (Math.abs(row[k] ?? 0) > Math.abs(best[k] ?? 0) ? row : best));
    rows[rows.indexOf(pivot)] = rows[k] ?? [];
    rows[k] = pivot;
    for (const row of rows.slice(k + 1)) {
      const factor = (row[k] ?? 0) / (pivot[k] ?? 1);
      for (let l = k; l <= size; l++) row[l] = (row[l] ?? 0) - factor * (pivot[l] ?? 0);
    }
  }
  const answer: number[] = Array.from({ length: size }, () => 0);
  for (let k = size - 1; k >= 0; k--) {
    const row = rows[k] ?? [];
    const rest = answer.reduce((sum, value, l) => (l > k ? sum + value * (row[l] ?? 0) : sum), 0);
    answer[k] = ((row[size] ?? 0) - rest) / (row[k] ?? 1);
  }
  return answer;
}

/** Log-likelihood of the marked steps. */
export function likelihood(
  samples: readonly Sample[],
  signals: readonly string[],
  model: Model,
): number {
  let sum = 0;
  for (const { steps, marked } of samples) {
    if (marked < 0) continue;
    const utilities = steps.map(
      (own, i) =>
        signals.reduce(
          (total, name, k) => total + (own.has(name) ? (model.signals[k] ?? 0) : 0),
          0,
        ) -
        model.order * Math.log(i + 1),
    );
    sum += Math.log(softmax(utilities)[marked] ?? 1);
  }
  return sum;
}

// From weights that may grow to hardly any: the last one is nearly acting order alone.
const ridges = [0.5, 2, 8, 1000];

/** The penalty that foretells the parts of `samples` best from the others; three folds by question. */
export function bestRidge(
  samples: readonly Sample[],
  signals: readonly string[],
  seed: number,
): number {
  const scored = ridges.map((ridge) => {
    let sum = 0;
    for (let fold = 0; fold < 3; fold++) {
      const inFold = (sample: Sample) => foldOf(sample.question, 3, seed) === fold;
      const model = fitModel(
        samples.filter((own) => !inFold(own)),
        signals,
        ridge,
      );
      sum += likelihood(samples.filter(inFold), signals, model);
    }
    return { ridge, sum };
  });
  return scored.reduce((best, own) => (own.sum > best.sum ? own : best)).ridge;
}

/** The fold of a question: the same whatever else is in the data. FNV-1a. */
export function foldOf(question: string, folds: number, seed: number): number {
  let hash = (2166136261 ^ seed) >>> 0;
  for (const character of question.toLowerCase().replace(/\W+/g, ' ').trim())
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16777619) >>> 0;
  return (((hash >>> 5) ^ hash) >>> 0) % folds;
}

/** The weights of the ranking with the fitted ones put in. */
export function withModel(
  weights: Weights,
  signals: readonly string[],
  { order, signals: own }: Model,
): Weights {
  const round = (value: number) => Math.round(value * 100) / 100;
  return {
    ...weights,
    acting_order: round(order),
    signals: {
      ...weights.signals,
      ...Object.fromEntries(signals.map((name, k) => [name, round(own[k] ?? 0)])),
    },
  };
}
