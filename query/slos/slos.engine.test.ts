import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../store/connection.ts';
import { insert } from '../../store/insert.ts';
import { outcomes } from '../../store/tables/outcomes.ts';
import { prices } from '../../store/tables/prices.ts';
import { tasks } from '../../store/tables/tasks.ts';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import { type TaskSketch, taskRow, verdict } from '../../test/task-rows.ts';
import { onError } from '../problem.ts';
import { mergeObjectives, parseOpenSlo } from './openslo.ts';
import { slosRoutes } from './routes.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let store: Store;
let app: Hono;

beforeAll(async () => {
  store = await openEmbedded();
  app = new Hono();
  app.onError(
    onError((error) => {
      throw error;
    }),
  );
  const context = { store, project: () => 'test', now: () => new Date(NOW) };
  app.route('/', slosRoutes(context));
});

afterAll(async () => {
  await store.close();
});

async function add(sketches: readonly TaskSketch[]): Promise<void> {
  await insert(store, tasks, sketches.map(taskRow));
}

async function verdicts(...rows: readonly (readonly [string, 'success' | 'failure'])[]) {
  await insert(
    store,
    outcomes,
    rows.map(([id, outcome]) => verdict(id, outcome, NOW)),
  );
}

async function burn(name: string, workflow: string, extra = '') {
  const path = `/api/v1/slos/${name}/burn?workflow=${workflow}${extra}`;
  const response = await app.request(path);
  expect(response.status).toBe(200);
  const body = JSON.parse(await response.text());
  expect(body.workflows).toHaveLength(1);
  return body.workflows[0];
}

describe('task_success_rate', () => {
  it('burns 0.2 and leaves 80 % of the budget with 99 good and 1 bad at 95 %', async () => {
    const ids = Array.from({ length: 100 }, (_, i) => `golden-${i}`);
    await add(ids.map((id, i) => ({ id, workflow: 'golden', end: NOW - 5 * DAY + i * HOUR })));
    await verdicts(...ids.map((id, i) => [id, i === 50 ? 'failure' : 'success'] as const));
    const entry = await burn('task_success_rate', 'golden');
    expect(entry).toMatchObject({ valid: 100, bad: 1, error_ratio: 0.01, workflow: 'golden' });
    expect(entry.burn).toBeCloseTo(0.2, 12);
    expect(entry.budget_left_ratio).toBeCloseTo(0.8, 12);
  });

  it('is null without traffic', async () => {
    const response = await app.request('/api/v1/slos/task_success_rate/burn?workflow=nobody');
    const body = JSON.parse(await response.text());
    for (const entry of [body.all, body.workflows[0]]) {
      expect(entry).toMatchObject({
        state: 'no_data',
        valid: 0,
        burn: null,
        error_ratio: null,
        budget_left_ratio: null,
      });
    }
    expect(body.evaluated_through).toBe('2026-11-20T12:00:00.000Z');
  });

  it('leaves out tasks without a verdict and follows one that comes late', async () => {
    await add([
      { id: 'late-1', workflow: 'late', end: NOW - MINUTE },
      { id: 'late-2', workflow: 'late', end: NOW - MINUTE },
    ]);
    expect((await burn('task_success_rate', 'late')).burn).toBeNull();
    await verdicts(['late-1', 'success'], ['late-2', 'failure']);
    expect((await burn('task_success_rate', 'late')).burn).toBeCloseTo(10, 9);
  });

  it('pages for a total outage within ten minutes, and did not before it', async () => {
    const ids = Array.from({ length: 60 }, (_, i) => `outage-${i}`);
    await add(ids.map((id, i) => ({ id, workflow: 'outage', end: NOW - (i * MINUTE) / 2 - 1 })));
    await verdicts(...ids.map((id, i) => [id, i < 20 ? 'failure' : 'success'] as const));
    const entry = await burn('task_success_rate', 'outage');
    expect(entry.state).toBe('page');
    expect(entry.policies[0]).toMatchObject({ policy: 'page_outage', fires: true });
    const before = await burn('task_success_rate', 'outage', '&now=now-10m');
    expect(before.policies.filter((policy: { fires: boolean }) => policy.fires)).toEqual([]);
    expect(before).toMatchObject({ bad: 0, valid: 40 });
  });

  it('counts live traffic unless asked', async () => {
    await add([{ id: 'eval-1', workflow: 'traffic', end: NOW - HOUR, traffic: 'eval' }]);
    await verdicts(['eval-1', 'failure']);
    expect((await burn('task_success_rate', 'traffic')).valid).toBe(0);
    expect((await burn('task_success_rate', 'traffic', '&traffic=eval')).valid).toBe(1);
  });
});

