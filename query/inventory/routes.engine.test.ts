import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../store/connection.ts';
import { insert } from '../../store/insert.ts';
import { replaceFileRates } from '../../store/prices/rates.ts';
import { outcomes } from '../../store/tables/outcomes.ts';
import { prices } from '../../store/tables/prices.ts';
import { tasks } from '../../store/tables/tasks.ts';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import { type Call, outcomeRow, priceRow, taskRow } from '../../test/clickhouse/rows.ts';
import { parsePrices } from '../prices/schema.ts';
import { onError } from '../problem.ts';
import { inventoryRoutes } from './routes.ts';

const now = new Date('2026-03-11T00:00:00Z');
const range = 'from=2026-03-01T00:00:00Z&to=2026-03-11T00:00:00Z';

// The sheet. gpt-4o: 1 USD per million input tokens; `mystery` has no price.
//   a refund, success: gpt-4o 1 USD, gpt-4o of azure 2 USD; search, search (error), mail; 60 s; a person took over
//   b refund, failure: gpt-4o 4 USD (error); search; 20 s
//   c refund, no verdict: gpt-4o 8 USD; 100 s
//   d order, success: mystery (unpriced), 50 input and 7 output tokens; mail (error); 10 s
//   e refund, success, synthetic: gpt-4o 16 USD
const gpt = (usd: number, more: Call = {}): Call => ({ input: usd * 1e6, output: 0, ...more });
const tool = (name: string, error_by = ''): Call => ({ kind: 'tool', name, error_by });

function rows() {
  const row = (id: string, seconds: number, calls: readonly Call[], fields = {}) =>
    taskRow(
      {
        task_id: id,
        started: '2026-03-05T08:00:00Z',
        ended: new Date(Date.parse('2026-03-05T08:00:00Z') + seconds * 1000).toISOString(),
        calls,
      },
      { workflow: 'refund', tool_errors: calls.filter(failedTool).length, ...fields },
    );
  const azure = gpt(2, { provider: 'azure' });
  const mystery = { name: 'mystery', provider: '', input: 50, output: 7 };
  return [
    row('a', 60, [gpt(1), azure, tool('search'), tool('search', 'span'), tool('mail')], {
      escalated: 1,
    }),
    row('b', 20, [gpt(4, { error_by: 'span' }), tool('search')]),
    row('c', 100, [gpt(8)]),
    row('d', 10, [mystery, tool('mail', 'content')], { workflow: 'order' }),
    row('e', 10, [gpt(16)], { traffic: 'synthetic' }),
  ];
}

function failedTool({ kind, error_by }: Call): boolean {
  return kind === 'tool' && error_by !== '';
}

describe('what was seen', () => {
  let store: Store;
  const app = new Hono();
  beforeAll(async () => {
    store = await openEmbedded();
    const tier = [0, 1, 1, 1, 1, 1] as const;
    await insert(store, prices, [
      priceRow('gpt-4o', '2026-01-01T00:00:00Z', [tier]),
      { ...priceRow('gpt-4o', '2026-01-01T00:00:00Z', [tier]), provider: 'azure' },
    ]);
    await insert(store, tasks, rows());
    await insert(
      store,
      outcomes,
      ['a', 'b', 'd', 'e'].map((task_id) =>
        outcomeRow({
          key: task_id,
          task_id,
          at: 1_772_900_000_000_000n,
          outcome: task_id === 'b' ? 'failure' : 'success',
        }),
      ),
    );
    app.onError(onError(() => {}));
    app.route('/', inventoryRoutes({ store, project: () => 'p', now: () => now }));
  });
  afterAll(() => store.close());

  const get = async (path: string) =>
    (await (await app.request(`/api/v1/${path}`)).json()) as Record<string, unknown>;

  it('of workflows is what the sheet says', async () => {
    const { workflows, next_cursor } = await get(`workflows?${range}`);
    expect(next_cursor).toBeNull();
    const order = { workflow: 'order', tasks: 1, successes: 1, failures: 0, success_ratio: 1 };
    const refund = { workflow: 'refund', tasks: 3, successes: 1, failures: 1, success_ratio: 0.5 };
    expect(workflows).toEqual([
      {
        ...{ ...order, label_coverage_ratio: 1, escalated: 0 },
        ...{ llm_calls: 1, tool_calls: 1, tool_errors: 1, tool_error_ratio: 1 },
        ...{ cost_usd: null, cost_usd_known: 0 },
        ...{ duration_p50_ms: 10_000, duration_p95_ms: 10_000 },
        last_seen_at: '2026-03-05T08:00:10.000000000Z',
      },
      {
        ...{ ...refund, label_coverage_ratio: 2 / 3, escalated: 1 },
        ...{ llm_calls: 4, tool_calls: 4, tool_errors: 1, tool_error_ratio: 0.25 },
        ...{ cost_usd: 15, cost_usd_known: 15 },
        ...{ duration_p50_ms: 60_000, duration_p95_ms: 100_000 },
        last_seen_at: '2026-03-05T08:01:40.000000000Z',
      },
    ]);
  });

  it('of tools is what the sheet says, without a cost until there are rates', async () => {
    const search = { tool: 'search', tasks: 2, calls: 3, errors: 1, error_ratio: 1 / 3 };
    const mail = { tool: 'mail', tasks: 2, calls: 2, errors: 1, error_ratio: 0.5 };
    expect((await get(`tools?${range}`))['tools']).toMatchObject([
      { ...mail, cost_usd: null, cost_usd_known: 0 },
      { ...search, cost_usd: null, cost_usd_known: 0 },
    ]);
    const file = 'rates:\n  - { kind: tool, tool: search, usd_per_call: 0.1 }';
    await replaceFileRates(store, parsePrices(file).rates);
    expect((await get(`tools?${range}`))['tools']).toMatchObject([
      { ...mail, cost_usd: 0 },
      { ...search, cost_usd: 0.3, cost_usd_known: 0.3 },
    ]);
  });

  it('of models is what the sheet says, by provider', async () => {
    const { models } = await get(`models?${range}`);
    const gpt4o = { model: 'gpt-4o', output_tokens: 0 };
    expect(models).toMatchObject([
      {
        ...{ ...gpt4o, provider: 'azure', tasks: 1, calls: 1, errors: 0, error_ratio: 0 },
        ...{ cost_usd: 2, input_tokens: 2e6 },
      },
      {
        ...{ ...gpt4o, provider: 'openai', tasks: 3, calls: 3, errors: 1, error_ratio: 1 / 3 },
        ...{ cost_usd: 13, input_tokens: 13e6, duration_p50_ms: 1, duration_p95_ms: 1 },
      },
      {
        ...{ model: 'mystery', provider: null, tasks: 1, calls: 1, cost_usd: null },
        ...{ cost_usd_known: 0, input_tokens: 50, output_tokens: 7 },
      },
    ]);
  });

  it('pages in order of names, and is narrowed by workflow and traffic', async () => {
    const names = async (path: string) =>
      ((await get(path))['models'] as Record<string, unknown>[]).map(
        ({ model, provider }) => `${model} ${provider}`,
      );
    const { next_cursor: first } = await get(`models?${range}&limit=1`);
    expect(await names(`models?${range}&limit=1&cursor=${first}`)).toEqual(['gpt-4o openai']);
    expect(await names(`models?${range}&workflow=order`)).toEqual(['mystery null']);
    const { workflows } = await get(`workflows?${range}&traffic=synthetic`);
    expect(workflows).toMatchObject([{ workflow: 'refund', tasks: 1, cost_usd: 16 }]);
    expect((await app.request('/api/v1/tools?cursor=x')).status).toBe(400);
  });
});
