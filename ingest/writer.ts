import { setTimeout as sleep } from 'node:timers/promises';
import type { Touched } from '../store/derive/deriver.ts';
import { type Counters, note } from './counters.ts';
import type { Derivation } from './derivation.ts';
import type { Journal } from './journal/journal.ts';
import type { Obstacles } from './obstacles.ts';
import type { Progress } from './progress.ts';
import type { Quarantine } from './quarantine.ts';
import type { Accepted, Queue, Undecodable } from './queue.ts';
import { nameOf, type Patience, persist, stopped } from './retry.ts';
import type { Prepare, StoreBatch } from './store-writer.ts';

export interface WriterOptions {
  readonly journal: Journal;
  readonly queue: Queue;
  readonly prepare: Prepare;
  readonly derivation: Derivation;
  readonly progress: Progress;
  readonly quarantine: Quarantine;
  readonly obstacles: Obstacles;
  readonly counters: Counters;
  readonly report: (problem: unknown) => void;
  /** Bounds of a batch: items, bytes after decompression, and how long its first request waits for others. */
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly lingerMs: number;
  /** Whether inserts carry deduplication tokens. */
  readonly tokens: boolean;
  /** After this an error that may be the store's or the data's is looked for in the data. */
  readonly patience: Patience;
}

/** Moves requests from the queue to the store, in order, and hands on what they touched. */
export interface Writer {
  /** When the oldest request in hand was received; null when idle. */
  readonly oldest: number | null;
  /** Stops after the batch in hand, at once if that one fails. What is left stays in the journal. */
  stop(): Promise<void>;
}

interface Batch {
  readonly requests: readonly Accepted[];
  readonly undecodable: readonly Undecodable[];
  readonly end: number;
}

/** A batch, and what has been made of it while the one before was being stored. */
interface Ready extends Batch {
  readonly prepared: StoreBatch | undefined;
}

/** How long the event loop may wait while requests are read back and decoded. */
const sliceMs = 10;

export function startWriter(options: WriterOptions): Writer {
  const { queue, derivation, obstacles, report } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  /** When the oldest requests of the batches in hand were received, in their order. */
  const inHand: number[] = [];
  let isStoring = false;

  async function next(): Promise<Ready> {
    await queue.available();
    const batch = await collect(options, signal, () => isStoring);
    inHand.push(batch.requests[0]?.receivedAt ?? Date.now());
    // What fails here fails again where it is looked into.
    const prepared = await options.prepare(batch.requests).catch(() => undefined);
    return { ...batch, prepared };
  }

  async function store({ requests, undecodable, end, prepared }: Ready): Promise<void> {
    for (const { position, error } of undecodable) {
      await setAside(options, position, error, signal);
    }
    const touched = await settle(options, requests, signal, options.patience, prepared);
    derivation.add(touched, requests[0]?.receivedAt ?? Date.now(), end);
    inHand.shift();
  }

  /** While one batch is being stored, which is the engine's work, the next one is made ready, which is ours. */
  async function run(): Promise<void> {
    let ahead = next();
    try {
      while (!signal.aborted) {
        const ready = await ahead;
        await derivation.room();
        if (signal.aborted) return;
        isStoring = true;
        ahead = next();
        // Thrown where it is awaited, and no sooner.
        ahead.catch(() => undefined);
        await store(ready);
        isStoring = false;
      }
    } finally {
      // Nothing is under way any more when the journal is closed.
      await ahead.catch(() => undefined);
    }
  }

  const running = run().catch((error: unknown) => {
    if (error === stopped) return;
    // Going on would pass over the batch in hand; a restart takes it up again from the journal.
    obstacles.set('writer', `the writer stopped: ${nameOf(error)}`);
    report(error);
  });

  return {
    get oldest() {
      return inHand[0] ?? null;
    },
    async stop() {
      stopping.abort();
      queue.wake();
      await running;
    },
  };
}

/**
 * The next batch. The first request waits for others unless it is late already or somebody waits for it, and as long as
 * the batch before is being stored.
 */
