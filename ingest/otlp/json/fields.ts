import type { Rule } from '../model.ts';
import { BadItem } from '../refusal.ts';

/**
 * A JSON object as parsed. Only names known in advance are read from it, so `__proto__` and its kin stay data
 * (`JSON.parse` makes them own properties).
 */
export type Fields = Readonly<Record<string, unknown>>;

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;
const uint64Max = 2n ** 64n - 1n;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function fieldsOf(value: unknown, name: string): Fields {
  if (!isFields(value)) throw wrongType(name, 'an object');
  return value;
}

/** A field under its lowerCamelCase name or its proto name; null is unset, as in proto JSON. */
export function field(from: Fields, camel: string, snake = camel): unknown {
  const value = Object.hasOwn(from, camel) ? from[camel] : undefined;
  if (value !== undefined && value !== null) return value;
  if (snake === camel || !Object.hasOwn(from, snake)) return undefined;
  return from[snake] ?? undefined;
}

export function listField(from: Fields, camel: string, snake = camel): readonly unknown[] {
  const value = field(from, camel, snake);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrongType(camel, 'a list');
  return value;
}

export function textField(from: Fields, camel: string, snake = camel): string {
  const value = field(from, camel, snake);
  if (value === undefined) return '';
  if (typeof value !== 'string') throw wrongType(camel, 'a string');
  return value;
}

/** Hex of `size` bytes in either case, or unset. */
export function idField(
  from: Fields,
  camel: string,
  snake: string,
  size: number,
  rule: Rule,
): string {
  const value = field(from, camel, snake) ?? '';
  if (value === '') return '';
  if (typeof value !== 'string' || value.length !== size * 2 || !/^[0-9a-f]+$/i.test(value)) {
    throw new BadItem(rule, `${rule} is not ${size * 2} hex digits`);
  }
  return value.toLowerCase();
}

/** Nanoseconds: fixed64, as decimal string or number. */
export function timeField(from: Fields, camel: string, snake: string): bigint {
  const value = field(from, camel, snake);
  if (value === undefined) return 0n;
  const time = integerOf(value);
  if (time === undefined) throw wrongType(camel, 'an integer');
  if (time < 0n || time > uint64Max) throw new BadItem('time', `${camel} is beyond 64 bits`);
  return time;
}

/** An enum as number, decimal string or name; a name that we do not know is 0, the unspecified value. */
export function enumField(
  from: Fields,
  camel: string,
  snake: string,
  names: ReadonlyMap<string, number>,
): number {
  const value = field(from, camel, snake);
  if (value === undefined) return 0;
  const integer = integerOf(value);
  if (integer !== undefined) return Number(BigInt.asIntN(32, integer));
  if (typeof value !== 'string') throw wrongType(camel, 'an integer or a name');
  return names.get(value.toUpperCase()) ?? 0;
}

/** An unsigned 32-bit field, such as flags. */
export function uint32Field(from: Fields, camel: string): number {
  const value = field(from, camel);
  if (value === undefined) return 0;
  const integer = integerOf(value);
  if (integer === undefined) throw wrongType(camel, 'an integer');
  return Number(BigInt.asUintN(32, integer));
}

/**
 * int64, exact from a string; a JSON number beyond 2^53 has lost its last digits before we see it. What is no int64 (JavaScript
 * SDKs send 1e300 as an `intValue`) is kept as it came.
 */
export function int64Of(value: unknown, name: string): bigint | number | string {
  const integer = integerOf(value);
  if (integer !== undefined && integer >= int64Min && integer <= int64Max) return integer;
  if (typeof value !== 'number' && typeof value !== 'string') throw wrongType(name, 'an integer');
  return value;
}

/** An unsigned 64-bit count, as decimal string or number. */
export function uint64Of(value: unknown, name: string): bigint {
  const integer = integerOf(value);
  if (integer === undefined || integer < 0n || integer > uint64Max) {
    throw wrongType(name, 'an unsigned 64-bit integer');
  }
  return integer;
}

export function wrongType(name: string, expected: string): BadItem {
  return new BadItem('type', `${name} is not ${expected}`);
}

function integerOf(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  // The length is bounded because BigInt() takes quadratic time.
  if (typeof value !== 'string' || !/^-?\d{1,20}$/.test(value)) return undefined;
  return BigInt(value);
}
