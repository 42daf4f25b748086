import type { Attribute, Decoded, Scope } from '../model.ts';
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
import { type Cursor, close, cursor, open, skip, tag } from './cursor.ts';
import { readResource, readScope } from './value.ts';

type ReadItem<Item> = ReadItems<Cursor, Item>;

const noScope: Scope = { name: '', version: '', attributes: [] };

/**
 * An Export…ServiceRequest. Traces, logs and metrics share this envelope, field for field.
 *
 *     1 resource_… repeated Resource…  10
 */
export function readRequest<Item>(
  body: Uint8Array,
  names: ListNames,
  readItem: ReadItem<Item>,
): Decoded<Item> {
  const c = cursor(body);
  const tally = newTally<Item>(names);
  while (c.pos < c.end) {
    const field = tag(c);
    if (field === 10) readResourceItems(c, tally, readItem);
    else skip(c, field & 7);
  }
  return decoded(tally);
}

/**
 * ResourceSpans, ResourceLogs, embedded. The resource may follow its items on the wire.
 *
 *     1 resource Resource         10
 *     2 scope_…  repeated Scope…  18
 */
function readResourceItems<Item>(c: Cursor, tally: Tally<Item>, readItem: ReadItem<Item>): void {
  const outer = open(c);
  tally.resource += 1;
  tally.scope = -1;
  let resource: Attribute[] = [];
  const scopes: { scope: Scope; items: Item[] }[] = [];
  while (c.pos < c.end) {
    const field = tag(c);
    switch (field) {
      case 10:
        resource = shared(tally, 'resource', () => readResource(c));
        break;
      case 18:
        scopes.push(readScopeItems(c, tally, readItem));
        break;
      default:
        skip(c, field & 7);
    }
  }
  close(c, outer);
  for (const { scope, items } of scopes) addBatch(tally, { resource, scope, items });
}

/**
 * ScopeSpans, ScopeLogs, embedded.
 *
 *     1 scope                 InstrumentationScope  10
 *     2 spans or log_records  repeated              18
 */
function readScopeItems<Item>(
  c: Cursor,
  tally: Tally<Item>,
  readItem: ReadItem<Item>,
): { scope: Scope; items: Item[] } {
  const outer = open(c);
  tally.scope += 1;
  tally.item = -1;
  let scope = noScope;
  const items: Item[] = [];
  while (c.pos < c.end) {
    const field = tag(c);
    switch (field) {
      case 10:
        scope = shared(tally, 'scope', () => readScope(c));
        break;
      case 18:
        readOne(c, tally, readItem, items);
        break;
      default:
        skip(c, field & 7);
    }
  }
  close(c, outer);
  return { scope, items };
}

/** One item in its own bounds, so that a refused one leaves the cursor at its neighbour. */
function readOne<Item>(
  c: Cursor,
  tally: Tally<Item>,
  readItem: ReadItem<Item>,
  items: Item[],
): void {
  const outer = open(c);
  const itemEnd = c.end;
  tally.item += 1;
  tally.point = -1;
  try {
    readItem(c, items, tally);
  } catch (thrown) {
    refuse(tally, thrown);
  }
  c.end = itemEnd;
  close(c, outer);
}

function shared<Item, T>(tally: Tally<Item>, part: string, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    return spoil(tally, part, thrown);
  }
}
