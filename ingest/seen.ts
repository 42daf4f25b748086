import { createHash } from 'node:crypto';
import type { Arrival } from './outcome.ts';

/**
 * The requests that were made durable last. A client that got no answer sends the same bytes again: they are on disk
 * already, and need not be stored a second time. That nothing counts twice never depends on it.
 */
export interface Seen {
  /** To be taken before the body's buffer is given away. */
  keyOf(arrival: Arrival): string;
  has(key: string): boolean;
  add(key: string): void;
}

/** Remembers `max` requests; with 0 none. SHA-256, because a forged collision would be data acked and not stored. */
export function createSeen(max: number): Seen {
  const keys = new Set<string>();
  return {
    keyOf({ signal, encoding, compression, project, body }) {
      if (max === 0) return '';
      const hash = createHash('sha256').update(`${signal} ${encoding} ${compression} ${project}\n`);
      return hash.update(body).digest('base64');
    },
    has: (key) => keys.has(key),
    add(key) {
      if (max === 0) return;
      keys.add(key);
      if (keys.size <= max) return;
      // A set keeps the order of insertion.
      const [oldest = ''] = keys;
      keys.delete(oldest);
    },
  };
}
