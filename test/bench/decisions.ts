// How long a large task takes to answer its decisions once it is loaded: derive, find, rank, and one page as JSON.
// Usage: npm run bench:decisions -- [spans …] (default 1000 10000 100000).
import { deriveTrajectory } from '../../query/decisions/derive.ts';
import { toAnswer } from '../../query/decisions/shape.ts';
import { findDefects } from '../../query/findings/find.ts';
import { rankSuspects } from '../../query/suspects/rank.ts';
import { longTask } from './decisions/long-task.ts';

const asked = process.argv.slice(2).map(Number);
const sizes = asked.length > 0 ? asked : [1_000, 10_000, 100_000];
const rounds = 5;
const summary: Record<string, Record<string, number>> = {};

console.log(
  'spans     decisions   warm CPU   cold ms   warm ms   derive  findings  suspects  page  (warm = median of 5)',
);
for (const size of sizes) {
  const evidence = longTask(size);
  const times = Array.from({ length: rounds + 1 }, () => answer(evidence));
  const [cold, ...warm] = times.map((own) => own.total);
  const middle = (name: keyof (typeof times)[number]) =>
    times
      .slice(1)
      .map((own) => own[name])
      .toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
  const columns = [
    middle('cpu'),
    cold ?? 0,
    middle('total'),
    middle('derive'),
    middle('find'),
    middle('rank'),
    middle('page'),
  ];
  console.log(
    `${String(size).padEnd(9)} ${String(times[0]?.decisions).padEnd(9)} ${columns.map((ms) => ms.toFixed(0).padStart(8)).join('  ')}`,
  );
  summary[size] = {
    cold_ms: Math.round(cold ?? 0),
    warm_ms: Math.round(middle('total')),
    cpu_ms: Math.round(middle('cpu')),
    best_ms: Math.round(Math.min(...warm)),
    best_cpu_ms: Math.round(Math.min(...times.slice(1).map((own) => own.cpu))),
  };
}
console.log(JSON.stringify(summary));

function answer(evidence: ReturnType<typeof longTask>) {
  const used = process.cpuUsage();
  const marks = [performance.now()];
  const mark = () => marks.push(performance.now());
  const trajectory = deriveTrajectory(evidence);
  mark();
  const findings = findDefects(trajectory);
  mark();
  const suspects = rankSuspects(trajectory, findings);
  mark();
  const options = { content: 'preview', limit: 200, after: 0, cursorOf: String } as const;
  const page = JSON.stringify(toAnswer(trajectory, findings, suspects, options));
  mark();
  const [start = 0, derived = 0, found = 0, ranked = 0, end = 0] = marks;
  if (page.length === 0) throw new Error('no page');
  return {
    decisions: trajectory.steps.length,
    total: end - start,
    // Of a busy machine the processor time says more; the garbage collector's threads are in it.
    cpu: process.cpuUsage(used).user / 1000,
    derive: derived - start,
    find: found - derived,
    rank: ranked - found,
    page: end - ranked,
  };
}
