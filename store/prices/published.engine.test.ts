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

describe('the cost of a call', () => {
  let store: Store;
  let number = 0;
  beforeAll(async () => {
    store = await openEmbedded();
  });
  afterAll(() => store?.close());

  async function costOf(provider: string, model: string, call: Call, whatIf = ''): Promise<Cost> {
    number += 1;
    const task_id = `t${number}`;
    await ensurePrices(store, 'p', [{ provider, model }]);
    const calls = [{ provider, name: model, ...call }];
    await insert(store, tasks, [taskRow({ task_id, started: AT, ended: AT, calls })]);
    const [row] = await query<Cost>(
      store,
      sql`SELECT cost_usd, cost_usd_known, unpriced_models FROM tasks_v(project = 'p', from = '2026-10-01 00:00:00.000',
        to = '2026-10-02 00:00:00.000', now = '2026-11-01 00:00:00.000', prices_at = 'as_of_call',
        what_if = ${param('String', whatIf)}) WHERE task_id = ${param('String', task_id)}`,
    );
    if (row === undefined) throw new Error(task_id);
    return row;
  }

  // By hand, from the amounts on the vendors' pages (store/prices/service-tiers.ts), in millionths of a USD.
  it.each<[string, string, string, Call, number]>([
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
  ])(
    'of %s %s at the tier "%s" is what the vendor publishes',
    async (provider, model, tier, call, micro) => {
      const cost = await costOf(provider, model, { ...call, service_tier: tier });
      expect(cost.cost_usd).toBeCloseTo(micro / 1e6, 12);
      expect(cost.unpriced_models).toEqual([]);
    },
  );

  it('of a batch is half with both kinds of cache writes', async () => {
    const call = { input: 10_000, read: 6_000, write: 3_000, write_1h: 2_000, output: 1_000 };
    const full = 1000 * 3 + 6000 * 0.3 + 1000 * 3.75 + 2000 * 6 + 1000 * 15;
    const model = 'claude-sonnet-4-5';
    expect((await costOf('anthropic', model, call)).cost_usd).toBeCloseTo(full / 1e6, 12);
    const batch = await costOf('anthropic', model, { ...call, service_tier: 'batch' });
    expect(batch.cost_usd).toBeCloseTo(full / 2e6, 12);
  });

  it.each([
    ['anthropic', 'claude-sonnet-4-5', 'priority'],
    ['openai', 'gpt-5', 'scale'],
    ['openai', 'gpt-5-nano', 'priority'],
    ['azure.ai.openai', 'gpt-4o', 'priority'],
    ['aws.bedrock', 'amazon.nova-pro-v1:0', 'flex'],
    ['gcp.gemini', 'gemini-3-pro-preview', 'priority'],
  ])(
    'of %s %s at the tier "%s", which nobody publishes, is unknown and listed',
    async (provider, model, tier) => {
      expect(await costOf(provider, model, { ...K, service_tier: tier })).toEqual({
        cost_usd: null,
        cost_usd_known: 0,
        unpriced_models: [`${model} (${tier})`],
      });
    },
  );

  it('takes an override’s factor, and the list’s for a tier that it does not name', async () => {
    const [provider, model] = ['openai', 'gpt-4.1'];
    const tiers = [{ from_input_tokens: 0, input_usd_per_mtok: 1, output_usd_per_mtok: 4 }];
    const place = { provider, model, valid_from: new Date(0), tiers };
    const override = overrideRow('p', 'api', { ...place, multipliers: { Scale: 3 } });
    await insert(store, prices, [override]);
    const usd = async (service_tier: string) =>
      (await costOf(provider, model, { input: 1e6, output: 0, service_tier })).cost_usd;
    expect(await usd('default')).toBeCloseTo(1, 12);
    expect(await usd('scale')).toBeCloseTo(3, 12);
    expect(await usd('flex')).toBeCloseTo(0.5, 12);
    expect(await usd('priority')).toBeCloseTo(1.75, 12);
    expect(await usd('express')).toBeNull();
  });

  it('of another model is asked at its list price when it has no such tier', async () => {
    const call = { input: 1e6, output: 0, service_tier: 'scale' };
    await ensurePrices(store, 'p', [{ provider: 'openai', model: 'gpt-4o' }]);
    const asked = await costOf('openai', 'gpt-5', call, 'openai\0gpt-4o');
    expect(asked.cost_usd).toBeCloseTo(2.5, 12);
  });
});
