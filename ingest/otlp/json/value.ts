import { maxDepth } from '../admission.ts';
import type { Attribute, Scope, Value } from '../model.ts';
import { BadItem } from '../refusal.ts';
import {
  type Fields,
  field,
  fieldsOf,
  int64Of,
  listField,
  textField,
  wrongType,
} from './fields.ts';

/** A list of KeyValues. */
export function attributesField(from: Fields, name: string, depth = 1, snake = name): Attribute[] {
  return listField(from, name, snake).map((entry) => readAttribute(entry, depth));
}

function readAttribute(entry: unknown, depth: number): Attribute {
  const from = fieldsOf(entry, 'attribute');
  return { key: textField(from, 'key'), value: readValue(field(from, 'value'), depth) };
}

/** AnyValue; none of its fields set means null. */
export function readValue(value: unknown, depth = 1): Value {
  if (value === undefined || value === null) return null;
  if (depth > maxDepth) throw new BadItem('depth', `a value is nested deeper than ${maxDepth}`);
  const from = fieldsOf(value, 'value');
  const string = field(from, 'stringValue', 'string_value');
  if (string !== undefined) {
    if (typeof string !== 'string') throw wrongType('stringValue', 'a string');
    return string;
  }
  return readScalar(from) ?? readNested(from, depth + 1);
}

function readScalar(from: Fields): Value | undefined {
  const bool = field(from, 'boolValue', 'bool_value');
  if (bool !== undefined) {
    if (typeof bool !== 'boolean') throw wrongType('boolValue', 'a boolean');
    return bool;
  }
  const int = field(from, 'intValue', 'int_value');
  if (int !== undefined) return int64Of(int, 'intValue');
  const double = field(from, 'doubleValue', 'double_value');
  if (double !== undefined) return doubleOf(double);
  const bytes = field(from, 'bytesValue', 'bytes_value');
  if (bytes === undefined) return undefined;
  if (typeof bytes !== 'string') throw wrongType('bytesValue', 'base64');
  // A copy, so that the value does not keep Node's shared pool alive. Takes base64url too.
  return new Uint8Array(Buffer.from(bytes, 'base64'));
}

function readNested(from: Fields, depth: number): Value {
  const array = field(from, 'arrayValue', 'array_value');
  if (array !== undefined) {
    const values = listField(fieldsOf(array, 'arrayValue'), 'values');
    return values.map((value) => readValue(value, depth));
  }
  const list = field(from, 'kvlistValue', 'kvlist_value');
  if (list === undefined) return null;
  // The bare list is what opentelemetry-proto's own example of an event has.
  const holder = Array.isArray(list) ? { values: list } : fieldsOf(list, 'kvlistValue');
  return { entries: attributesField(holder, 'values', depth) };
}

const notNumbers: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

export function doubleOf(value: unknown, name = 'doubleValue'): number {
  if (typeof value === 'number') return value;
  const special = notNumbers.get(value);
  if (special !== undefined) return special;
  const parsed = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (Number.isNaN(parsed)) {
    throw wrongType(name, 'a number');
  }
  return parsed;
}

export function readScope(value: unknown): Scope {
  const from = value === undefined ? {} : fieldsOf(value, 'scope');
  return {
    name: textField(from, 'name'),
    version: textField(from, 'version'),
    attributes: attributesField(from, 'attributes'),
  };
}
