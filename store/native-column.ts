import type { ByteWriter } from './bytes.ts';

/** How the values of one type are written, all values of a column at a time. */
export interface NativeColumn {
  /** The type announced in the block. */
  readonly type: string;
  readonly write: (out: ByteWriter, values: readonly unknown[]) => void;
}

/**
 * The writer of a ClickHouse type as spelt in the tables: `String`, `UIntN`, `Int32`, `Int64`, `Float64`, `Date`, `DateTime64(n, …)`,
 * `LowCardinality`, `SimpleAggregateFunction`, `Nullable`, `Array`, `Map` and `Tuple` of these.
 *
 * @throws Error on a type it does not know.
 */
export function nativeColumn(type: string): NativeColumn {
  const open = type.indexOf('(');
  const name = open < 0 ? type : type.slice(0, open);
  const inner = open < 0 ? [] : splitArguments(type.slice(open + 1, -1));
  switch (name) {
    case 'LowCardinality':
      return nativeColumn(argument(inner, 0, type));
    case 'SimpleAggregateFunction':
      return nativeColumn(argument(inner, 1, type));
    case 'Nullable':
      return nullable(nativeColumn(argument(inner, 0, type)));
    case 'Array':
      return array(nativeColumn(argument(inner, 0, type)));
    case 'Map':
      return map(nativeColumn(argument(inner, 0, type)), nativeColumn(argument(inner, 1, type)));
    case 'Tuple':
      return tuple(inner);
    default:
      return { type, write: scalar(name) };
  }
}

function argument(list: readonly string[], index: number, type: string): string {
  const found = list[index];
  if (found === undefined) throw new Error(`incomplete type ${type}`);
  return found;
}

/** Splits at commas outside parentheses and quotes. */
function splitArguments(list: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < list.length; i++) {
    const char = list[i];
    if (char === '(') depth++;
    else if (char === ')') depth--;
    else if (char === ',' && depth === 0) {
      parts.push(list.slice(from, i).trim());
      from = i + 1;
    }
  }
  parts.push(list.slice(from).trim());
  return parts;
}

type Write = NativeColumn['write'];

function scalar(name: string): Write {
  switch (name) {
    case 'String':
      return texts;
    case 'UInt8':
      return each(integerUpTo(0xff), (out, value) => out.u8(value));
    case 'UInt16':
    case 'Date':
      return each(integerUpTo(0xffff), (out, value) => out.u16(value));
    case 'UInt32':
      return each(integerUpTo(0xffff_ffff), (out, value) => out.u32(value));
    case 'UInt64':
      return each(bigintBetween(0n, 2n ** 64n - 1n), (out, value) => out.u64(value));
    case 'Int32':
      return each(int32, (out, value) => out.u32(value >>> 0));
    case 'Int64':
    case 'DateTime64':
      return each(bigintBetween(-(2n ** 63n), 2n ** 63n - 1n), (out, value) => out.i64(value));
    case 'Float64':
      return each(asNumber, (out, value) => out.f64(value));
    default:
      throw new Error(`no Native writer for ${name}`);
  }
}

function each<T>(check: (value: unknown) => T, write: (out: ByteWriter, value: T) => void): Write {
  return (out, values) => {
    for (const value of values) write(out, check(value));
  };
}

/**
 * Most columns hold one text for many rows, often the empty one: copying its bytes is three times as fast as writing it
 * again, and all of a run at once ten times.
 */
function texts(out: ByteWriter, values: readonly unknown[]): void {
  let i = 0;
  while (i < values.length) {
    const value = values[i];
    const from = out.length;
    out.text(asText(value));
    const first = i;
    do i += 1;
    while (i < values.length && values[i] === value);
    const times = i - first - 1;
    if (times > 0) out.repeat(from, out.length - from, times);
  }
}

function asText(value: unknown): string {
  if (typeof value !== 'string') throw new RangeError(`not a string: ${typeof value}`);
  return value;
}

function asNumber(value: unknown): number {
  if (typeof value !== 'number') throw new RangeError(`not a number: ${typeof value}`);
  return value;
}

function integerUpTo(max: number): (value: unknown) => number {
  return (value) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) {
      return value;
    }
    throw new RangeError(`not an integer from 0 to ${max}: ${String(value)}`);
  };
}

function int32(value: unknown): number {
  if (typeof value === 'number' && value === (value | 0)) return value;
  throw new RangeError(`not a 32-bit integer: ${String(value)}`);
}

function bigintBetween(min: bigint, max: bigint): (value: unknown) => bigint {
  return (value) => {
    if (typeof value === 'bigint' && value >= min && value <= max) return value;
    throw new RangeError(`not a bigint from ${min} to ${max}: ${String(value)}`);
  };
}

