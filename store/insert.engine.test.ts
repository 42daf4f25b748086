import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backends } from '../test/clickhouse/backends.ts';
import type { Store } from './connection.ts';
import { encode, insert, insertBlocks } from './insert.ts';
import { param, query, sql } from './sql.ts';
import { type MessageRow, messages } from './tables/messages.ts';
import { type SpanRow, spans } from './tables/spans.ts';
import type { Table } from './tables/table.ts';
import { tables } from './verify.ts';

/** What goes in, and what ClickHouse must print for it as JSON: written by hand, apart from the encoder. */
type Sample = readonly [value: unknown, printed: unknown];
type Kind = 'zero' | 'hostile' | 'largest';

const HOSTILE = `'; DROP TABLE spans; --\\'"\`\0\n\t\u{1F4A5}é${'ß'.repeat(43)}${'x'.repeat(20_000)}`;

const SCALARS: Record<string, Record<Kind, Sample>> = {
  String: { zero: ['', ''], hostile: [HOSTILE, HOSTILE], largest: ['\u{10FFFF}', '\u{10FFFF}'] },
  UInt8: { zero: [0, 0], hostile: [1, 1], largest: [255, 255] },
  UInt16: { zero: [0, 0], hostile: [256, 256], largest: [65_535, 65_535] },
  UInt32: { zero: [0, 0], hostile: [65_536, 65_536], largest: [4_294_967_295, 4_294_967_295] },
  UInt64: {
    zero: [0n, '0'],
    hostile: [9_007_199_254_740_993n, '9007199254740993'],
    largest: [18_446_744_073_709_551_615n, '18446744073709551615'],
  },
  Float64: { zero: [0, 0], hostile: [-0.1, -0.1], largest: [Number.MAX_VALUE, Number.MAX_VALUE] },
  Date: {
    zero: [0, '1970-01-01'],
    hostile: [20_454, '2026-01-01'],
    largest: [65_535, '2149-06-06'],
  },
  Int32: {
    zero: [0, 0],
    hostile: [-2_147_483_648, -2_147_483_648],
    largest: [2_147_483_647, 2_147_483_647],
  },
  Int64: {
    zero: [0n, '0'],
    hostile: [-9_223_372_036_854_775_808n, '-9223372036854775808'],
    largest: [9_223_372_036_854_775_807n, '9223372036854775807'],
  },
  "DateTime64(9, 'UTC')": {
    zero: [0n, '1970-01-01 00:00:00.000000000'],
    hostile: [1_767_225_599_999_999_999n, '2025-12-31 23:59:59.999999999'],
    largest: [4_102_444_800_000_000_001n, '2100-01-01 00:00:00.000000001'],
  },
  "DateTime64(6, 'UTC')": {
    zero: [0n, '1970-01-01 00:00:00.000000'],
    hostile: [1_767_225_599_999_999n, '2025-12-31 23:59:59.999999'],
    largest: [4_102_444_800_000_001n, '2100-01-01 00:00:00.000001'],
  },
  "DateTime64(3, 'UTC')": {
    zero: [0n, '1970-01-01 00:00:00.000'],
    hostile: [1_767_225_599_999n, '2025-12-31 23:59:59.999'],
    largest: [4_102_444_800_001n, '2100-01-01 00:00:00.001'],
  },
};

function sampleOf(type: string, kind: Kind): Sample {
  const scalar = SCALARS[type];
  if (scalar) return scalar[kind];
  const inner = /^\w+\((.*)\)$/.exec(type)?.[1] ?? '';
  if (type.startsWith('LowCardinality(')) return sampleOf(inner, kind);
  if (type.startsWith('SimpleAggregateFunction(')) return sampleOf(inner.slice(5), kind);
  if (type.startsWith('Nullable(')) return kind === 'zero' ? [null, null] : sampleOf(inner, kind);
  if (type.startsWith('Array(')) return arraySample(inner, kind);
  if (type.startsWith('Map(LowCardinality(String), ')) return mapSample(inner.slice(24), kind);
  if (type.startsWith('Tuple(')) return tupleSample(inner, kind);
  throw new Error(`no sample for ${type}`);
}

function arraySample(inner: string, kind: Kind): Sample {
  if (kind === 'zero') return [[], []];
  const samples = [sampleOf(inner, kind), sampleOf(inner, 'zero'), sampleOf(inner, kind)];
  return [samples.map((one) => one[0]), samples.map((one) => one[1])];
}

function mapSample(inner: string, kind: Kind): Sample {
  if (kind === 'zero') return [[], {}];
  const [value, printed] = sampleOf(inner, kind);
  const keys = ['__proto__', 'constructor', "a'b\\c", ''];
  return [
    keys.map((key) => [key, value]),
    Object.fromEntries(keys.map((key) => [key, printed] as const)),
  ];
}