describe('time limits', () => {
  it('counts a hung task before it ends, and a failure only when it was slow too', async () => {
    const workflow = 'slow';
    await add([
      { id: 's-fast', workflow, end: NOW - HOUR, ms: 29_999 },
      { id: 's-slow', workflow, end: NOW - HOUR, ms: 30_000 },
      { id: 's-failed-fast', workflow, end: NOW - HOUR, ms: 100, state: 'failed' },
      { id: 's-failed-slow', workflow, end: NOW - HOUR, ms: 90_000, state: 'failed' },
      { id: 's-cancelled', workflow, end: NOW - HOUR, ms: 90_000, state: 'cancelled' },
      { id: 's-hung', workflow, end: NOW - 10 * MINUTE, state: 'running', open: true },
      { id: 's-young', workflow, end: NOW - 5_000, ms: 5_000, state: 'running', open: true },
    ]);
    const entry = await burn('p95_time_to_completion', workflow);
    expect(entry).toMatchObject({ valid: 4, bad: 3 });
    const now = entry.windows.find((window: { window: string }) => window.window === '3m');
    expect(now).toMatchObject({ valid: 1, bad: 1 });
  });

  it('counts every streamed call against the first-token limit', async () => {
    const calls = [
      { kind: 'llm', name: 'm', ttft: 1_999.9 },
      { kind: 'llm', name: 'm', ttft: 2_000 },
      { kind: 'llm', name: 'm', ttft: null },
      { kind: 'tool', name: 't' },
    ] as const;
    await add([{ id: 'ttft-1', workflow: 'ttft', end: NOW - HOUR, calls }]);
    const entry = await burn('p95_time_to_first_token', 'ttft');
    expect(entry).toMatchObject({ valid: 2, bad: 1, tasks: 1 });
  });
});

describe('tool_call_error_rate', () => {
  it('counts errors by span, flag and content, and says how much they cluster in tasks', async () => {
    const workflow = 'tools';
    const fine = Array.from({ length: 9 }, (_, i) => ({
      id: `tools-${i}`,
      workflow,
      end: NOW - HOUR,
      calls: Array.from({ length: 10 }, () => ({ kind: 'tool', name: 't' }) as const),
    }));
    const errors = ['span', 'flag', 'content', 'span', 'span', 'span', 'span', 'span', 'span'];
    const retrying = {
      id: 'tools-bad',
      workflow,
      end: NOW - HOUR,
      calls: [...errors, ''].map((error) => ({ kind: 'tool', name: 't', error }) as const),
    };
    await add([...fine, retrying]);
    const entry = await burn('tool_call_error_rate', workflow);
    expect(entry).toMatchObject({ valid: 100, bad: 9, tasks: 10, tasks_bad: 1 });
    // By hand: residuals −0.9 (nine times) and 8.1; 72.9 × 10/9 over 100 × 0.09 × 0.91.
    expect(entry.design_effect).toBeCloseTo(81 / 8.19, 9);
  });
});

describe('human_escalation_rate', () => {
  it('counts ended tasks only', async () => {
    const workflow = 'people';
    await add([
      { id: 'p-1', workflow, end: NOW - HOUR, escalated: true },
      { id: 'p-2', workflow, end: NOW - HOUR },
      { id: 'p-3', workflow, end: NOW - MINUTE, state: 'running', open: true, escalated: true },
    ]);
    expect(await burn('human_escalation_rate', workflow)).toMatchObject({ valid: 2, bad: 1 });
  });
});

