import { maxElements } from '../admission.ts';
import type { Decoded } from '../model.ts';
import { BadItem, BadRequest } from '../refusal.ts';
import {
  addBatch,
  decoded,
  type ListNames,
  newTally,
  type ReadItems,
  refuse,
  spoil,
  type Tally,
} from '../tally.ts';
import { type Fields, field, fieldsOf, isFields, listField } from './fields.ts';
import { hasTooMany } from './size.ts';
import { attributesField, readScope } from './value.ts';

type ReadItem<Item> = ReadItems<Fields, Item>;

/** An Export…ServiceRequest. Unknown fields are ignored on every level. */
export function readRequest<Item>(
  body: Uint8Array,
  names: ListNames,
  readItem: ReadItem<Item>,
): Decoded<Item> {
  const request = parse(body);
  const tally = newTally<Item>(names);
  for (const resource of topList(request, names.resources)) {
    tally.resource += 1;
    tally.scope = -1;
    readResourceItems(resource, tally, readItem);
  }
  return decoded(tally);
}

function parse(body: Uint8Array): Fields {
  if (hasTooMany(body, maxElements)) {
    throw new BadRequest('body', `more than ${maxElements} members and values`);
  }
  let request: unknown;
  try {
    const { buffer, byteOffset, byteLength } = body;
    request = JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString('utf8'));
  } catch {
    // The parser's own message quotes the body, which may hold prompts.
    throw new BadRequest('body', 'not JSON');
  }
  if (!isFields(request)) throw new BadRequest('body', 'not a JSON object');
  return request;
}

function topList(request: Fields, name: string): readonly unknown[] {
  try {
    return listField(request, name, snakeOf(name));
  } catch (thrown) {
    if (thrown instanceof BadItem) throw new BadRequest('body', thrown.what);
    throw thrown;
  }
}

function readResourceItems<Item>(
  value: unknown,
  tally: Tally<Item>,
  readItem: ReadItem<Item>,
): void {
  const { scopes } = tally.names;
  try {
    const from = fieldsOf(value, 'element');
    const holder = field(from, 'resource');
    const resource =
      holder === undefined ? [] : attributesField(fieldsOf(holder, 'resource'), 'attributes');
    for (const scope of listField(from, scopes, snakeOf(scopes))) {
      tally.scope += 1;
      tally.item = -1;
      const group = fieldsOf(scope, scopes);
      const items = readItems(group, tally, readItem);
      addBatch(tally, { resource, scope: readScope(field(group, 'scope')), items });
    }
  } catch (thrown) {
    spoil(tally, 'resource or scope', thrown);
  }
}

function readItems<Item>(group: Fields, tally: Tally<Item>, readItem: ReadItem<Item>): Item[] {
  const { items: name } = tally.names;
  const items: Item[] = [];
  for (const value of listField(group, name, snakeOf(name))) {
    tally.item += 1;
    tally.point = -1;
    try {
      readItem(fieldsOf(value, 'element'), items, tally);
    } catch (thrown) {
      refuse(tally, thrown);
    }
  }
  return items;
}

function snakeOf(camel: string): string {
  return camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
