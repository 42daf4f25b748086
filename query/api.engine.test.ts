import type { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../store/connection.ts';
import { insert } from '../store/insert.ts';
import { replaceFileOverrides } from '../store/prices/override.ts';
import { outcomes } from '../store/tables/outcomes.ts';
import { type PriceRow, prices } from '../store/tables/prices.ts';
import { taskDays } from '../store/tables/task-days.ts';
import { tasks } from '../store/tables/tasks.ts';
import { openEmbedded } from '../test/clickhouse/backends.ts';
import { type TaskSketch, taskRow, verdict } from '../test/task-rows.ts';
import { createQuery } from './app.ts';
import { builtinObjectives } from './slos/objectives.ts';

const now = Date.parse('2026-11-20T12:00:00Z');
const minutesAgo = (minutes: number) => now - minutes * 60_000;

const model = (input: number, output: number, name = 'm1') =>
  ({ kind: 'llm', name, provider: 'p1', input, output }) as const;
const tool = (error?: string) =>
  ({ kind: 'tool', name: 'search', ...(error === undefined ? {} : { error }) }) as const;

// Sheet (m1 costs $1 per million input tokens and $2 per million output tokens, m2 has no price):
//   a1 refund  success  1000/500 + 2000/0        0.0010 + 0.0010 + 0.0020 = 0.0040
//   a2 refund  success  500/250                  0.0005 + 0.0005          = 0.0010
//   a3 refund  failed   4000/1000                0.0040 + 0.0020          = 0.0060  wasted
//   b1 search  success  1000/0 m1, 10/10 m2      known 0.0010, whole cost unknown
//   s1 refund  shadow traffic
const sketches: readonly TaskSketch[] = [
  {
    id: 'a1',
    workflow: 'refund',
    end: minutesAgo(50),
    calls: [model(1000, 500), tool(), model(2000, 0)],
    prompts: ['r@v1'],
  },
  {
    id: 'a2',
    workflow: 'refund',
    end: minutesAgo(40),
    calls: [model(500, 250)],
    prompts: ['r@v2'],
  },
  {
    id: 'a3',
    workflow: 'refund',
    end: minutesAgo(30),
    state: 'failed',
    calls: [model(4000, 1000), tool('content')],
    prompts: ['r@v2'],
  },
  {
    id: 'b1',
    workflow: 'search',
    end: minutesAgo(20),
    calls: [model(1000, 0), model(10, 10, 'm2')],
  },
  {
    id: 's1',
    workflow: 'refund',
    end: minutesAgo(10),
    traffic: 'shadow',
    calls: [model(9000, 9000)],
  },
];

const price: PriceRow = {
  project: 'test',
  provider: 'p1',
  model: 'm1',
  origin: 'list',
  deleted: 0,
  multipliers: [],
  valid_from: 0n,
  source: 'sheet',
  priced: 1,
  tiers: [[0n, 1e-6, 2e-6, 1e-7, 1e-6, 1e-6]],
  context_window: null,
};

let store: Store;
let app: Hono;
const reported: unknown[] = [];

beforeAll(async () => {
  store = await openEmbedded();
  const rows = sketches.map(taskRow);
  await insert(store, tasks, rows);
  await insert(
    store,
    taskDays,
    rows.map(({ project, task_id, day }) => ({ project, task_id, day })),
  );
  await insert(
    store,
    outcomes,
    ['a1', 'a2', 'b1'].map((id) => verdict(id, 'success', minutesAgo(5))),
  );
  await insert(store, prices, [price]);
  app = createQuery({
    store,
    objectives: builtinObjectives,
    project: () => 'test',
    now: () => new Date(now),
    version: '0',
    checks: async () => [],
    metrics: () => [],
    report: (error) => reported.push(error),
  });
});

afterAll(() => store.close());

async function get(path: string): Promise<Record<string, never>> {
  const res = await app.request(path);
  expect(res.status, `${path}: ${reported.join()}`).toBe(200);
  return (await res.json()) as Record<string, never>;
}

const ids = (body: { tasks?: { task_id: string }[] }) => body.tasks?.map((task) => task.task_id);

describe('GET /api/v1/tasks', () => {
  it('lists live tasks, newest first, and every kind of traffic on request', async () => {
    expect(ids(await get('/api/v1/tasks'))).toEqual(['b1', 'a3', 'a2', 'a1']);
    expect(ids(await get('/api/v1/tasks?traffic=all'))).toEqual(['s1', 'b1', 'a3', 'a2', 'a1']);
  });

  it.each([
    ['workflow=search', ['b1']],
    ['outcome=failure', ['a3']],
    ['state=failed', ['a3']],
    ['model=m2', ['b1']],
    ['q=A2', ['a2']],
    ['from=now-35m', ['b1', 'a3']],
    ['from=now-1d&to=now-45m', ['a1']],
    ['sort=cost_usd', ['a2', 'b1', 'a1', 'a3']],
    ['workflow=%27%3B%20DROP%20TABLE%20tasks', []],
  ])('?%s', async (query, expected) => {
    expect(ids(await get(`/api/v1/tasks?${query}`))).toEqual(expected);
  });

  it('pages through everything once', async () => {
    const seen: string[] = [];
    let cursor = '';
    do {
      const body = (await get(`/api/v1/tasks?limit=2&sort=-cost_usd${cursor}`)) as unknown as {
        tasks: { task_id: string }[];
        next_cursor: string | null;
      };
      seen.push(...(ids(body) ?? []));
      cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
    } while (cursor !== '');
    expect(seen).toEqual(['a3', 'a1', 'b1', 'a2']);
  });
});

describe('GET /api/v1/tasks/{id}', () => {
  it('gives the whole record, null for what is unknown', async () => {
    const task = await get('/api/v1/tasks/a1');
    expect(task).toMatchObject({
      task_id: 'a1',
      workflow: 'refund',
      state: 'done',
      outcome: 'success',
      outcome_source: 'explicit',
      started_at: '2026-11-20T11:09:59.000000000Z',
      duration_ms: 1000,
      llm_calls: 2,
      tool_calls: 1,
      tool_errors: 0,
      input_tokens: 3000,
      output_tokens: 500,
      models: ['m1'],
      providers: ['p1'],
      unpriced_models: [],
      cost_usd_reported: null,
      user_id: null,
    });
    expect(task['cost_usd']).toBeCloseTo(0.004, 12);
  });

  it('never gives zero for a model without a price', async () => {
    const task = await get('/api/v1/tasks/b1');
    expect(task).toMatchObject({ cost_usd: null, unpriced_models: ['m2'] });
    expect(task['cost_usd_known']).toBeCloseTo(0.001, 12);
  });

  it('is 404 for an unknown task, as problem details', async () => {
    const res = await app.request('/api/v1/tasks/nobody');
    expect(res.status).toBe(404);
    expect(res.headers.get('content-type')).toBe('application/problem+json');
  });
});

interface Group {
  readonly key: Record<string, string | null>;
  readonly tasks: number;
  readonly successes: number;
  readonly cost_usd: number | null;
  readonly cost_per_success_usd: number | null;
  readonly wasted_usd: number;
  readonly unpriced_models: readonly string[];
}

async function costs(query: string): Promise<{ groups: Group[]; additive: boolean }> {
  return (await get(`/api/v1/costs?${query}`)) as unknown as { groups: Group[]; additive: boolean };
}

describe('GET /api/v1/costs', () => {
  it('charges failures to successes, and does not guess where a price is missing', async () => {
    const { groups, additive } = await costs('group_by=workflow');
    expect(additive).toBe(true);
    const refund = groups.find(({ key }) => key['workflow'] === 'refund');
    expect(refund).toMatchObject({ tasks: 3, successes: 2, unpriced_models: [] });
    expect(refund?.cost_usd).toBeCloseTo(0.011, 12);
    expect(refund?.cost_per_success_usd).toBeCloseTo(0.0055, 12);
    expect(refund?.wasted_usd).toBeCloseTo(0.006, 12);
    const search = groups.find(({ key }) => key['workflow'] === 'search');
    expect(search).toMatchObject({
      cost_usd: null,
      cost_per_success_usd: null,
      unpriced_models: ['m2'],
    });
  });

  it('says that groups over calls do not add up', async () => {
    const { groups, additive } = await costs('group_by=model');
    expect(additive).toBe(false);
    const m1 = groups.find(({ key }) => key['model'] === 'm1');
    expect(m1).toMatchObject({ tasks: 4, successes: 3 });
    expect(m1?.cost_usd).toBeCloseTo(0.012, 12);
  });

  it('groups by workflow and prompt at once', async () => {
    const { groups } = await costs('group_by=workflow,prompt&workflow=refund');
    const keys = groups.map(({ key, cost_usd }) => [key['prompt'], cost_usd?.toFixed(6)]);
    expect(keys).toEqual([
      ['r@v2', '0.007000'],
      ['r@v1', '0.004000'],
    ]);
  });

  it('gives the total without a group', async () => {
    const { groups } = await costs('group_by=&workflow=refund');
    expect(groups).toHaveLength(1);
    expect(groups[0]?.cost_usd).toBeCloseTo(0.011, 12);
  });
});

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const res = await app.request(path, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  return { status: res.status, body: (await res.json()) as Record<string, unknown> };
}

describe('POST /api/v1/outcomes', () => {
  it('changes cost per success at once, and a retry with the same key changes nothing', async () => {
    for (const _ of [1, 2]) {
      const answer = await post(
        '/api/v1/outcomes',
        { task_id: 'a2', outcome: 'failure', source: 'explicit' },
        { 'idempotency-key': 'k1' },
      );
      expect(answer).toEqual({ status: 201, body: { key: 'k1', applied: true } });
    }
    const refund = (await costs('workflow=refund')).groups[0];
    expect(refund).toMatchObject({ successes: 1 });
    expect(refund?.cost_per_success_usd).toBeCloseTo(0.011, 12);
  });

  it('keeps a verdict on a task that has not arrived: 202', async () => {
    const answer = await post('/api/v1/outcomes', { task_id: 'later', outcome: 'success' });
    expect(answer).toMatchObject({ status: 202, body: { applied: false } });
  });

  it.each([
    [{ outcome: 'success' }, 'task_id'],
    [{ task_id: 'a', ref: 'b', outcome: 'success' }, 'task_id'],
    [{ task_id: 'a', outcome: 'great' }, 'outcome'],
    [{ task_id: 'a', outcome: 'success', verdict: 1 }, 'verdict'],
  ])('refuses %j naming the field', async (body, parameter) => {
    expect(await post('/api/v1/outcomes', body)).toMatchObject({
      status: 400,
      body: { parameter },
    });
  });

  it('refuses a body that is not JSON', async () => {
    expect((await post('/api/v1/outcomes', '{nope')).status).toBe(400);
  });
});

it('an evaluation of a span is kept', async () => {
  const answer = await post('/api/v1/evaluations', {
    span_id: '00000000000000aa',
    name: 'helpfulness',
    score: 0.7,
  });
  expect(answer.status).toBe(201);
});

it('every documented route is in /openapi.json', async () => {
  const { paths } = (await get('/openapi.json')) as unknown as { paths: Record<string, object> };
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining([
      '/api/v1/tasks',
      '/api/v1/tasks/{id}',
      '/api/v1/costs',
      '/api/v1/slos',
      '/api/v1/drift',
      '/api/v1/outcomes',
    ]),
  );
});

