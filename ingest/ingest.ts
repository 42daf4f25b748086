import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Hono } from 'hono';
import type { Store } from '../store/connection.ts';
import type { Touched } from '../store/derive/deriver.ts';
import type { SpanRow } from '../store/tables/spans.ts';
import { createAccept } from './accept.ts';
import { createBudget } from './budget.ts';
import { createCounters } from './counters.ts';
import { startDerivation } from './derivation.ts';
import { type Journal, type JournalOptions, openJournal } from './journal/journal.ts';
import type { LargeTasks } from './large-lane.ts';
import { createNormaliser, type Normaliser } from './normalise/normaliser.ts';
import { createObstacles } from './obstacles.ts';
import type { Accept, Unauthorized } from './outcome.ts';
import { createProgress } from './progress.ts';
import { openQuarantine } from './quarantine.ts';
import { createQueue, type Queue } from './queue.ts';
import { createGrpc, type GrpcReceiver } from './receive/grpc.ts';
import { createReceiver } from './receive/receiver.ts';
import { createWrongPort } from './receive/wrong-port.ts';
import { limited } from './report.ts';
import type { Patience } from './retry.ts';
import { createSeen } from './seen.ts';
import { type IngestStats, statsOf } from './stats.ts';
import { createStoreWriter } from './store-writer.ts';
import { startWriter } from './writer.ts';

/** Every bound of ingest that is not the journal's. */
export interface Limits {
  /** A request's body, before and after decompression. */
  readonly bodyBytes: number;
  /** Bodies in memory on their way to the journal, and as much again of their decoded form. */
  readonly inFlightBytes: number;
  /** Decoded requests in memory on their way to the store; the rest waits in the journal. */
  readonly queueBytes: number;
  readonly quarantineBytes: number;
  readonly batchItems: number;
  readonly batchBytes: number;
  /** Traces and tasks that may wait to be derived before inserts wait for them. */
  readonly underivedTraces: number;
  /** Requests remembered so that the same bytes sent again are not stored again. */
  readonly seenRequests: number;
  /** How long the first request of a batch waits for others. */
  readonly lingerMs: number;
  /** How long and how often an error that may be the store's or the data's is taken for the store's. */
  readonly patience: Patience;
  /** How long closing waits for the store; what is left is replayed at the next start. */
  readonly closeMs: number;
}

const defaults: Limits = {
  bodyBytes: 64 * 1024 ** 2,
  inFlightBytes: 192 * 1024 ** 2,
  queueBytes: 24 * 1024 ** 2,
  quarantineBytes: 256 * 1024 ** 2,
  // The last request of a batch may go beyond: an insert takes 20,000. Half as many cost a tenth more, as many as fit
  // save nothing, and both need more memory at their worst.
  batchItems: 14_000,
  batchBytes: 32 * 1024 ** 2,
  underivedTraces: 20_000,
  seenRequests: 4096,
  lingerMs: 150,
  patience: { tries: 20, ms: 120_000 },
  closeMs: 20_000,
};

export interface IngestOptions {
  readonly store: Store;
  /** Derives the tasks of what was just stored; called again with the same after a failure. */
  readonly derive: (touched: readonly Touched[]) => Promise<void>;
  /** Is given every span that is about to be stored, so that deriving need not read it back. */
  readonly remember?: (rows: readonly SpanRow[]) => void;
  /** What is known of tasks so large that they are derived seldom. Without it none is. */
  readonly large?: LargeTasks;
  /** The quarantine is in the same directory. */
  readonly journal: JournalOptions;
  readonly project: (headers: Headers) => string | Unauthorized;
  /** Gets every problem that a person should know of; text, or an Error for what must never happen. */
  readonly report: (problem: unknown) => void;
  /** Default: the built-in mapping. */
  readonly normaliser?: Normaliser;
  readonly limits?: Partial<Limits>;
  /** Pages of these origins may send. Default none. */
  readonly corsOrigins?: readonly string[];
  /** False: no deduplication tokens on inserts, no memory of requests. They only save work. Default true. */
  readonly insertTokens?: boolean;
}

