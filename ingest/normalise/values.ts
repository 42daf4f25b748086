import type { Attribute, KeyValueList, Value } from '../otlp/model.ts';

/** Type codes of `attribute_types`; a string has no entry. */
export const typeCode = { bool: 1, int: 2, double: 3, array: 4, kvlist: 5, bytes: 6 } as const;

/** A value after JSON parsing: what transforms and message folding work on. */
export type Json =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };

/** DateTime64(9) ends on 2262-04-11; beyond it ClickHouse wraps without an error. */
const lastNanos = 9_223_372_036_000_000_000n;

/** The code of a value's type in `attribute_types`, 0 for a string and for an unset value. */
export function codeOf(value: Value): number {
  switch (typeof value) {
    case 'string':
      return 0;
    case 'boolean':
      return typeCode.bool;
    case 'bigint':
      return typeCode.int;
    case 'number':
      return typeCode.double;
    default:
      if (value === null) return 0;
      if (value instanceof Uint8Array) return typeCode.bytes;
      return isList(value) ? typeCode.array : typeCode.kvlist;
  }
}

/** An attribute's value as stored: scalars plain, bytes base64, arrays and kvlists JSON, an unset value empty. */
export function textOf(value: Value): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return value.toString();
    case 'number':
      return doubleText(value);
    default:
      if (value === null) return '';
      return value instanceof Uint8Array ? base64(value) : jsonText(value);
  }
}

/**
 * JSON of a composite value. A whole double keeps its `.0` so that it reads back as a double, and what JSON cannot say
 * (NaN, infinities, bytes) becomes a string.
 */
function jsonText(value: Value): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number': {
      const text = doubleText(value);
      if (!Number.isFinite(value)) return `"${text}"`;
      return /[.e]/.test(text) ? text : `${text}.0`;
    }
    case 'object': {
      if (value === null) return 'null';
      if (value instanceof Uint8Array) return `"${base64(value)}"`;
      if (isList(value)) return `[${value.map(jsonText).join(',')}]`;
      const members = value.entries.map((e) => `${JSON.stringify(e.key)}:${jsonText(e.value)}`);
      return `{${members.join(',')}}`;
    }
    default:
      return textOf(value);
  }
}

/** A value as plain JSON data. Objects have no prototype, so a key such as `__proto__` is only data. */
export function jsonOf(value: Value): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return base64(value);
  if (isList(value)) return value.map(jsonOf);
  const out: Record<string, Json> = Object.create(null);
  for (const entry of value.entries) out[entry.key] = jsonOf(entry.value);
  return out;
}

/** Parses JSON text; text that is no JSON gives undefined. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Narrows to a JSON object. */
export function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Narrows to a JSON array. */
export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** An own member, so that a hostile key never reaches a prototype. */
export function member(value: Json | undefined, key: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

/** A scalar as text, anything composite as JSON; undefined and null stay undefined. */
export function asText(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  return typeof value === 'object' ? writeJson(value) : String(value);
}

/** `JSON.stringify` for values that may hold a bigint, which it writes as a number. */
export function writeJson(value: Json): string {
  return JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? Number(v) : v));
}

function canonicalJson(value: Json): string {
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isObject(value)) return writeJson(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((k) => `${JSON.stringify(k)}:${canonicalJson(value[k] ?? null)}`).join(',')}}`;
}

/** JSON text with sorted keys; other text, and JSON nested beyond reason, as it is. */
export function canonicalText(text: string): string {
  const data = parseJson(text);
  if (!isObject(data) && !isArray(data)) return text;
  try {
    return canonicalJson(data);
  } catch (error) {
    if (error instanceof RangeError) return text;
    throw error;
  }
}

/** Nanoseconds that a DateTime64(9) can hold. */
export function clampNanos(nanos: bigint): bigint {
  if (nanos < 0n) return 0n;
  return nanos > lastNanos ? lastNanos : nanos;
}

/** Days since 1970 of a time in nanoseconds. */
export function dayOf(nanos: bigint): number {
  return Number(nanos / 86_400_000_000_000n);
}

/** The value of the first attribute with this key. */
export function attribute(attributes: readonly Attribute[], key: string): Value | undefined {
  for (const a of attributes) if (a.key === key) return a.value;
  return undefined;
}

/** Tells an array of values from a kvlist. */
export function isList(value: readonly Value[] | KeyValueList): value is readonly Value[] {
  return Array.isArray(value);
}

function doubleText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
