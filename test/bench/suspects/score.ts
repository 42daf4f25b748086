import { binomialTail } from '../../../query/statistics/distributions.ts';
import { wilson } from '../../../query/statistics/proportions.ts';
import type { Ranking } from './baselines.ts';
import { kindOf, type Label, plainAgent, type Run } from './who-and-when.ts';

/** Whether each run was right, in the order of the runs. */
export interface Outcome {
  readonly top1: readonly boolean[];
  readonly top3: readonly boolean[];
  readonly agent: readonly boolean[];
}

/** Right means the same number as the label; a run without a prediction is wrong. */
export function score(
  runs: readonly { readonly run: Run; readonly label: Label }[],
  rankings: readonly Ranking[],
): Outcome {
  const places = runs.map(({ label }, i) => rankings[i]?.indexOf(label.step) ?? -1);
  return {
    top1: places.map((place) => place === 0),
    top3: places.map((place) => place >= 0 && place < 3),
    agent: runs.map(({ run, label }, i) => {
      const first = run.messages[rankings[i]?.[0] ?? -1];
      return first !== undefined && plainAgent(first.speaker) === label.agent;
    }),
  };
}

export function share(right: readonly boolean[]): number {
  return right.length === 0 ? 0 : right.filter(Boolean).length / right.length;
}

/** `38.9 % [31, 48]` with Wilson's 95 % interval. */
export function withInterval(right: readonly boolean[]): string {
  const { low, high } = wilson({ hits: right.filter(Boolean).length, n: right.length });
  const percent = (value: number) => (100 * value).toFixed(0);
  return `${(100 * share(right)).toFixed(1).padStart(5)} % [${percent(low)}, ${percent(high)}]`;
}

/** McNemar's exact test on paired runs: right by `a` only, right by `b` only, two-sided p. */
export function mcnemar(a: readonly boolean[], b: readonly boolean[]) {
  const onlyA = a.filter((right, i) => right && b[i] === false).length;
  const onlyB = a.filter((right, i) => !right && b[i] === true).length;
  const n = onlyA + onlyB;
  const p = n === 0 ? 1 : Math.min(1, 2 * binomialTail(Math.max(onlyA, onlyB), n, 0.5));
  return { onlyA, onlyB, p };
}

/** Chances of a step drawn from all messages: right at first guess, in three guesses, and the right agent. */
export function byChance(runs: readonly { readonly run: Run; readonly label: Label }[]) {
  const mean = (value: (run: Run, label: Label) => number) =>
    runs.reduce((sum, { run, label }) => sum + value(run, label), 0) / Math.max(1, runs.length);
  return {
    top1: mean(({ messages }) => 1 / messages.length),
    top3: mean(({ messages }) => Math.min(1, 3 / messages.length)),
    agent: mean(
      ({ messages }, { agent }) =>
        messages.filter(
          (message) => kindOf(message) !== 'human' && plainAgent(message.speaker) === agent,
        ).length / messages.length,
    ),
  };
}
