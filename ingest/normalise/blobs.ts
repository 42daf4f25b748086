import type { MessageRow } from '../../store/tables/messages.ts';
import { flatMapGrowing, type Made } from './growing.ts';
import { createSplitter } from './json-array.ts';
import { dayOf } from './values.ts';

/** xxh64 with seed 0 of a text's UTF-8 bytes. */
export type Hash = (text: string) => bigint;

/** Stores a text once per trace and day and returns its hash. */
export type Put = (content: string) => bigint;

/** Where the payload of one trace and day goes. */
export interface TracePayload {
  readonly put: Put;
  /** Stores several; of a list that has grown since only what is new. */
  readonly putAll: (contents: readonly string[]) => readonly bigint[];
  /** Splits a JSON array of an attribute into its elements' texts; null where that would lose a byte. */
  readonly split: (key: string, text: string) => readonly string[] | null;
}

/** Collects the payload of one request, content-addressed per trace and day. */
export interface Blobs {
  readonly rows: readonly MessageRow[];
  /** For items of this trace that start at this time, in nanoseconds. */
  at(traceId: string, start: bigint): TracePayload;
}

/** An empty collection for one project. */
export function createBlobs(project: string, hash: Hash): Blobs {
  const rows: MessageRow[] = [];
  const places = new Map<string, TracePayload>();
  // Chats repeat their whole history in every call: a map look-up is cheaper than encoding and hashing again.
  const hashes = new Map<string, bigint>();
  const split = createSplitter();

  function hashOf(content: string): bigint {
    const known = hashes.get(content);
    if (known !== undefined) return known;
    const computed = hash(content);
    hashes.set(content, computed);
    return computed;
  }

  function open(traceId: string, day: number): TracePayload {
    const seen = new Set<bigint>();
    const lists: Made<bigint> = new WeakMap();
    const put: Put = (content) => {
      const h = hashOf(content);
      if (!seen.has(h)) {
        seen.add(h);
        rows.push({ project, day, trace_id: traceId, hash: h, content });
      }
      return h;
    };
    return {
      put,
      putAll: (contents) => flatMapGrowing(lists, contents, (content) => [put(content)]),
      split: (key, text) => split(`${traceId} ${key}`, text),
    };
  }

  return {
    rows,
    at(traceId, start) {
      const day = dayOf(start);
      const key = `${day} ${traceId}`;
      const place = places.get(key) ?? open(traceId, day);
      places.set(key, place);
      return place;
    },
  };
}
