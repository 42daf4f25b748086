import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import { type Call, taskRow } from '../../test/clickhouse/rows.ts';
import type { Store } from '../connection.ts';
import { insert } from '../insert.ts';
import { param, query, sql } from '../sql.ts';
import { prices } from '../tables/prices.ts';
import { tasks } from '../tables/tasks.ts';
import { ensurePrices } from './ensure.ts';
import { overrideRow } from './override.ts';

interface Cost {
  readonly cost_usd: number | null;
  readonly cost_usd_known: number;
  readonly unpriced_models: readonly string[];
}

const AT = '2026-10-01T10:00:00Z';

/** 6,000 tokens of fresh input, 4,000 from the cache, 1,000 of output. */
const K = { input: 10_000, read: 4_000, output: 1_000 };
/** 200,000 of fresh input, 100,000 from the cache, 1,000 of output. */
const LONG = { input: 300_000, read: 100_000, output: 1_000 };

// By hand, from the amounts on the vendors' pages (store/prices/service-tiers.ts), in millionths of a USD.
const PUBLISHED: readonly (readonly [string, string, string, Call, number])[] = [
  ['openai', 'gpt-5', 'default', K, 6000 * 1.25 + 4000 * 0.125 + 1000 * 10],
  ['openai', 'gpt-5', 'auto', K, 6000 * 1.25 + 4000 * 0.125 + 1000 * 10],
  ['openai', 'gpt-5', 'flex', K, 6000 * 0.625 + 4000 * 0.0625 + 1000 * 5],
  ['openai', 'gpt-5-2025-08-07', 'priority', K, 6000 * 2.5 + 4000 * 0.25 + 1000 * 20],
  ['openai', 'gpt-5-mini', 'priority', K, 6000 * 0.45 + 4000 * 0.045 + 1000 * 3.6],
  ['openai.responses', 'gpt-4.1', 'priority', K, 6000 * 3.5 + 4000 * 0.875 + 1000 * 14],
  ['openai', 'gpt-4.1-nano', 'priority', K, 6000 * 0.2 + 4000 * 0.05 + 1000 * 0.8],
  ['openai', 'gpt-4o', 'priority', K, 6000 * 4.25 + 4000 * 2.125 + 1000 * 17],
  ['openai', 'gpt-4o-mini', 'PRIORITY', K, 6000 * 0.25 + 4000 * 0.125 + 1000],
  ['openai', 'o4-mini', 'fast', K, 6000 * 2 + 4000 * 0.5 + 1000 * 8],
  ['openai', 'o3', 'priority', K, 6000 * 3.5 + 4000 * 0.875 + 1000 * 14],
  ['openai', 'gpt-5.5', 'priority', K, 6000 * 12.5 + 4000 * 1.25 + 1000 * 75],
  ['openai', 'gpt-5.6-sol', 'default', LONG, 200_000 * 8 + 100_000 * 0.8 + 1000 * 30],
  ['openai', 'gpt-5.6-sol', 'fast', LONG, 200_000 * 16 + 100_000 * 1.6 + 1000 * 60],
  ['azure.ai.openai', 'gpt-4o', 'batch', { input: 10_000, output: 1_000 }, 10_000 * 1.25 + 5000],
  ['anthropic', 'claude-sonnet-4-5', 'standard', LONG, 200_000 * 6 + 100_000 * 0.6 + 22_500],
  ['anthropic', 'claude-opus-4-8', 'fast', K, 6000 * 10 + 4000 * 1 + 1000 * 50],
  ['anthropic', 'claude-opus-4-6', 'fast', K, 6000 * 30 + 4000 * 3 + 1000 * 150],
  ['gcp.gemini', 'gemini-2.5-pro', 'priority', K, 6000 * 2.25 + 4000 * 0.225 + 1000 * 18],
  ['gcp.gemini', 'gemini-2.5-pro', 'priority', LONG, 200_000 * 4.5 + 100_000 * 0.45 + 27_000],
  ['gcp.gemini', 'gemini-2.5-pro', 'flex', K, 6000 * 0.625 + 4000 * 0.125 + 1000 * 5],
  ['gcp.vertex_ai', 'gemini-2.5-flash', 'batch', K, 6000 * 0.15 + 4000 * 0.03 + 1000 * 1.25],
  ['groq', 'openai/gpt-oss-120b', 'flex', K, 6000 * 0.15 + 4000 * 0.075 + 1000 * 0.6],
  ['groq', 'openai/gpt-oss-120b', 'on_demand', K, 6000 * 0.15 + 4000 * 0.075 + 1000 * 0.6],
];

