import type { Budget } from './budget.ts';
import type { Counters, Timing } from './counters.ts';
import type { Derivation } from './derivation.ts';
import type { Journal, JournalStats } from './journal/journal.ts';
import type { Signal } from './journal/record.ts';
import type { Obstacles } from './obstacles.ts';
import type { Quarantine } from './quarantine.ts';
import type { Queue } from './queue.ts';
import type { Writer } from './writer.ts';

type Counts = Readonly<Record<string, number>>;

/** What ingest did since its start, and where it stands. */
export interface IngestStats {
  /** Requests by what became of them: `accepted`, `partial`, `busy` or the reason of a refusal. */
  readonly requests: Counts;
  readonly received: Readonly<Record<Signal, number>>;
  readonly accepted: Readonly<Record<Signal, number>>;
  /** Accepted items of requests that were durable already. */
  readonly deduplicated: Readonly<Record<Signal, number>>;
  /** Refused items by rule. */
  readonly rejected: Counts;
  /** Requests served under a misdirected path, by that path. */
  readonly courtesy: Counts;
  readonly receivedBytes: number;
  readonly decompressedBytes: number;
  readonly journal: JournalStats & {
    /** Age of the oldest request being stored and derived; 0 when idle. */
    readonly ageMs: number;
    readonly damagedBytes: number;
  };
  readonly memory: { readonly inFlightBytes: number; readonly queueBytes: number };
  readonly insert: Readonly<Timing>;
  readonly derive: Readonly<Timing>;
  /** From the oldest receipt in a batch until its rows can be read. */
  readonly fresh: Readonly<Timing>;
  /** From the oldest receipt in a batch to its derivation. */
  readonly lag: Readonly<Timing>;
  /** What belongs to large tasks and waits to be derived: traces and tasks, and for how long. */
  readonly heldBack: { readonly ids: number; readonly ageMs: number };
  readonly retries: number;
  /** Traces and tasks whose derivation was given up; their spans are stored. */
  readonly underived: number;
  /** What keeps accepted data from being stored right now; null when nothing does. */
  readonly blockedBy: string | null;
  readonly quarantine: { readonly requests: number; readonly bytes: number };
}

export interface StatsSources {
  readonly counters: Counters;
  readonly journal: Journal;
  readonly queue: Queue;
  readonly writer: Writer;
  readonly derivation: Derivation;
  readonly obstacles: Obstacles;
  readonly quarantine: Quarantine;
  readonly budget: Budget;
}

/** A copy: it does not change afterwards. */
export function statsOf({
  counters,
  journal,
  queue,
  writer,
  derivation,
  obstacles,
  quarantine,
  budget,
}: StatsSources): IngestStats {
  const oldest = derivation.oldest ?? writer.oldest;
  return {
    requests: Object.fromEntries(counters.requests),
    received: { ...counters.received },
    accepted: { ...counters.accepted },
    deduplicated: { ...counters.deduplicated },
    rejected: Object.fromEntries(counters.rejected),
    courtesy: Object.fromEntries(counters.courtesy),
    receivedBytes: counters.receivedBytes,
    decompressedBytes: counters.decompressedBytes,
    journal: {
      ...journal.stats(),
      ageMs: ageOf(oldest),
      damagedBytes: counters.damagedBytes,
    },
    memory: { inFlightBytes: budget.used, queueBytes: queue.bytes },
    insert: copyOf(counters.insert),
    derive: copyOf(counters.derive),
    fresh: copyOf(counters.fresh),
    lag: copyOf(counters.lag),
    heldBack: { ids: derivation.heldBack.ids, ageMs: ageOf(derivation.heldBack.oldest) },
    retries: counters.retries,
    underived: counters.underived,
    blockedBy: obstacles.first,
    quarantine: { requests: quarantine.requests, bytes: quarantine.bytes },
  };
}

function ageOf(since: number | null): number {
  return since === null ? 0 : Math.max(0, Date.now() - since);
}

function copyOf(timing: Timing): Readonly<Timing> {
  return { ...timing, buckets: [...timing.buckets] };
}
