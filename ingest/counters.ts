import type { Signal } from './journal/record.ts';
import type { Outcome, Refusal } from './outcome.ts';

/** Durations of one step since the start of the process. */
export interface Timing {
  count: number;
  totalMs: number;
  lastMs: number;
  maxMs: number;
  /** How many were at most as long as each of {@link bucketBounds}, and longer than the one before. */
  readonly buckets: number[];
}

/** Upper bounds in milliseconds; the last bucket has none. */
export const bucketBounds: readonly number[] = [
  10, 25, 50, 100, 250, 500, 1000, 2000, 5000, 10_000, 30_000,
];

// There from the start: an alert on a rate needs the 0 before the first one.
const outcomes: readonly string[] = [
  ...(['accepted', 'partial', 'busy'] satisfies readonly Outcome['kind'][]),
  ...(['malformed', 'too_large', 'content_type', 'content_encoding'] satisfies readonly Refusal[]),
  ...(['unauthorized', 'forbidden', 'method', 'path'] satisfies readonly Refusal[]),
  'wrong_port',
];

/** What ingest counts; the only mutable record of it, made once per ingest. Keys of the maps are closed sets. */
export interface Counters {
  /** Requests by what became of them: `accepted`, `partial`, `busy` or the reason of a refusal. */
  readonly requests: Map<string, number>;
  /** Items that came in, before any was refused. */
  readonly received: Record<Signal, number>;
  /** Items that were acknowledged. */
  readonly accepted: Record<Signal, number>;
  /** Accepted items whose request was durable already, byte for byte: stored once. */
  readonly deduplicated: Record<Signal, number>;
  /** Refused items by rule. */
  readonly rejected: Map<string, number>;
  /** Requests served under a misdirected path, by that path. */
  readonly courtesy: Map<string, number>;
  /** As received, compressed. */
  receivedBytes: number;
  decompressedBytes: number;
  /** Journal bytes that could not be read back. */
  damagedBytes: number;
  /** Repeated attempts to insert or derive. */
  retries: number;
  /** Traces and tasks whose derivation was given up. */
  underived: number;
  readonly insert: Timing;
  readonly derive: Timing;
  /** From the oldest receipt in a batch until its rows can be read. */
  readonly fresh: Timing;
  /** From the oldest receipt in a batch to its derivation. */
  readonly lag: Timing;
}

export function createCounters(): Counters {
  return {
    requests: new Map(outcomes.map((outcome) => [outcome, 0])),
    received: { traces: 0, logs: 0, metrics: 0 },
    accepted: { traces: 0, logs: 0, metrics: 0 },
    deduplicated: { traces: 0, logs: 0, metrics: 0 },
    rejected: new Map(),
    courtesy: new Map(),
    receivedBytes: 0,
    decompressedBytes: 0,
    damagedBytes: 0,
    retries: 0,
    underived: 0,
    insert: newTiming(),
    derive: newTiming(),
    fresh: newTiming(),
    lag: newTiming(),
  };
}

export function count(map: Map<string, number>, key: string, by = 1): void {
  map.set(key, (map.get(key) ?? 0) + by);
}

export function note(timing: Timing, ms: number): void {
  timing.count += 1;
  timing.totalMs += ms;
  timing.lastMs = ms;
  timing.maxMs = Math.max(timing.maxMs, ms);
  const bucket = bucketBounds.findIndex((bound) => ms <= bound);
  const at = bucket < 0 ? bucketBounds.length : bucket;
  timing.buckets[at] = (timing.buckets[at] ?? 0) + 1;
}

function newTiming(): Timing {
  return { count: 0, totalMs: 0, lastMs: 0, maxMs: 0, buckets: [] };
}
