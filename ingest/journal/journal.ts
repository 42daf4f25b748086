import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Worker } from 'node:worker_threads';
import { lock } from './lock.ts';
import type { Order, Report, WorkerOptions } from './messages.ts';
import { readStretch, type Stretch } from './reader.ts';
import { encodeHeader, type JournalRecord } from './record.ts';
import { startThread } from './thread.ts';

export interface JournalOptions {
  readonly directory: string;
  /** Bound of what is accepted and not yet checkpointed. Default 1 GiB. */
  readonly maxBytes?: number;
  /** A new file begins once one is this long. Default 64 MiB. */
  readonly segmentBytes?: number;
  /** How long finished segments stay, unless space is short. Default ten minutes. */
  readonly keepMs?: number;
}

/** A stored record lies from `position` to `next`. `busy` stored nothing: full, the disk failed, or closing. */
export type Appended =
  | { readonly kind: 'stored'; readonly position: number; readonly next: number }
  | { readonly kind: 'busy'; readonly why: 'full' | 'disk' | 'closing' };

export interface JournalStats {
  /** Accepted and not yet checkpointed. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** On disk, with finished segments that are kept a while. */
  readonly diskBytes: number;
  readonly segments: number;
  readonly tornBytes: number;
  readonly failedAppends: number;
  /** System error code of the last failed append. */
  readonly lastFailure: string | null;
  /**
   * Why nothing can be appended right now; null when the last attempt went well, or is long ago: whoever heeds this
   * sends nothing more, and could never learn that there is room again.
   */
  readonly failing: string | null;
}

/** A durable queue of requests. Positions are byte offsets that run on over all segments. */
export interface Journal {
  /** New at every opening: insert tokens made from it never meet those of another run. */
  readonly id: string;
  /** Where the journal ended when it was opened: what lies before is replay. */
  readonly openedAt: number;
  /** Position up to which everything is stored and derived. */
  readonly checkpointed: number;
  /** Position behind the last durable record. */
  readonly end: number;
  /** Resolves once the record is on disk. Takes ownership of the body's buffer if the body spans it. */
  append(record: JournalRecord): Promise<Appended>;
  /** About `maxBytes` of records from `from`, at least one if there is any. */
  read(from: number, maxBytes: number): Stretch;
  /** Everything before `position` may be forgotten. */
  checkpoint(position: number): void;
  stats(): JournalStats;
  close(): Promise<void>;
}

interface Waiting {
  readonly length: number;
  readonly settle: (appended: Appended) => void;
}

interface State {
  readonly options: WorkerOptions;
  readonly worker: Worker;
  /** Appends on their way to the disk, in order. */
  readonly waiting: Map<number, Waiting>;
  waitingBytes: number;
  nextId: number;
  end: number;
  checkpointed: number;
  bases: readonly number[];
  failedAppends: number;
  lastFailure: string | null;
  failedAt: number | null;
  refusing: 'closing' | 'disk' | null;
}

/** How long a failed append is taken to say something about the next one. */
const failureMs = 10_000;

const defaults = {
  maxBytes: 1024 ** 3,
  segmentBytes: 64 * 1024 ** 2,
  keepMs: 10 * 60 * 1000,
};

