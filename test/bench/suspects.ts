// How often the suspects name the step that people marked as the decisive mistake, beside simpler guesses.
// Usage: npm run bench:suspects -- [folder], a folder of subsets of Who&When's format. The last line is one JSON object.
import { rankSteps } from '../../query/suspects/rank.ts';
import { actingOrderOf, constant, firstErrors, lastSteps } from './suspects/baselines.ts';
import { questionKey, readFolds } from './suspects/folds.ts';
import { type Case, placeOf, readCases } from './suspects/samples.ts';
import { byChance, mcnemar, type Outcome, score, share, withInterval } from './suspects/score.ts';
import { scoreTau } from './suspects/tau.ts';

const shared = new URL('../../../shared/data/who-and-when', import.meta.url).pathname;
const folder = process.argv[2] ?? shared;
const weightsFor = readFolds();
const cases = readCases(folder);
const round = (value: number) => Math.round(value * 1000) / 1000;
const summary: Record<string, { n: number; top1: number; top3: number; agent: number }> = {};

if (cases.length === 0) console.log(`no runs in ${folder}`);
for (const subset of new Set(cases.map(({ run }) => run.subset))) {
  const own = cases.filter(({ run }) => run.subset === subset);
  const ours = print(subset, own);
  const { top1, top3, agent } = ours;
  summary[subset] = {
    n: own.length,
    top1: round(share(top1)),
    top3: round(share(top3)),
    agent: round(share(agent)),
  };
}
if (process.argv[2] === undefined) printTau();
console.log(
  '\nNo run is scored by weights that saw its question. But the signals themselves were devised on the 92 shared runs:\nof those the figures are still too good, of other runs they are not.',
);
console.log(JSON.stringify(summary));

function print(subset: string, own: readonly Case[]): Outcome {
  const rankings = own.map(({ run, candidates }) =>
    rankSteps(candidates, weightsFor(run.question).weights).map(({ step }) => placeOf(step)),
  );
  const left = own.filter(({ run }) => weightsFor(run.question).left).length;
  const ours = score(own, rankings);
  const acting = score(
    own,
    own.map(({ run }) => actingOrderOf(run)),
  );
  const others: [string, Outcome][] = [
    ['constant step', score(own, constantsFor(own))],
    [
      'last step',
      score(
        own,
        own.map(({ run }) => lastSteps(run)),
      ),
    ],
    [
      'first error',
      score(
        own,
        own.map(({ run }) => firstErrors(run)),
      ),
    ],
    ['acting order', acting],
    ['Plumbline', ours],
  ];
  console.log(`\n${subset}, ${own.length} runs`);
  console.log(`  ${''.padEnd(14)}  ${'first guess'.padEnd(19)}  ${'top three'.padEnd(19)}  agent`);
  const chance = byChance(own);
  const percent = (value: number) => `${(100 * value).toFixed(1).padStart(5)} %`.padEnd(19);
  console.log(
    `  ${'random step'.padEnd(14)}  ${percent(chance.top1)}  ${percent(chance.top3)}  ${percent(chance.agent).trimEnd()}`,
  );
  for (const [name, { top1, top3, agent }] of others)
    console.log(
      `  ${name.padEnd(14)}  ${withInterval(top1).padEnd(19)}  ${withInterval(top3).padEnd(19)}  ${withInterval(agent)}`,
    );
  for (const level of ['top1', 'top3'] as const) {
    const { onlyA, onlyB, p } = mcnemar(ours[level], acting[level]);
    const name = level === 'top1' ? 'first guess' : 'top three';
    console.log(
      `  against acting order, ${name}: ${onlyA} runs gained, ${onlyB} lost, McNemar p = ${p.toFixed(3)}`,
    );
  }
  console.log(
    `  weights: ${left} runs by weights fitted without their question, ${own.length - left} by the committed ones`,
  );
  return ours;
}

/** The steps marked most often in runs of other questions. */
function constantsFor(own: readonly Case[]) {
  return own.map(({ run }) =>
    constant(
      own
        .filter((other) => questionKey(other.run.question) !== questionKey(run.question))
        .map(({ label }) => label.step),
    ),
  );
}

function printTau() {
  const tau = scoreTau();
  if (tau === null) {
    console.log('\nτ-bench: no recorded runs at hand');
    return;
  }
  const { wrongWrite, omission, falseOmissions } = tau;
  console.log(`\nτ-bench, failed runs`);
  console.log(
    `  ${wrongWrite.n} with an unexpected write: the first of them is suspect 1 in ${wrongWrite.top1}, among the first three in ${wrongWrite.top3}; an omission is claimed in ${falseOmissions}`,
  );
  console.log(
    `  ${omission.n} without: omission is suspect 1 in ${omission.said} (nothing was changed at all in ${omission.nothing}, of these said in ${omission.nothingSaid})`,
  );
}
