// Puts every kind of defect into clean recorded runs and counts what each rule finds of them, and what it finds where
// nothing was put. Usage: npm run bench:findings. The last line is one JSON object.
import { deriveTrajectory } from '../../query/decisions/derive.ts';
import { findDefects } from '../../query/findings/find.ts';
import { rules } from '../../query/findings/rules.ts';
import { ownIds, recordedRuns } from '../decisions/recorded-run.ts';
import { learnFrom, storedEvidence } from './findings/clean-run.ts';
import { contentMutations } from './findings/content.ts';
import { findings, tally } from './findings/harness.ts';
import { metadataMutations } from './findings/metadata.ts';
import { mayFind } from './findings/oracle.ts';
import recorded from './findings/verdicts.json' with { type: 'json' };

const { runs, complete } = recordedRuns();
const successes = runs.filter(({ reward }) => reward === 1);
const background = learnFrom(runs);
const mutations = [...contentMutations, ...metadataMutations];
if (!complete)
  console.log('the recorded runs are not at hand: the committed ones only, floors are not met');

const tallies = new Map(
  mutations.map((mutation) => [mutation, tally(mutation, successes, background)]),
);
console.log(
  `${runs.length} runs, ${successes.length} successes; facts against separate code on all runs, judgements against ${recorded.verdicts.length} verdicts by hand on successes\n`,
);
console.log(`${'rule'.padEnd(25)} class      recall         false  defect`);
const table: Record<string, { recall: number | null; false_rate: number; n: number }> = {};
for (const rule of rules) {
  const own = [...tallies].filter(([mutation]) => mutation.rule === rule.id);
  const n = own.reduce((sum, [, { n }]) => sum + n, 0);
  const found = own.reduce((sum, [, { found }]) => sum + found, 0);
  const false_rate = rule.class === 'fact' ? falseFacts(rule.id) : falseJudgements(rule.id);
  table[rule.id] = { recall: n === 0 ? null : round(found / n), false_rate: round(false_rate), n };
  const wrong = `${(100 * false_rate).toFixed(1)} %`.padStart(6);
  if (own.length === 0) console.log(line(rule.id, rule.class, '–', wrong, 'no mutation'));
  own.forEach(([{ defect }, { n, found }], i) => {
    const first = i === 0;
    const recall = n === 0 ? '–' : `${((100 * found) / n).toFixed(1)} % of ${n}`;
    console.log(
      line(first ? rule.id : '', first ? rule.class : '', recall, first ? wrong : '', defect),
    );
  });
}
for (const [{ rule, defect }, { missed }] of tallies)
  if (missed.length > 0)
    console.log(`  missed: ${rule}, ${defect}: ${missed.slice(0, 4).join('; ')}`);
console.log(JSON.stringify({ rules: table }));

function line(rule: string, kind: string, recall: string, wrong: string, defect: string): string {
  return `${rule.padEnd(25)} ${kind.padEnd(10)} ${recall.padEnd(14)} ${wrong.padEnd(6)} ${defect}`;
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

/** The share of all recorded runs with a finding that code apart from the rules does not confirm. */
function falseFacts(rule: string): number {
  const wrong = runs.filter((run) => {
    const confirmed = mayFind(rule, run);
    const ids = new Set([...confirmed].map((decision) => ownIds(run).model(decision)));
    return findings(run, background).some(
      ({ finding, decision }) => finding === rule && !ids.has(decision ?? ''),
    );
  });
  return wrong.length / runs.length;
}

/** The share of successful runs with a finding that was judged wrong by hand, or that nobody has judged. */
function falseJudgements(rule: string): number {
  const right = new Set(
    recorded.verdicts
      .filter(([, , , verdict]) => verdict === true)
      .map((own) => own.slice(0, 3).join(' ')),
  );
  const wrong = successes.filter((run) => {
    const trajectory = deriveTrajectory(storedEvidence(run));
    return findDefects(trajectory, {}, background).some(({ finding, decision }) => {
      const n = trajectory.steps.find(({ id }) => id === decision)?.n;
      return finding === rule && !right.has(`${run.task_id}-${run.trial} ${n} ${rule}`);
    });
  });
  return successes.length === 0 ? 0 : wrong.length / successes.length;
}
