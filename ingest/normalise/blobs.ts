import type { MessageRow } from '../../store/tables/messages.ts';
import { createSplitter } from './json-array.ts';
import { dayOf } from './values.ts';

/** xxh64 with seed 0 of a text's UTF-8 bytes. */
export type Hash = (text: string) => bigint;

/** Stores a text once per trace and day and returns its hash. */
export type Put = (content: string) => bigint;

/** Where the payload of one trace and day goes. */
export interface TracePayload {
  readonly put: Put;
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
  const stored = new Map<string, Set<bigint>>();
  // Chats repeat their whole history in every call: a map look-up is cheaper than encoding and hashing again.
  const hashes = new Map<string, bigint>();
  const split = createSplitter();
  return {
    rows,
    at: (traceId, start) => {
      const day = dayOf(start);
      let seen: Set<bigint> | undefined;
      const put: Put = (content) => {
        let h = hashes.get(content);
        if (h === undefined) {
          h = hash(content);
          hashes.set(content, h);
        }
        if (seen === undefined) {
          const key = `${day} ${traceId}`;
          seen = stored.get(key) ?? new Set();
          stored.set(key, seen);
        }
        if (!seen.has(h)) {
          seen.add(h);
          rows.push({ project, day, trace_id: traceId, hash: h, content });
        }
        return h;
      };
      return { put, split: (key, text) => split(`${traceId} ${key}`, text) };
    },
  };
}