/** One byte per value that says null, then all values with a default in the nulls' places. */
function nullable(inner: NativeColumn): NativeColumn {
  const filler = zeroOf(inner.type);
  const width = widthOf(inner.type);
  return {
    type: `Nullable(${inner.type})`,
    write(out, values) {
      let nulls = 0;
      for (const value of values) {
        const isNull = value === null;
        if (isNull) nulls += 1;
        out.u8(isNull ? 1 : 0);
      }
      // Most such columns say nothing in most blocks.
      if (nulls === values.length) out.zeros(nulls * width);
      else
        inner.write(
          out,
          values.map((value) => (value === null ? filler : value)),
        );
    },
  };
}

/** Bytes of a default. */
function widthOf(type: string): number {
  switch (type.split('(', 1)[0]) {
    case 'String':
    case 'UInt8':
      return 1;
    case 'UInt16':
    case 'Date':
      return 2;
    case 'UInt32':
    case 'Int32':
      return 4;
    default:
      return 8;
  }
}

function zeroOf(type: string): string | number | bigint {
  if (type === 'String') return '';
  return type === 'UInt64' || type === 'Int64' || type.startsWith('DateTime64') ? 0n : 0;
}

/** The running total of lengths, then all elements as one column. */
function array(inner: NativeColumn): NativeColumn {
  return {
    type: `Array(${inner.type})`,
    write(out, values) {
      inner.write(out, flatten(out, values));
    },
  };
}

function flatten(out: ByteWriter, values: readonly unknown[]): unknown[] {
  const elements: unknown[] = [];
  if (values.every(isNothing)) {
    out.zeros(8 * values.length);
    return elements;
  }
  for (const value of values) {
    if (!Array.isArray(value)) throw new RangeError(`not an array: ${typeof value}`);
    for (const element of value) elements.push(element);
    out.u64Number(elements.length);
  }
  return elements;
}

function isNothing(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** An array of pairs, keys and values as two columns. */
function map(keys: NativeColumn, values: NativeColumn): NativeColumn {
  const type = `Map(${keys.type}, ${values.type})`;
  if (keys.write === texts && values.write === texts) return { type, write: textMap };
  return {
    type,
    write(out, rows) {
      const pairs = flatten(out, rows);
      keys.write(out, at(pairs, 0));
      values.write(out, at(pairs, 1));
    },
  };
}

type Texts = readonly (readonly [unknown, unknown])[];

/**
 * {@link map} of texts, without lists of all pairs, keys and values in between: attributes are most of what is written.
 * A row of the same pairs, such as the resource that spans share, or of the same keys repeats the bytes of the row before.
 */
function textMap(out: ByteWriter, rows: readonly unknown[]): void {
  let pairs = 0;
  for (const row of rows) {
    if (!Array.isArray(row)) throw new RangeError(`not an array: ${typeof row}`);
    pairs += row.length;
    out.u64Number(pairs);
  }
  const maps = rows as readonly Texts[];
  writeSide(out, maps, 0, sameKeys);
  writeSide(out, maps, 1, (a, b) => a === b);
}

function writeSide(
  out: ByteWriter,
  maps: readonly Texts[],
  side: 0 | 1,
  same: (a: Texts, b: Texts) => boolean,
): void {
  let last: Texts = [];
  let from = out.length;
  let size = 0;
  for (const map of maps) {
    if (same(map, last)) {
      out.repeat(from, size);
      continue;
    }
    from = out.length;
    for (const pair of map) out.text(asText(pair[side]));
    size = out.length - from;
    last = map;
  }
}

function sameKeys(a: Texts, b: Texts): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i]?.[0] !== b[i]?.[0]) return false;
  return true;
}

/** One column per element. Elements are named (`input Float64`) in our tables, which the block repeats. */
function tuple(elements: readonly string[]): NativeColumn {
  const columns = elements.map((element) => {
    const space = element.indexOf(' ');
    const name = element.slice(0, space);
    const column = nativeColumn(element.slice(space + 1));
    return { type: `${name} ${column.type}`, write: column.write };
  });
  return {
    type: `Tuple(${columns.map((column) => column.type).join(', ')})`,
    write(out, values) {
      columns.forEach((column, i) => {
        column.write(out, at(values, i));
      });
    },
  };
}

function at(values: readonly unknown[], index: number): unknown[] {
  return values.map((value) => {
    if (!Array.isArray(value)) throw new RangeError(`not an array: ${typeof value}`);
    return value[index];
  });
}