function tupleSample(inner: string, kind: Kind): Sample {
  const elements = inner.split(', ').map((element) => element.split(' '));
  const samples = elements.map(([name, type]) => [name ?? '', sampleOf(type ?? '', kind)] as const);
  return [
    samples.map(([, [value]]) => value),
    Object.fromEntries(samples.map(([name, [, printed]]) => [name, printed])),
  ];
}

function rowOf(table: Table<never>, kind: Kind, project: string) {
  const cells = Object.entries<string>(table.columns).map(([name, type]): [string, Sample] => {
    if (name === 'project') return [name, [project, project]];
    if (name === 'deleted') return [name, [0, 0]];
    return [name, sampleOf(type, kind)];
  });
  return {
    row: Object.fromEntries(cells.map(([name, [value]]) => [name, value])),
    printed: Object.fromEntries(cells.map(([name, [, printed]]) => [name, printed])),
  };
}

for (const backend of backends) {
  describe(`insert on ${backend.name}`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await backend.open();
    });
    afterAll(() => store?.close());

    const rows = (project: string) =>
      query<{ n: string }>(
        store,
        sql`SELECT count() AS n FROM messages WHERE project = ${param('String', project)}`,
      ).then(([row]) => Number(row?.n));

    // Rows are told apart by their project here; workflow_settings has none; the spec of boundaries writes it.
    const owned = tables.filter((table) => 'project' in table.columns);
    for (const table of owned as readonly Table<never>[]) {
      it(`writes ${table.name} so that the engine reads the same values`, async () => {
        const kinds = ['zero', 'hostile', 'largest'] as const;
        const samples = kinds.map((kind) => rowOf(table, kind, kind));
        await insert(store, table, samples.map((sample) => sample.row) as never[]);
        for (const [i, kind] of kinds.entries()) {
          const found = await store.client.query({
            query: `SELECT ${Object.keys(table.columns)
              .map((name) => `\`${name}\``)
              .join(', ')} FROM ${table.name} WHERE project = '${kind}'`,
            format: 'JSONEachRow',
          });
          expect(await found.json()).toEqual([samples[i]?.printed]);
        }
      });
    }

    it('splits by rows and by bytes and loses nothing', async () => {
      const many: MessageRow[] = Array.from({ length: 20_001 }, (_, i) => message('many', i, 'x'));
      await insert(store, messages, many);
      expect(await rows('many')).toBe(20_001);
      const big = 'y'.repeat(25 * 1024 * 1024);
      const heavy = [0, 1, 2].map((i) => message('heavy', i, big));
      await insert(store, messages, heavy);
      expect(await rows('heavy')).toBe(3);
    });

    it('takes more blocks than one call of the system does', async () => {
      const rows = Array.from({ length: 2500 }, (_, i) => ({
        project: 'blocks',
        day: 20_000,
        trace_id: String(i),
        hash: BigInt(i),
        content: 'x',
      }));
      await insertBlocks(
        store,
        messages,
        rows.flatMap((row) => [...encode(messages, [row])]),
      );
      const [count] = await query<{ n: string; last: string }>(
        store,
        sql`SELECT uniqExact(trace_id) AS n, max(hash) AS last FROM messages WHERE project = 'blocks'`,
      );
      expect(count).toEqual({ n: '2500', last: '2499' });
    });

    it('inserts once for one token, also when the insert was split', async () => {
      const some = Array.from({ length: 20_005 }, (_, i) => message('token', i, 'x'));
      await insert(store, messages, some, "a'b");
      await insert(store, messages, some, "a'b");
      expect(await rows('token')).toBe(20_005);
      await insert(store, messages, [message('token', 7, 'x')], 'another');
      expect(await rows('token')).toBe(20_006);
    });

    it('takes one batch that spans more than a hundred days', async () => {
      const days = Array.from({ length: 150 }, (_, i) => ({ ...message('days', i, 'x'), day: i }));
      await insert(store, messages, days);
      expect(await rows('days')).toBe(150);
    });

    it('writes nothing and says which column when a value does not fit', async () => {
      const row = { ...rowOf(spans as Table<never>, 'zero', 'bad').row, flags: 2 ** 32 };
      await expect(insert(store, spans, [row as unknown as SpanRow])).rejects.toThrow(
        /spans\.flags \(UInt32\)/,
      );
      const missing = { ...row, flags: 1, name: undefined } as unknown as SpanRow;
      await expect(insert(store, spans, [missing])).rejects.toThrow(/spans\.name \(String\)/);
    });

    it('writes no row at all for no rows', async () => {
      await insert(store, messages, []);
      expect(await rows('none')).toBe(0);
    });
  });
}

function message(project: string, i: number, content: string): MessageRow {
  return { project, day: 20_000, trace_id: `t${i}`, hash: BigInt(i), content };
}
