import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../store/connection.ts';
import { insert } from '../../store/insert.ts';
import { replaceFileOverrides } from '../../store/prices/override.ts';
import { replaceFileRates } from '../../store/prices/rates.ts';
import { outcomes } from '../../store/tables/outcomes.ts';
import { prices } from '../../store/tables/prices.ts';
import { taskDays } from '../../store/tables/task-days.ts';
import { tasks } from '../../store/tables/tasks.ts';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import { type Call, outcomeRow, priceRow, taskRow } from '../../test/clickhouse/rows.ts';
import { ratesRoutes } from '../prices/rates.ts';
import { parsePrices } from '../prices/schema.ts';
import { onError } from '../problem.ts';
import { tasksRoutes } from '../tasks/routes.ts';
import { costsRoutes } from './routes.ts';

const now = new Date('2026-03-11T00:00:00Z');
const range = 'from=2026-03-01T00:00:00Z&to=2026-03-11T00:00:00Z';
const model = (usd: number): Call => ({
  start: '2026-03-05T09:00:00Z',
  input: usd * 1e6,
  output: 0,
});
const tool = (name: string, start = '2026-03-05T09:00:00Z'): Call => ({
  kind: 'tool',
  name,
  start,
});

// The sheet. Models: 1 USD per million input tokens. search: 0.10 per call, 0.20 from 6 March; any other tool 0.01.
// People: 0.50 per minute, in `refund` 2.00. Overheads: refund 100 over 10 days, of which 5 lie in the range.
//   a refund ok:     model 1, search + search + other = 0.21, 3 minutes at 2.00 = 6
//   b refund failed: model 2, search on the 7th 0.20, no waiting
//   c other ok:      model 4, no tools, 30 s at 0.50 = 0.25
const file = `
rates:
  - { kind: tool, tool: search, usd_per_call: 0.1 }
  - { kind: tool, usd_per_call: 0.01 }
  - { kind: human, usd_per_minute: 0.5 }`;

