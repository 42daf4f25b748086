import { maxDepth } from '../admission.ts';
import type { Attribute, KeyValueList, Scope, Value } from '../model.ts';
import { BadItem } from '../refusal.ts';
import {
  bytes,
  type Cursor,
  close,
  double,
  key,
  open,
  skip,
  tag,
  text,
  varint,
  varint64,
} from './cursor.ts';

/**
 * KeyValue, embedded.
 *
 *     1 key   string    10
 *     2 value AnyValue  18
 */
export function readAttribute(c: Cursor, depth = 1): Attribute {
  const outer = open(c);
  let name = '';
  let value: Value = null;
  while (c.pos < c.end) {
    const field = tag(c);
    switch (field) {
      case 10:
        name = key(c);
        break;
      case 18:
        value = readValue(c, depth);
        break;
      default:
        skip(c, field & 7);
    }
  }
  close(c, outer);
  return { key: name, value };
}

/**
 * AnyValue, embedded. A oneof: the last one on the wire counts, none means null.
 *
 *     1 string_value string        10
 *     2 bool_value   bool          16
 *     3 int_value    int64         24
 *     4 double_value double        33
 *     5 array_value  ArrayValue    42
 *     6 kvlist_value KeyValueList  50
 *     7 bytes_value  bytes         58
 */
export function readValue(c: Cursor, depth = 1): Value {
  if (depth > maxDepth) throw new BadItem('depth', `a value is nested deeper than ${maxDepth}`);
  const outer = open(c);
  let value: Value = null;
  while (c.pos < c.end) {
    const field = tag(c);
    switch (field) {
      case 10:
        value = text(c);
        break;
      case 16:
        value = varint(c) !== 0;
        break;
      case 24:
        value = BigInt.asIntN(64, varint64(c));
        break;
      case 33:
        value = double(c);
        break;
      case 42:
        value = readArray(c, depth + 1);
        break;
      case 50:
        value = readKeyValueList(c, depth + 1);
        break;
      case 58:
        value = bytes(c);
        break;
      default:
        skip(c, field & 7);
    }
  }
  close(c, outer);
  return value;
}

/**
 * ArrayValue, embedded.
 *
 *     1 values repeated AnyValue  10
 */
function readArray(c: Cursor, depth: number): Value[] {
  const outer = open(c);
  const values: Value[] = [];
  while (c.pos < c.end) {
    const field = tag(c);
    if (field === 10) values.push(readValue(c, depth));
    else skip(c, field & 7);
  }
  close(c, outer);
  return values;
}

/**
 * KeyValueList, embedded.
 *
 *     1 values repeated KeyValue  10
 */
function readKeyValueList(c: Cursor, depth: number): KeyValueList {
  const outer = open(c);
  const entries: Attribute[] = [];
  while (c.pos < c.end) {
    const field = tag(c);
    if (field === 10) entries.push(readAttribute(c, depth));
    else skip(c, field & 7);
  }
  close(c, outer);
  return { entries };
}

/**
 * Resource, embedded: its attributes.
 *
 *     1 attributes repeated KeyValue  10
 */
export function readResource(c: Cursor): Attribute[] {
  const outer = open(c);
  const attributes: Attribute[] = [];
  while (c.pos < c.end) {
    const field = tag(c);
    if (field === 10) attributes.push(readAttribute(c));
    else skip(c, field & 7);
  }
  close(c, outer);
  return attributes;
}

/**
 * InstrumentationScope, embedded.
 *
 *     1 name       string             10
 *     2 version    string             18
 *     3 attributes repeated KeyValue  26
 */
export function readScope(c: Cursor): Scope {
  const outer = open(c);
  let name = '';
  let version = '';
  const attributes: Attribute[] = [];
  while (c.pos < c.end) {
    const field = tag(c);
    switch (field) {
      case 10:
        name = text(c);
        break;
      case 18:
        version = text(c);
        break;
      case 26:
        attributes.push(readAttribute(c));
        break;
      default:
        skip(c, field & 7);
    }
  }
  close(c, outer);
  return { name, version, attributes };
}
