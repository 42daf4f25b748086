// What a reader waits for: the first page of a large task's decisions over HTTP, out of a real store, and the pages after it.
// Usage: npm run bench:decisions:http -- [spans …] (default 1000 10000 100000). Each size is asked for as two tasks: the
// first meets code that has not run yet, the second code that has. The last line is one JSON object.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { createJudge } from '../../query/decisions/judge.ts';
import { decisionsRoutes } from '../../query/decisions/routes.ts';
import { startFindingsPass } from '../../query/findings/pass.ts';
import { defaultFindingsSettings } from '../../query/findings/settings.ts';
import { openEmbedded } from '../clickhouse/backends.ts';
import { storeEvidence } from '../decisions/stored-evidence.ts';
import { longTask } from './decisions/long-task.ts';

const asked = process.argv.slice(2).map(Number);
const sizes = asked.length > 0 ? asked : [1_000, 10_000, 100_000];
const store = await openEmbedded();
const now = new Date('2026-11-30T12:00:00Z');
const settings = () => defaultFindingsSettings;
const judge = createJudge(store, settings);
const app = decisionsRoutes({ store, project: () => 'p', now: () => now }, judge);
const server = createServer(getRequestListener(app.fetch)).listen(0, '127.0.0.1');
await once(server, 'listening');
const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/tasks`;
const summary: Record<string, Record<string, number>> = {};

console.log(
  'spans    first page, code cold   first page, code warm   next page   the same again   first page after the second pass   ms',
);
for (const size of sizes) {
  const times: number[] = [];
  let cursor: string | null = null;
  for (const task of [`a-${size}`, `b-${size}`]) {
    const evidence = longTask(size);
    await storeEvidence(store, [
      { task, verdict: 'failure', evidence, workflow: 'orders', at: now.getTime() - 86_400_000 },
    ]);
    const first = await page(`${base}/${task}/decisions`);
    times.push(first.ms);
    cursor = first.next;
  }
  const rest = `${base}/b-${size}/decisions${cursor === null ? '' : `?cursor=${cursor}`}`;
  times.push((await page(rest)).ms, (await page(rest)).ms);
  times.push(await afterPass(`c-${size}`, longTask(size)));
  console.log(
    `${String(size).padEnd(9)}${times.map((ms) => ms.toFixed(0).padStart(12)).join('        ')}`,
  );
  const [cold = 0, warm = 0, next = 0, again = 0, judged = 0] = times.map(Math.round);
  summary[size] = {
    cold_ms: cold,
    warm_ms: warm,
    next_ms: next,
    again_ms: again,
    judged_ms: judged,
  };
}
console.log(JSON.stringify(summary));
server.close();
await store.close();
process.exit();

/** As it is in production: the second pass has judged the task before somebody asks. */
async function afterPass(task: string, evidence: ReturnType<typeof longTask>): Promise<number> {
  await storeEvidence(store, [
    { task, verdict: 'failure', evidence, workflow: 'orders', at: now.getTime() - 86_400_000 },
  ]);
  const pass = startFindingsPass({
    store,
    projects: () => ['p'],
    settings,
    // Rows are versioned by the engine's clock, and due when they have been quiet for a while.
    now: () => new Date(Date.now() + 61_000),
    onJudged: judge.keep,
    report: console.error,
  });
  await pass.settled();
  await pass.close();
  return (await page(`${base}/${task}/decisions`)).ms;
}

async function page(url: string): Promise<{ readonly ms: number; readonly next: string | null }> {
  const begun = performance.now();
  const response = await fetch(url);
  const text = await response.text();
  const ms = performance.now() - begun;
  if (response.status !== 200) throw new Error(`${response.status}: ${text.slice(0, 200)}`);
  const answer = JSON.parse(text) as { decisions: unknown[]; next_cursor: string | null };
  if (answer.decisions.length === 0) throw new Error('an empty page');
  return { ms, next: answer.next_cursor };
}