const UNPUBLISHED: readonly (readonly [string, string, string])[] = [
  ['anthropic', 'claude-sonnet-4-5', 'priority'],
  ['openai', 'gpt-5', 'scale'],
  ['openai', 'gpt-5-nano', 'priority'],
  ['azure.ai.openai', 'gpt-4o', 'priority'],
  ['aws.bedrock', 'amazon.nova-pro-v1:0', 'flex'],
  ['gcp.gemini', 'gemini-3-pro-preview', 'priority'],
];

/** A call as the id of a task that holds it alone. */
const keyOf = (call: Call) => JSON.stringify(call);

describe('the cost of a call', () => {
  let store: Store;
  let seen: ReadonlyMap<string, Cost>;
  beforeAll(async () => {
    store = await openEmbedded();
    seen = await costsOf([
      ...PUBLISHED.map(([provider, name, service_tier, call]) => ({
        provider,
        name,
        ...call,
        service_tier,
      })),
      ...UNPUBLISHED.map(([provider, name, service_tier]) => ({
        provider,
        name,
        ...K,
        service_tier,
      })),
    ]);
  });
  afterAll(() => store?.close());

  async function costsOf(calls: readonly Call[], whatIf = ''): Promise<Map<string, Cost>> {
    const pairs = calls.map(({ provider = '', name = '' }) => ({ provider, model: name }));
    await ensurePrices(store, 'p', pairs);
    const rows = calls.map((call) =>
      taskRow({ task_id: keyOf(call), started: AT, ended: AT, calls: [call] }),
    );
    await insert(store, tasks, rows);
    const found = await query<Cost & { task_id: string }>(
      store,
      sql`SELECT task_id, cost_usd, cost_usd_known, unpriced_models FROM tasks_v(project = 'p',
        from = '2026-10-01 00:00:00.000', to = '2026-10-02 00:00:00.000', now = '2026-11-01 00:00:00.000',
        prices_at = 'as_of_call', what_if = ${param('String', whatIf)})`,
    );
    return new Map(found.map(({ task_id, ...cost }) => [task_id, cost]));
  }

  it.each(PUBLISHED)(
    'of %s %s at the tier "%s" is what the vendor publishes',
    (provider, name, service_tier, call, micro) => {
      const cost = seen.get(keyOf({ provider, name, ...call, service_tier }));
      expect(cost?.cost_usd).toBeCloseTo(micro / 1e6, 12);
      expect(cost?.unpriced_models).toEqual([]);
    },
  );

  it('of a batch is half with both kinds of cache writes', async () => {
    const call = { input: 10_000, read: 6_000, write: 3_000, write_1h: 2_000, output: 1_000 };
    const full = 1000 * 3 + 6000 * 0.3 + 1000 * 3.75 + 2000 * 6 + 1000 * 15;
    const standard = { provider: 'anthropic', name: 'claude-sonnet-4-5', ...call };
    const batch = { ...standard, service_tier: 'batch' };
    const costs = await costsOf([standard, batch]);
    expect(costs.get(keyOf(standard))?.cost_usd).toBeCloseTo(full / 1e6, 12);
    expect(costs.get(keyOf(batch))?.cost_usd).toBeCloseTo(full / 2e6, 12);
  });

  it.each(UNPUBLISHED)(
    'of %s %s at the tier "%s", which nobody publishes, is unknown and listed',
    (provider, name, service_tier) => {
      expect(seen.get(keyOf({ provider, name, ...K, service_tier }))).toEqual({
        cost_usd: null,
        cost_usd_known: 0,
        unpriced_models: [`${name} (${service_tier})`],
      });
    },
  );

  it('takes an override’s factor, and the list’s for a tier that it does not name', async () => {
    const [provider, model] = ['openai', 'gpt-4.1'];
    const tiers = [{ from_input_tokens: 0, input_usd_per_mtok: 1, output_usd_per_mtok: 4 }];
    const place = { provider, model, valid_from: new Date(0), tiers };
    const override = overrideRow('p', 'api', { ...place, multipliers: { Scale: 3 } });
    await insert(store, prices, [override]);
    const at = (service_tier: string) => ({
      provider,
      name: model,
      input: 1e6,
      output: 0,
      service_tier,
    });
    const names = ['default', 'scale', 'flex', 'priority', 'express'];
    const costs = await costsOf(names.map(at));
    const usd = names.map((name) => costs.get(keyOf(at(name)))?.cost_usd);
    expect(usd).toEqual([1, 3, 0.5, 1.75, null].map((cost) => cost && expect.closeTo(cost, 12)));
  });

  it('of another model is asked at its list price when it has no such tier', async () => {
    const call = {
      provider: 'openai',
      name: 'gpt-5',
      input: 1e6,
      output: 0,
      service_tier: 'scale',
    };
    await ensurePrices(store, 'p', [{ provider: 'openai', model: 'gpt-4o' }]);
    const asked = await costsOf([call], 'openai\0gpt-4o');
    expect(asked.get(keyOf(call))?.cost_usd).toBeCloseTo(2.5, 12);
  });
});