describe('prices', () => {
  const group = async (query = '') => (await costs(`workflow=refund${query}`)).groups[0];
  const total = async (query = '') => (await group(query))?.cost_usd;
  const send = (method: string, body: unknown) =>
    app.request('/api/v1/prices', {
      method,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });

  it('an override with a past date changes yesterday at once, and taking it back restores it exactly', async () => {
    const all = await group();
    const before = await total();
    const place = { provider: 'p1', model: 'm1', valid_from: '2026-11-01T00:00:00Z' };
    const dearer = { ...place, tiers: [{ input_usd_per_mtok: 10, output_usd_per_mtok: 2 }] };
    expect((await send('PUT', dearer)).status).toBe(200);
    // 7500 input and 1750 output tokens of the sheet, now at $10 and $2 per million
    expect(await total()).toBeCloseTo(0.0785, 12);
    const { successes = 0, cost_per_success_usd: each } = (await group()) ?? {};
    expect(successes).toBeGreaterThan(0);
    expect(each).toBeCloseTo(0.0785 / successes, 12);
    expect(await total('&prices=2026-10-01')).toBe(before);
    const misdated = await send('DELETE', { ...place, valid_from: '2026-11-02T00:00:00Z' });
    expect(misdated.status).toBe(404);
    expect(await misdated.text()).toContain('there is one from');
    expect((await send('DELETE', place)).status).toBe(200);
    expect(await group()).toEqual(all);
  });

  it('of a file are replaced as a whole, below those of the API', async () => {
    const before = await total();
    const place = { provider: 'p1', model: 'm1', valid_from: new Date(0) };
    const tiers = [{ from_input_tokens: 0, input_usd_per_mtok: 100, output_usd_per_mtok: 0 }];
    await replaceFileOverrides(store, [{ ...place, project: '*', tiers, multipliers: {} }]);
    expect(await total()).toBeCloseTo(0.75, 12);
    await replaceFileOverrides(store, []);
    expect(await total()).toBe(before);
  });

  it('prices everything as another model would have', async () => {
    // gpt-4o: $2.50 and $10 per million
    expect(await total('&what_if_model=openai/gpt-4o')).toBeCloseTo(
      7500 * 2.5e-6 + 1750 * 1e-5,
      12,
    );
    expect(await total('&what_if_model=nobody/knows')).toBeNull();
    expect(await group('&what_if_model=nobody/knows')).toMatchObject({
      unpriced_models: ['knows'],
    });
  });

  it('lists what is priced, and the origin of each price', async () => {
    const { prices: listed } = (await get('/api/v1/prices')) as unknown as {
      prices: Record<string, unknown>[];
    };
    const m1 = listed.find(({ model }) => model === 'm1');
    expect(m1).toMatchObject({
      provider: 'p1',
      origin: 'list',
      priced: true,
      valid_from: '1970-01-01T00:00:00.000Z',
    });
    expect(m1?.['tiers']).toEqual([
      expect.objectContaining({
        from_input_tokens: 0,
        input_usd_per_mtok: 1,
        output_usd_per_mtok: 2,
      }),
    ]);
  });

  it('refuses a price that is not one, naming the field', async () => {
    const res = await send('PUT', {
      provider: 'p',
      model: 'm',
      tiers: [{ input_usd_per_mtok: -1 }],
    });
    expect(res.status).toBe(400);
    expect(await res.json()).toMatchObject({ parameter: 'tiers' });
  });
});
