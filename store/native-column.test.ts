import { describe, expect, it } from 'vitest';
import { ByteWriter } from './bytes.ts';
import { nativeColumn } from './native-column.ts';

type Pairs = readonly (readonly [string, string])[];

/** ClickHouse's Native format of the type, written down plainly: the oracle of the fast writers. */
function plainText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

function plainMap(rows: readonly Pairs[]): Buffer {
  let end = 0n;
  const offsets = rows.map((row) => {
    end += BigInt(row.length);
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(end);
    return bytes;
  });
  const pairs = rows.flat();
  const side = (i: 0 | 1) => pairs.map((pair) => plainText(pair[i]));
  return Buffer.concat([...offsets, ...side(0), ...side(1)]);
}

function written(type: string, values: readonly unknown[]): Buffer {
  const out = new ByteWriter(1);
  nativeColumn(type).write(out, values);
  return Buffer.from(out.bytes());
}

/** Mulberry32, so that a failure can be repeated. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const texts = ['', '', 'a', 'b', 'ß', '🜚', 'key'.repeat(14), 'x'.repeat(43), 'é'.repeat(300)];

describe('texts that repeat', () => {
  it.each(['String', 'LowCardinality(String)'])('are written as each by itself: %s', (type) => {
    for (let seed = 0; seed < 300; seed += 1) {
      const random = randomOf(seed);
      const values = Array.from({ length: random(40) }, () => texts[random(texts.length)] ?? '');
      expect(written(type, values).equals(Buffer.concat(values.map(plainText)))).toBe(true);
    }
  });

  it('must still be texts', () => {
    expect(() => written('String', ['a', 1])).toThrow(RangeError);
    expect(() => written('String', [undefined, undefined])).toThrow(RangeError);
  });
});

/** Fixed-width values one by one. */
function plainNumbers(type: string, values: readonly (number | bigint)[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(8);
      if (type === 'Float64') bytes.writeDoubleLE(Number(value));
      else bytes.writeBigUInt64LE(BigInt(value));
      return type === 'UInt16' ? bytes.subarray(0, 2) : bytes;
    }),
  );
}

describe('columns in which most or all values say nothing', () => {
  it.each(['UInt16', 'UInt64', 'Float64', 'DateTime64(9)'])(
    'are written as each by itself: Nullable and Array of %s',
    (type) => {
      const some = (n: number) => (/64$|64\(/.test(type) && type !== 'Float64' ? BigInt(n) : n);
      for (let seed = 0; seed < 200; seed += 1) {
        const random = randomOf(seed);
        // Every third column is all null, or all empty.
        const share = seed % 3 === 0 ? 0 : random(4);
        const values = Array.from({ length: random(30) }, () =>
          random(4) < share ? some(random(60_000)) : null,
        );
        const plain = values.map((value) => value ?? some(0));
        const nulls = Buffer.from(values.map((value) => (value === null ? 1 : 0)));
        const nullable = Buffer.concat([nulls, plainNumbers(type, plain)]);
        expect(written(`Nullable(${type})`, values).equals(nullable)).toBe(true);
        const lists = values.map((value) => (value === null ? [] : [value, value]));
        const ends = lists.map((_, i) => BigInt(lists.slice(0, i + 1).flat().length));
        const array = Buffer.concat([
          plainNumbers('UInt64', ends),
          plainNumbers(type, lists.flat()),
        ]);
        expect(written(`Array(${type})`, lists).equals(array)).toBe(true);
      }
    },
  );

  it('are zeros of one byte where the values are texts', () => {
    expect(written('Nullable(String)', [null, null])).toEqual(Buffer.from([1, 1, 0, 0]));
  });
});

describe('maps that repeat keys, or all of another row', () => {
  it('are written as each by itself', () => {
    for (let seed = 0; seed < 500; seed += 1) {
      const random = randomOf(seed);
      const pairsOf = (keys: readonly string[]): Pairs =>
        keys.map((key) => [key, texts[random(texts.length)] ?? '']);
      const keySets = [[], ['a'], ['a', 'b', 'c'], ['a', 'b', 'ü'], ['b', 'a', 'c'], ['a', 'a']];
      const rows: Pairs[] = [];
      for (let n = random(30); n > 0; n -= 1) {
        const before = rows.at(-1);
        const isShared = before !== undefined && random(3) === 0;
        rows.push(isShared ? before : pairsOf(keySets[random(keySets.length)] ?? []));
      }
      const bytes = written('Map(LowCardinality(String), String)', rows);
      expect(bytes.equals(plainMap(rows))).toBe(true);
    }
  });

  it('must still be lists of pairs of texts', () => {
    expect(() => written('Map(String, String)', ['text'])).toThrow(RangeError);
    expect(() => written('Map(String, String)', [[['a', 1]]])).toThrow(RangeError);
    expect(() => written('Map(String, String)', [[[1, 'a']]])).toThrow(RangeError);
  });
});
