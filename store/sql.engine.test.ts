import { afterAll, beforeAll, expect, it } from 'vitest';
import { openEmbedded } from '../test/clickhouse/backends.ts';
import type { Store } from './connection.ts';
import { param, query, queryColumns, sql } from './sql.ts';

let store: Store;
beforeAll(async () => {
  store = await openEmbedded();
});
afterAll(() => store.close());

const texts = ['plain', 'naïve ☃ 👩‍🚀', 'a "quoted"\nline\\', '', '\u0000\u007f'];
const rowsOf = (values: readonly string[]) =>
  sql`SELECT text, toUInt64(number) AS n FROM (
      SELECT arrayJoin(arrayZip(${param('Array(String)', values)}, range(${param('UInt64', values.length)}))) AS pair,
        pair.1 AS text, pair.2 AS number)`;

it.each([
  ['ASCII alone', texts.slice(0, 1)],
  ['any text', texts],
])('reads %s by columns as by rows', async (_, values) => {
  const rows = await query<{ text: string; n: string }>(store, rowsOf(values));
  const columns = await queryColumns<{ text: string; n: string }>(store, rowsOf(values));
  expect(columns.of.text).toEqual(values);
  expect(columns.of.text.map((text, i) => ({ text, n: columns.of.n[i] }))).toEqual(rows);
  expect(columns.rows).toBe(values.length);
});

it('by columns reads of nothing that there is none, and tells of an error as by rows', async () => {
  expect(await queryColumns(store, rowsOf([]))).toMatchObject({ rows: 0 });
  const broken = sql`SELECT throwIf(1)`;
  await expect(query(store, broken)).rejects.toMatchObject({ code: '395' });
  await expect(queryColumns(store, broken)).rejects.toMatchObject({ code: '395' });
});
