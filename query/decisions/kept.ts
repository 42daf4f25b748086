import type { Metric } from '../operations/metrics.ts';

/** Values kept in memory, the longest unused forgotten first, so that all together stay below a number of bytes. */
export interface Kept<Value> {
  /** Whether anything is kept under `key`: maybe too old, maybe with another stamp. */
  readonly holds: (key: string) => boolean;
  /** The value kept under `key`, if it was put with the same stamp, not longer ago than it may be. */
  readonly get: (key: string, stamp: string) => Value | undefined;
  readonly put: (key: string, stamp: string, value: Value, bytes: number, maxAgeMs: number) => void;
  readonly metrics: () => Metric[];
}

interface Entry<Value> {
  readonly stamp: string;
  readonly value: Value;
  readonly bytes: number;
  readonly until: number;
}

/** `name` stands in the metrics: `plumbline_{name}_bytes` and so on. A value larger than `maxBytes` is not kept. */
export function createKept<Value>(name: string, maxBytes: number): Kept<Value> {
  const entries = new Map<string, Entry<Value>>();
  const counts = { hits: 0, misses: 0, evictions: 0, refused: 0 };
  let bytes = 0;

  function drop(key: string): void {
    bytes -= entries.get(key)?.bytes ?? 0;
    entries.delete(key);
  }

  function get(key: string, stamp: string): Value | undefined {
    const known = entries.get(key);
    if (known === undefined || known.stamp !== stamp || known.until < performance.now()) {
      drop(key);
      counts.misses++;
      return undefined;
    }
    counts.hits++;
    entries.delete(key);
    entries.set(key, known);
    return known.value;
  }

  function put(key: string, stamp: string, value: Value, size: number, maxAgeMs: number): void {
    drop(key);
    if (size > maxBytes) {
      counts.refused++;
      return;
    }
    entries.set(key, { stamp, value, bytes: size, until: performance.now() + maxAgeMs });
    bytes += size;
    for (const oldest of entries.keys()) {
      if (bytes <= maxBytes) break;
      drop(oldest);
      counts.evictions++;
    }
  }

  const total = (what: keyof typeof counts, help: string): Metric => ({
    name: `plumbline_${name}_${what}_total`,
    help,
    type: 'counter',
    samples: [{ value: counts[what] }],
  });
  return {
    holds: (key) => entries.has(key),
    get,
    put,
    metrics: () => [
      {
        name: `plumbline_${name}_bytes`,
        help: `Estimated memory of what is kept; at most ${maxBytes}.`,
        type: 'gauge',
        samples: [{ value: bytes }],
      },
      total('hits', 'Questions answered from what was kept.'),
      total('misses', 'Questions that were not.'),
      total('evictions', 'Values forgotten because there was no room.'),
      total('refused', 'Values too large to be kept.'),
    ],
  };
}
