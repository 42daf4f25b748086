import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded } from '../test/clickhouse/backends.ts';
import type { Store } from './connection.ts';
import { openBeside } from './embedded.ts';
import { command, param, query, sql } from './sql.ts';

describe('openBeside', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openEmbedded();
  });
  afterAll(() => store.close());

  it('answers while the store itself is busy', async () => {
    const beside = await openBeside(store, 1);
    const order: string[] = [];
    const slow = query(store, sql`SELECT sleep(0.4)`).then(() => order.push('slow'));
    const quick = query(beside, sql`SELECT ${param('String', 'x')}`).then(() =>
      order.push('quick'),
    );
    await Promise.all([slow, quick]);
    expect(order).toEqual(['quick', 'slow']);
    await beside.close();
  });

  it('sees at once what the store has written, by the same settings', async () => {
    const beside = await openBeside(store, 2);
    await command(store, sql`CREATE TABLE seen (n UInt64, time DateTime) ENGINE = Memory`);
    await command(
      store,
      sql`INSERT INTO seen VALUES (18446744073709551615, '2026-01-02 03:04:05')`,
    );
    const rows = await Promise.all(
      [1, 2, 3].map(() => query(beside, sql`SELECT n, time FROM seen`)),
    );
    expect(rows).toEqual(
      Array(3).fill([{ n: '18446744073709551615', time: '2026-01-02 03:04:05' }]),
    );
    await beside.close();
  });

  it('gives its questions as many threads as it is told to, and only its own', async () => {
    const threads = async (of: Store) => {
      const setting = sql`SELECT value FROM system.settings WHERE name = 'max_threads'`;
      return (await query<{ value: string }>(of, setting))[0]?.value;
    };
    const beside = await openBeside(store, 1, 3);
    expect(await threads(beside)).toBe('3');
    expect(await threads(store)).not.toBe('3');
    await beside.close();
  });

  it('has as many questions under way as it has connections, and goes on after one that fails', async () => {
    const beside = await openBeside(store, 2);
    const { lend } = beside;
    if (lend === undefined) throw new Error('nothing to lend');
    let under = 0;
    let most = 0;
    const ask = (n: number) =>
      lend(async (client) => {
        under += 1;
        most = Math.max(most, under);
        try {
          await client.command({ query: n === 1 ? 'SELECT throwIf(1)' : 'SELECT sleep(0.01)' });
        } finally {
          under -= 1;
        }
      });
    const answers = await Promise.allSettled([0, 1, 2, 3, 4, 5].map(ask));
    const failed = answers.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []));
    expect(failed).toEqual([1]);
    expect(most).toBe(2);
    await beside.close();
  });

  it('leaves the store open when it is closed', async () => {
    const beside = await openBeside(store, 1);
    await beside.close();
    expect(await query(store, sql`SELECT 1 AS one`)).toEqual([{ one: 1 }]);
  });
});