export interface Ingest {
  /** OTLP over HTTP. */
  readonly app: Hono;
  /** To be told what the server of {@link app} could not read as a request. */
  readonly onHttpError: (error: unknown) => void;
  /** OTLP over gRPC; its server listens when told to. */
  readonly grpc: GrpcReceiver;
  /** The way in for any other protocol. */
  readonly accept: Accept;
  /** Resolves when everything accepted so far is stored and derived, or set aside in quarantine. */
  drained(): Promise<void>;
  stats(): IngestStats;
  /** Refuses new requests, stores what it has (for a bounded time), and closes the journal. */
  close(): Promise<void>;
}

/**
 * Opens the journal, starts replaying what it holds, and takes requests at once.
 *
 * @throws JournalBusy when another process has the journal open.
 */
export async function createIngest(options: IngestOptions): Promise<Ingest> {
  const { store, derive, project, report, corsOrigins = [] } = options;
  const limits: Limits = { ...defaults, ...options.limits };
  const normaliser = options.normaliser ?? (await createNormaliser());
  const counters = createCounters();
  const quarantine = openQuarantine(
    join(options.journal.directory, 'quarantine'),
    limits.quarantineBytes,
  );
  const journal = await openJournal(options.journal);
  const queue = openQueue(journal, limits, (bytes) => {
    counters.damagedBytes += bytes;
    report(`${bytes} bytes of the journal cannot be read`);
  });
  const progress = createProgress(queue.position);
  const obstacles = createObstacles(report);
  const steps = { journal, progress, obstacles, counters, report };
  const maxWaiting = limits.underivedTraces;
  const derivation = startDerivation({ ...steps, derive, large: options.large, maxWaiting });
  const writer = startWriter({
    ...steps,
    queue,
    quarantine,
    derivation,
    prepare: createStoreWriter(store, normaliser, options.remember),
    maxItems: limits.batchItems,
    maxBytes: limits.batchBytes,
    lingerMs: limits.lingerMs,
    tokens: options.insertTokens ?? true,
    patience: limits.patience,
  });
  const budget = createBudget(limits.inFlightBytes);
  const maxBodyBytes = limits.bodyBytes;
  const door = createDoor(
    createAccept({
      journal,
      queue,
      budget: createBudget(limits.inFlightBytes),
      maxBodyBytes,
      seen: createSeen(options.insertTokens === false ? 0 : limits.seenRequests),
      counters,
      report: limited(report, 20),
    }),
  );
  const { accept } = door;
  const receiver = { accept, project, budget, maxBodyBytes, counters, corsOrigins, report };
  const wrongPort = createWrongPort(counters, limited(report, 5));
  return {
    accept,
    app: createReceiver(receiver),
    grpc: createGrpc(receiver, wrongPort.onGrpcError),
    onHttpError: wrongPort.onHttpError,
    drained: async () => {
      await door.settled();
      await progress.reached(journal.end);
    },
    stats: () =>
      statsOf({ counters, journal, queue, writer, derivation, obstacles, quarantine, budget }),
    close: async () => {
      door.shut();
      await door.settled();
      await within(progress.reached(journal.end), limits.closeMs);
      await writer.stop();
      await derivation.stop();
      await journal.close();
    },
  };
}

function openQueue(journal: Journal, limits: Limits, onDamage: (bytes: number) => void): Queue {
  return createQueue({
    journal,
    maxBytes: limits.queueBytes,
    maxBodyBytes: limits.bodyBytes,
    onDamage,
  });
}

/** Counts who is inside, so that draining and closing can wait for them. */
interface Door {
  readonly accept: Accept;
  shut(): void;
  /** Resolves when every request that is inside now has its answer. */
  settled(): Promise<void>;
}

function createDoor(accept: Accept): Door {
  const inside = new Set<Promise<unknown>>();
  let isShut = false;
  return {
    async accept(arrival) {
      if (isShut) return { kind: 'busy', retryAfterSeconds: 10, message: 'shutting down' };
      const answer = accept(arrival);
      inside.add(answer);
      try {
        return await answer;
      } finally {
        inside.delete(answer);
      }
    },
    shut() {
      isShut = true;
    },
    async settled() {
      await Promise.allSettled(inside);
    },
  };
}

async function within(work: Promise<void>, ms: number): Promise<void> {
  const done = new AbortController();
  const deadline = sleep(ms, undefined, { signal: done.signal }).catch(() => undefined);
  await Promise.race([work, deadline]);
  done.abort();
}