/**
 * Opens the journal of a directory, creating it if need be, and cuts what a crash left half-written. It goes on behind
 * its checkpoint, or with the oldest segment kept if the machine went down.
 *
 * @throws JournalBusy when another process has it open.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  mkdirSync(options.directory, { recursive: true });
  const { crashed, unlock } = await lock(options.directory);
  try {
    const settings: WorkerOptions = {
      directory: options.directory,
      maxBytes: options.maxBytes ?? defaults.maxBytes,
      segmentBytes: options.segmentBytes ?? defaults.segmentBytes,
      keepMs: options.keepMs ?? defaults.keepMs,
    };
    const worker = await startThread(settings);
    const opened = await firstReport(worker);
    return runJournal(settings, worker, { ...opened, crashed }, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

type Opened = Extract<Report, { kind: 'opened' }>;

function firstReport(worker: Worker): Promise<Opened> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (report: Report) => {
      worker.off('error', reject);
      if (report.kind === 'opened') resolve(report);
      else reject(new Error(`the journal began with ${report.kind}`));
    });
  });
}

function runJournal(
  options: WorkerOptions,
  worker: Worker,
  opened: Opened & { readonly crashed: boolean },
  unlock: () => void,
): Journal {
  const { end, bases, checkpoint, tornBytes, crashed } = opened;
  // What the store has merged since lies in files that nobody synced: all that is kept is stored again.
  const from = crashed ? 0 : checkpoint;
  const state: State = {
    options,
    worker,
    waiting: new Map(),
    waitingBytes: 0,
    nextId: 0,
    end,
    checkpointed: Math.max(from, bases[0] ?? checkpoint),
    bases,
    failedAppends: 0,
    lastFailure: null,
    failedAt: null,
    refusing: null,
  };
  const closed = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      breakDown(state, 'the thread ended');
      resolve();
    });
  });
  worker.on('error', (error) => breakDown(state, String(error)));
  worker.on('message', (report: Report) => receive(state, report));

  return {
    id: randomUUID(),
    openedAt: end,
    get checkpointed() {
      return state.checkpointed;
    },
    get end() {
      return state.end;
    },
    append: (record) => append(state, record),
    read: (from, maxBytes) =>
      readStretch(
        { directory: options.directory, bases: state.bases, end: state.end },
        from,
        maxBytes,
      ),
    checkpoint(position) {
      state.checkpointed = position;
      send(state, { kind: 'checkpoint', position });
    },
    stats: () => statsOf(state, tornBytes),
    async close() {
      if (state.refusing === null) send(state, { kind: 'close' });
      state.refusing = 'closing';
      await closed;
      unlock();
    },
  };
}

function append(state: State, record: JournalRecord): Promise<Appended> {
  const { refusing, options, waiting } = state;
  if (refusing !== null) return Promise.resolve({ kind: 'busy', why: refusing });
  const header = encodeHeader(record);
  const { body } = record;
  const length = header.length + body.length;
  if (state.end + state.waitingBytes + length - state.checkpointed > options.maxBytes) {
    return Promise.resolve({ kind: 'busy', why: 'full' });
  }
  const id = state.nextId;
  state.nextId += 1;
  state.waitingBytes += length;
  return new Promise((settle) => {
    waiting.set(id, { length, settle });
    const whole = body.byteLength === body.buffer.byteLength && body.buffer instanceof ArrayBuffer;
    send(state, { kind: 'append', id, header, body }, [
      header.buffer,
      ...(whole ? [body.buffer as ArrayBuffer] : []),
    ]);
  });
}

function receive(state: State, report: Report): void {
  switch (report.kind) {
    case 'stored':
      state.bases = report.bases;
      state.failedAt = null;
      settleStored(state, report.ids, report.end);
      return;
    case 'failed':
      state.lastFailure = report.code;
      state.failedAt = Date.now();
      settleBusy(state, report.ids);
      return;
    case 'segments':
      state.bases = report.bases;
      return;
    case 'opened':
    case 'closed':
      return;
  }
}

function settleStored(state: State, ids: readonly number[], end: number): void {
  let position = state.end;
  state.end = end;
  for (const id of ids) {
    const waiting = take(state, id);
    const next = position + waiting.length;
    waiting.settle({ kind: 'stored', position, next });
    position = next;
  }
  assert.equal(position, end, 'journal and its thread disagree on positions');
}

function settleBusy(state: State, ids: readonly number[]): void {
  for (const id of ids) {
    state.failedAppends += 1;
    take(state, id).settle({ kind: 'busy', why: 'disk' });
  }
}

function take(state: State, id: number): Waiting {
  const waiting = state.waiting.get(id);
  assert(waiting !== undefined, `journal append ${id} settled twice`);
  state.waiting.delete(id);
  state.waitingBytes -= waiting.length;
  return waiting;
}

/** Without its thread the journal takes nothing more; what is on disk can still be read. */
function breakDown(state: State, failure: string): void {
  if (state.refusing === null) {
    state.refusing = 'disk';
    state.lastFailure = failure;
  }
  settleBusy(state, [...state.waiting.keys()]);
}

function send(state: State, order: Order, transfer: ArrayBuffer[] = []): void {
  state.worker.postMessage(order, transfer);
}

function isFailing({ refusing, failedAt }: State): boolean {
  return refusing === 'disk' || (failedAt !== null && Date.now() - failedAt < failureMs);
}

function statsOf(state: State, tornBytes: number): JournalStats {
  const { end, checkpointed, bases, options, failedAppends, lastFailure } = state;
  return {
    bytes: end + state.waitingBytes - checkpointed,
    maxBytes: options.maxBytes,
    diskBytes: end - (bases[0] ?? end),
    segments: bases.length,
    tornBytes,
    failedAppends,
    lastFailure,
    failing: isFailing(state) ? lastFailure : null,
  };
}
