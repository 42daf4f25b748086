import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Store } from '../../store/connection.ts';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import {
  committedRuns,
  evidenceOf,
  fixture,
  type RecordedRun,
} from '../../test/decisions/recorded-run.ts';
import { storeEvidence } from '../../test/decisions/stored-evidence.ts';
import { defaultFindingsSettings } from '../findings/settings.ts';
import type { DecisionsAnswer } from './answer.ts';
import { createJudge } from './judge.ts';
import { decisionsRoutes } from './routes.ts';

interface WorkedExample {
  readonly task_id: string;
  readonly outcome: 'success' | 'failure';
  readonly decisions: { id: string; trace_id: string; results: { span_id: string }[] }[];
}

const names = [
  'decisions-failure-0.json',
  'decisions-failure-32.json',
  'decisions-success-45.json',
] as const;

const start = Date.parse('2026-03-04T10:00:00Z');
const now = new Date('2026-03-04T12:00:00Z');

let store: Store;

beforeAll(async () => {
  store = await openEmbedded();
  const runs = committedRuns();
  await storeEvidence(
    store,
    names.map((name, i) => {
      const { task_id, outcome, decisions } = fixture<WorkedExample>(name);
      const models = decisions.map(({ id }) => id);
      const tools = decisions.flatMap(({ results }) => results.map(({ span_id }) => span_id));
      const ids = {
        trace: decisions[0]?.trace_id ?? '',
        model: (k: number) => models[k] ?? '',
        tool: (k: number) => tools[k] ?? '',
      };
      const evidence = evidenceOf(runs[i] as RecordedRun, ids);
      return {
        task: task_id,
        verdict: outcome,
        source: 'evaluation',
        evidence,
        workflow: 'airline-support',
        trace: ids.trace,
        at: start,
      };
    }),
  );
});

afterAll(() => store.close());

/** What the recording simulates is not compared: times, tokens, cost; nor the suspects, which were ranked by hand. */
function withoutSimulated(value: object): unknown {
  const copy = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
  delete copy['suspects'];
  for (const decision of copy['decisions'] as Record<string, unknown>[]) {
    for (const name of ['at', 'usage', 'cost_usd', 'duration_ms', 'ttft_ms']) delete decision[name];
    for (const result of decision['results'] as Record<string, unknown>[])
      delete result['duration_ms'];
  }
  return copy;
}

it.each(names)('answers %s of what is stored of its run', async (name) => {
  const expected = fixture<WorkedExample>(name);
  const app = decisionsRoutes({ store, project: () => 'p', now: () => now });
  const response = await app.request(`/api/v1/tasks/${expected.task_id}/decisions`);
  expect(response.status).toBe(200);
  expect(withoutSimulated((await response.json()) as DecisionsAnswer)).toEqual(
    withoutSimulated(expected),
  );
});

it('keeps what it derived until the task changes', async () => {
  const judge = createJudge(store, () => defaultFindingsSettings);
  const count = (name: string) =>
    judge.metrics().find((metric) => metric.name === `plumbline_kept_decisions_${name}`)?.samples[0]
      ?.value;
  const { task_id } = fixture<WorkedExample>(names[0]);
  const asked = [1, 2].map(() => judge.task('p', task_id, now));
  const [first, beside] = await Promise.all(asked);
  expect(first?.trajectory.steps).toHaveLength(15);
  expect(beside).toBe(first);
  expect(await judge.task('p', task_id, now)).toBe(first);
  expect([count('hits_total'), count('misses_total')]).toEqual([1, 2]);
  expect(count('bytes')).toBeGreaterThan(10_000);
  // The same again, derived anew: a new version of the row.
  const evidence = first === undefined ? undefined : evidenceOf(committedRuns()[0] as RecordedRun);
  if (evidence === undefined) throw new Error('no task');
  await storeEvidence(store, [
    { task: task_id, verdict: 'success', evidence, workflow: 'airline-support', at: start },
  ]);
  const second = await judge.task('p', task_id, now);
  expect(second).not.toBe(first);
  expect(second?.trajectory.task.outcome).toBe('success');
});
