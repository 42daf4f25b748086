import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import type { Store } from '../connection.ts';
import { param, query, sql } from '../sql.ts';
import { ensurePrices } from './ensure.ts';

describe('ensurePrices', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openEmbedded();
  });
  afterAll(() => store?.close());

  // Without FINAL: every row ever written counts.
  const written = (model: string) =>
    query(
      store,
      sql`SELECT project, provider, toString(valid_from) AS valid_from, priced, length(tiers) AS tiers
        FROM prices WHERE model = ${param('String', model)} ORDER BY project, valid_from`,
    );

  it('writes each price with its date, once', async () => {
    const pair = { provider: 'openai', model: 'o3' };
    await ensurePrices(store, 'p', [pair, pair]);
    await ensurePrices(store, 'p', [pair]);
    const common = { project: 'p', provider: 'openai', priced: 1, tiers: '1' };
    expect(await written('o3')).toEqual([
      { ...common, valid_from: '1970-01-01 00:00:00.000' },
      { ...common, valid_from: '2025-06-10 00:00:00.000' },
    ]);
  });

  it('keeps projects apart', async () => {
    const pair = { provider: 'openai', model: 'gpt-4o' };
    await ensurePrices(store, 'a', [pair]);
    await ensurePrices(store, 'b', [pair]);
    expect(await written('gpt-4o')).toMatchObject([{ project: 'a' }, { project: 'b' }]);
  });

  it('notes a model without a price, and nothing for a call that names none', async () => {
    await ensurePrices(store, 'p', [
      { provider: 'openai', model: "my'model" },
      { provider: 'openai', model: '' },
    ]);
    expect(await written("my'model")).toMatchObject([{ priced: 0, tiers: '0' }]);
    expect(await written('')).toEqual([]);
  });
});