async function collect(
  { queue, progress, maxItems, maxBytes, lingerMs }: WriterOptions,
  signal: AbortSignal,
  isStoring: () => boolean,
): Promise<Batch> {
  const requests: Accepted[] = [];
  const undecodable: Undecodable[] = [];
  let items = 0;
  let bytes = 0;
  let sliceEnd = performance.now() + sliceMs;
  while (items < maxItems && bytes < maxBytes) {
    const taken = queue.next();
    if (taken === undefined) {
      const [first] = requests;
      const wait = first === undefined ? 0 : first.receivedAt + lingerMs - Date.now();
      const isDue = (wait <= 0 || progress.isAwaited) && !isStoring();
      if (first === undefined || isDue || signal.aborted) break;
      await sleep(Math.min(Math.max(wait, 5), 25));
      continue;
    }
    if ('error' in taken) undecodable.push(taken);
    else {
      requests.push(taken);
      items += taken.items;
      bytes += taken.bytes;
    }
    if (performance.now() < sliceEnd) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sliceEnd = performance.now() + sliceMs;
  }
  return { requests, undecodable, end: queue.position };
}

// The whole batch has had all patience; its parts only tell which of them it is.
const brief: Patience = { tries: 2, ms: 0 };

/**
 * Stores a batch, however long the store is away. What the store refuses for its content must not hold up the rest:
 * halves are tried until the request is alone, and that one is set aside. Throws `stopped`.
 */
async function settle(
  options: WriterOptions,
  requests: readonly Accepted[],
  signal: AbortSignal,
  patience = options.patience,
  made?: StoreBatch,
): Promise<readonly Touched[]> {
  const { journal, prepare, obstacles, counters } = options;
  const [first] = requests;
  if (first === undefined) return [];
  const token = options.tokens ? tokenOf(journal, requests) : undefined;
  const start = performance.now();
  let prepared = made;
  try {
    const touched = await persist(
      async () => {
        prepared ??= await prepare(requests);
        return prepared(token);
      },
      signal,
      (error) => {
        counters.retries += 1;
        obstacles.set('insert', `the store does not take data: ${nameOf(error)}`);
      },
      patience,
    );
    obstacles.clear('insert');
    note(counters.insert, performance.now() - start);
    note(counters.fresh, Date.now() - first.receivedAt);
    return touched;
  } catch (error) {
    if (error === stopped) throw error;
    obstacles.clear('insert');
    if (requests.length === 1) {
      await setAside(options, first.position, error, signal);
      return [];
    }
    const middle = Math.ceil(requests.length / 2);
    return [
      ...(await settle(options, requests.slice(0, middle), signal, brief)),
      ...(await settle(options, requests.slice(middle), signal, brief)),
    ];
  }
}

/** Puts a request into quarantine, waiting for room there if need be: it is never dropped. */
async function setAside(
  { journal, quarantine, obstacles, report }: WriterOptions,
  position: number,
  error: unknown,
  signal: AbortSignal,
): Promise<void> {
  const [entry] = journal.read(position, 1).entries;
  if (entry?.position !== position) throw new Error(`no request at ${position} of the journal`);
  await persist(
    async () => {
      if (!quarantine.put(entry.record, position, nameOf(error))) throw new Error('full');
    },
    signal,
    (problem) => {
      obstacles.set('quarantine', `a request cannot be put into quarantine: ${String(problem)}`);
    },
  );
  obstacles.clear('quarantine');
  report(`request at ${position} of the journal set aside in quarantine: ${nameOf(error)}`);
}

/** None for replayed requests: what a former process sent of them is unknown, and this one may send it otherwise. */
function tokenOf(journal: Journal, requests: readonly Accepted[]): string | undefined {
  const first = requests[0];
  const last = requests.at(-1);
  if (first === undefined || last === undefined || first.position < journal.openedAt) return;
  return `${journal.id}:${first.position}-${last.next}`;
}
