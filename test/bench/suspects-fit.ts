// Fits the weights of the suspects to labelled runs, and for every question once more without its runs. Writes
// query/suspects/weights.json and suspects/folds.json. Usage: npm run bench:suspects:fit -- [folder]
import { writeFileSync } from 'node:fs';
import weights from '../../query/suspects/weights.json' with { type: 'json' };
import { bestRidge, fitModel, withModel } from './suspects/fit.ts';
import { foldsFile, questionKey } from './suspects/folds.ts';
import { fittedSignals, readCases } from './suspects/samples.ts';

const folder =
  process.argv[2] ?? new URL('../../../shared/data/who-and-when', import.meta.url).pathname;
const samples = readCases(folder).map(({ sample }) => sample);
if (samples.length === 0) {
  console.error(`no runs in ${folder}`);
  process.exit(1);
}
const fitted = (own: typeof samples) => {
  const ridge = bestRidge(own, fittedSignals, 1);
  return { ridge, model: fitModel(own, fittedSignals, ridge) };
};

const whole = fitted(samples);
const next = withModel(weights, fittedSignals, whole.model);
writeFileSync(
  new URL('../../query/suspects/weights.json', import.meta.url),
  `${JSON.stringify(next, null, 2)}\n`,
);
console.log(`${samples.length} runs, ridge ${whole.ridge}`);
console.log(JSON.stringify(next.signals, null, 2));

const questions = [...new Set(samples.map(({ question }) => questionKey(question)))].toSorted();
const without = Object.fromEntries(
  questions.map((key) => {
    const { model } = fitted(samples.filter(({ question }) => questionKey(question) !== key));
    return [key, [model.order, ...model.signals].map((value) => Math.round(value * 1000) / 1000)];
  }),
);
writeFileSync(foldsFile, `${JSON.stringify({ signals: fittedSignals, without })}\n`);
console.log(`${questions.length} questions, each left out once`);