describe('cost_per_successful_task', () => {
  const calls = (name: string) =>
    [{ kind: 'llm', name, provider: 'acme', input: 1_000, output: 100 }] as const;

  beforeAll(async () => {
    await insert(store, prices, [
      {
        project: 'test',
        provider: 'acme',
        model: 'm1',
        origin: 'list',
        deleted: 0,
        multipliers: [],
        valid_from: 0n,
        source: 'test',
        priced: 1,
        // $0.10 per 1,000 input and $0.05 per 100 output tokens: $0.15 a task.
        tiers: [[0n, 0.0001, 0.0005, 0, 0, 0]],
        context_window: null,
      },
    ]);
  });

  it('divides the cost of all tasks, failed ones too, by the successes', async () => {
    const workflow = 'money';
    await add(
      ['c-1', 'c-2', 'c-3', 'c-4'].map((id) => ({
        id,
        workflow,
        end: NOW - HOUR,
        calls: calls('m1'),
      })),
    );
    await verdicts(['c-1', 'success'], ['c-2', 'success'], ['c-3', 'failure']);
    const entry = await burn('cost_per_successful_task', workflow);
    expect(entry.unit_cost_usd).toBeCloseTo(0.3, 12);
    expect(entry.quota_burn).toBeCloseTo(0.6, 12);
    expect(entry).toMatchObject({
      tasks: 4,
      successes: 2,
      label_coverage_ratio: 0.75,
      reason: null,
    });
  });

  it('is unknown when one task runs on a model without a price', async () => {
    const workflow = 'priceless';
    await add([
      { id: 'u-1', workflow, end: NOW - HOUR, calls: calls('m1') },
      { id: 'u-2', workflow, end: NOW - HOUR, calls: calls('m2') },
    ]);
    await verdicts(['u-1', 'success'], ['u-2', 'success']);
    const entry = await burn('cost_per_successful_task', workflow);
    expect(entry).toMatchObject({
      unit_cost_usd: null,
      quota_burn: null,
      unpriced_tasks: 1,
      reason: 'unpriced',
    });
    expect(entry.cost_usd_known).toBeCloseTo(0.15, 12);
  });
});

describe('own objectives', () => {
  it('give one workflow its target, and the rest theirs', async () => {
    const own = parseOpenSlo(`
apiVersion: openslo/v1
kind: SLO
metadata: {name: task_success_rate, annotations: {plumbline.dev/workflow: golden}}
spec: {indicatorRef: task_success_rate, timeWindow: [{duration: 14d, isRolling: true}], objectives: [{target: 0.99}]}
`);
    const context = { store, project: () => 'test', now: () => new Date(NOW) };
    const routes = slosRoutes(context, mergeObjectives(own));
    const response = await routes.request('/api/v1/slos/task_success_rate/burn');
    const body = JSON.parse(await response.text());
    const entry = (name: string) =>
      body.workflows.find(({ workflow }: { workflow: string }) => workflow === name);
    expect(entry('golden')).toMatchObject({ target: 0.99, valid: 100 });
    expect(entry('golden').burn).toBeCloseTo(1, 9);
    expect(entry('outage').target).toBe(0.95);
  });
});

describe('the list', () => {
  it('has the six objectives with the worst state of their workflows', async () => {
    const response = await app.request('/api/v1/slos');
    const { slos } = JSON.parse(await response.text());
    expect(slos.map((slo: { name: string }) => slo.name)).toEqual([
      'task_success_rate',
      'p95_time_to_first_token',
      'p95_time_to_completion',
      'tool_call_error_rate',
      'human_escalation_rate',
      'cost_per_successful_task',
    ]);
    expect(slos[0]).toMatchObject({ state: 'page', target: 0.95, window_days: 28 });
  });

  it('answers 404 for an unknown SLO and 400 naming a bad parameter', async () => {
    expect((await app.request('/api/v1/slos/joy/burn')).status).toBe(404);
    const bad = await app.request('/api/v1/slos/task_success_rate/burn?now=noon');
    expect(bad.status).toBe(400);
    expect(await bad.json()).toMatchObject({ parameter: 'now' });
  });
});