describe('rates', () => {
  let store: Store;
  const app = new Hono();
  beforeAll(async () => {
    store = await openEmbedded();
    await insert(store, prices, [priceRow('gpt-4o', '2026-01-01T00:00:00Z', [[0, 1, 1, 1, 1, 1]])]);
    const row = (id: string, workflow: string, calls: readonly Call[], minutes: number) =>
      taskRow(
        { task_id: id, started: '2026-03-05T08:00:00Z', ended: '2026-03-07T10:00:00Z', calls },
        { workflow, human_wait_ms: minutes * 60_000 },
      );
    const made = [
      row('a', 'refund', [model(1), tool('search'), tool('search'), tool('mail')], 3),
      row('b', 'refund', [model(2), tool('search', '2026-03-07T09:00:00Z')], 0),
      row('c', 'other', [model(4)], 0.5),
    ];
    await insert(store, tasks, made);
    await insert(store, taskDays, made);
    app.onError(onError(() => {}));
    await insert(
      store,
      outcomes,
      ['a', 'b', 'c'].map((task_id) =>
        outcomeRow({
          key: task_id,
          task_id,
          at: 1_772_900_000_000_000n,
          outcome: task_id === 'b' ? 'failure' : 'success',
        }),
      ),
    );
    const context = { store, project: () => 'p', now: () => now };
    for (const routes of [costsRoutes, tasksRoutes, ratesRoutes]) app.route('/', routes(context));
  });
  afterAll(() => store.close());

  const get = async (path: string) => (await app.request(path)).json() as Promise<unknown>;
  const put = (body: object, method = 'PUT') =>
    app.request('/api/v1/rates', {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const groups = async (query: string) =>
    ((await get(`/api/v1/costs?${range}&${query}`)) as { groups: Record<string, unknown>[] })
      .groups;
  const workflow = async (name: string, query: string) =>
    (await groups(query)).find(({ key }) => (key as { workflow?: string }).workflow === name);

  it('are unknown until they are set, and leave the cost of models alone', async () => {
    expect(await get('/api/v1/tasks/a')).toMatchObject({
      cost_usd: 1,
      tool_cost_usd: null,
      human_cost_usd: null,
    });
    expect((await groups('group_by=&include=tools,human'))[0]).toMatchObject({ cost_usd: 7 });
  });

  it('of a file and of the API cost what the sheet says, per task and per success', async () => {
    await replaceFileRates(store, parsePrices(file).rates);
    const search = { kind: 'tool', tool: 'search', usd_per_call: 0.2 };
    expect((await put({ ...search, valid_from: '2026-03-06T00:00:00Z' })).status).toBe(200);
    const human = { kind: 'human', workflow: 'refund', usd_per_minute: 2 };
    expect((await put(human)).status).toBe(200);
    const overhead = {
      ...{ kind: 'overhead', workflow: 'refund', label: 'retraining', usd: 100 },
      ...{ valid_from: '2026-03-06T00:00:00Z', valid_to: '2026-03-16T00:00:00Z' },
    };
    expect((await put(overhead)).status).toBe(200);

    const task = async (id: string) => {
      const one = (await get(`/api/v1/tasks/${id}`)) as Record<string, number>;
      return [one['cost_usd'], one['tool_cost_usd'], one['human_cost_usd']];
    };
    expect(await task('a')).toEqual([1, expect.closeTo(0.21, 12), 6]);
    expect(await task('b')).toEqual([2, expect.closeTo(0.2, 12), 0]);
    expect(await task('c')).toEqual([4, 0, 0.25]);

    expect(await workflow('refund', 'group_by=workflow')).toMatchObject({
      cost_usd: 3,
      cost_per_success_usd: 3,
      wasted_usd: 2,
      tool_cost_usd: null,
      human_cost_usd: null,
      overhead_usd: null,
    });
    expect(await workflow('refund', 'group_by=workflow&include=tools,human')).toMatchObject({
      cost_usd: 9.41,
      cost_per_task_usd: 4.705,
      cost_per_success_usd: 9.41,
      wasted_usd: 2.2,
      tool_cost_usd: 0.41,
      human_cost_usd: 6,
    });
    const all = 'include=tools,human,overheads';
    expect(await workflow('refund', `group_by=workflow&${all}`)).toMatchObject({
      cost_usd: 59.41,
      cost_per_success_usd: 59.41,
      overhead_usd: 50,
    });
    expect(await workflow('other', `group_by=workflow&${all}`)).toMatchObject({ cost_usd: 4.25 });
    expect((await groups(`group_by=&${all}`))[0]).toMatchObject({
      cost_usd: 63.66,
      cost_per_success_usd: 31.83,
    });
  });

  it('of tools go to the tools', async () => {
    const found = await groups('group_by=tool&include=tools');
    expect(found.map(({ key, cost_usd }) => [(key as { tool: string }).tool, cost_usd])).toEqual([
      ['search', 0.4],
      ['mail', 0.01],
    ]);
  });

  it('that are taken back leave no trace, and those of a file go with it', async () => {
    await put({ kind: 'human', workflow: 'refund', usd_per_minute: 2 }, 'DELETE');
    expect(await get('/api/v1/tasks/a')).toMatchObject({ human_cost_usd: 1.5 });
    await replaceFileRates(store, []);
    expect(await get('/api/v1/tasks/a')).toMatchObject({ human_cost_usd: null, tool_cost_usd: 0 });
    const { rates } = (await get('/api/v1/rates')) as { rates: object[] };
    expect(rates).toMatchObject([
      { kind: 'overhead', workflow: 'refund', usd: 100 },
      { kind: 'tool', tool: 'search', usd_per_call: 0.2, origin: 'api' },
    ]);
  });

  it('refuses overheads where no part of them can be told', async () => {
    const answer = await app.request(`/api/v1/costs?${range}&group_by=model&include=overheads`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ parameter: 'include' });
  });

  it('of every project are below those of the own one', async () => {
    const price = { provider: 'openai', model: 'gpt-4o', multipliers: {} };
    const of = (project: string, usd: number) => ({
      ...{ ...price, project, valid_from: new Date(0) },
      tiers: [{ from_input_tokens: 0, input_usd_per_mtok: usd, output_usd_per_mtok: 0 }],
    });
    await replaceFileOverrides(store, [of('*', 10)]);
    expect(await get('/api/v1/tasks/a')).toMatchObject({ cost_usd: 10 });
    await replaceFileOverrides(store, [of('p', 20), of('*', 10)]);
    expect(await get('/api/v1/tasks/a')).toMatchObject({ cost_usd: 20 });
    await replaceFileOverrides(store, [of('q', 20), of('*', 10)]);
    expect(await get('/api/v1/tasks/a')).toMatchObject({ cost_usd: 10 });
    await replaceFileOverrides(store, []);
    expect(await get('/api/v1/tasks/a')).toMatchObject({ cost_usd: 1 });
  });
});
