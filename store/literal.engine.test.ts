import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded } from '../test/clickhouse/backends.ts';
import type { Store } from './connection.ts';
import { literal } from './literal.ts';
import { param } from './sql.ts';

// Signs that mean something to a lexer, in every order of four of them, and what is long or of several bytes.
const signs = [
  "'",
  '\\',
  '`',
  '"',
  '\0',
  '\n',
  '--',
  '/*',
  '{p:String}',
  ';',
  '\u2019',
  '\ud800',
  'é🙂',
  "\\'",
];

function* texts(): Generator<string> {
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let i = 0; i < 2000; i += 1) {
    yield Array.from({ length: 1 + next(5) }, () => signs[next(signs.length)]).join('');
  }
  yield 'x'.repeat(300_000);
}

describe('literal, in the engine', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openEmbedded();
  });
  afterAll(() => store.close());

  async function read(query: string, params?: Record<string, unknown>): Promise<unknown> {
    const result = await store.client.query({
      query,
      format: 'JSONEachRow',
      ...(params && { query_params: params }),
    });
    return await result.json();
  }

  it('is the text that was given, whatever it holds', async () => {
    const all = [...texts()];
    const [row] = (await read(`SELECT ${literal('Array(String)', all)} AS v`)) as [{ v: string[] }];
    expect(row.v).toEqual(all.map((text) => text.toWellFormed()));
    for (const text of all.slice(0, 100)) {
      const [one] = (await read(`SELECT ${literal('String', text)} AS v, 1 AS whole`)) as [object];
      expect(one).toEqual({ v: text.toWellFormed(), whole: 1 });
    }
  });

  it.each([
    ['UInt8', 255],
    ['UInt64', 18446744073709551615n],
    ['Int64', -9223372036854775808n],
    ['Float64', -1.5e-7],
    ['Float64', 123456789.25],
    ['Nullable(Float64)', null],
    ['Date', new Date('2026-01-02T03:04:05.678Z')],
    ['DateTime64(3)', new Date('2026-01-02T03:04:05.678Z')],
    ["DateTime64(9, 'UTC')", '2026-01-02 03:04:05.123456789'],
    ['Array(Date)', [new Date('2026-01-02T03:04:05.678Z')]],
    ['Array(Int64)', [-1n, 2n]],
    ['Array(String)', []],
  ])('of the type %s is what the parameter %s is', async (type, value) => {
    const given = param(type, value);
    const columns = (v: string) => `SELECT ${v} AS v, toTypeName(v) AS type`;
    expect(await read(columns(literal(type, given.value)))).toEqual(
      await read(columns(`{p:${type}}`), { p: given.value }),
    );
  });
});
