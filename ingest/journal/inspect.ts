import { existsSync, readFileSync, statSync } from 'node:fs';
import { lock } from './lock.ts';
import { readStretch } from './reader.ts';
import { parse, resync, type Signal } from './record.ts';
import { listSegments, readCheckpoint, writeCheckpoint } from './segments.ts';

/** One segment file as it is now. */
export interface SegmentState {
  readonly base: number;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/** A journal seen from outside, while a process may be writing to it. */
export interface JournalState {
  readonly segments: readonly SegmentState[];
  readonly checkpoint: number;
  readonly end: number;
  /** Requests behind the checkpoint: acked, not yet stored and derived. */
  readonly waiting: Readonly<Record<Signal, number>>;
  /** Receipt of the oldest of them. */
  readonly oldest: Date | null;
  readonly damagedBytes: number;
}

const stretchBytes = 8 * 1024 * 1024;

/** Reads a journal without opening it. */
export function inspectJournal(directory: string): JournalState {
  const segments = existsSync(directory) ? listSegments(directory) : [];
  const checkpoint = existsSync(directory) ? readCheckpoint(directory) : 0;
  const last = segments.at(-1);
  const end = Math.max(checkpoint, last === undefined ? 0 : endOf(last.path, last.base));
  const waiting = { traces: 0, logs: 0, metrics: 0 };
  let oldest: number | null = null;
  let damagedBytes = 0;
  const bases = segments.map(({ base }) => base);
  for (let at = Math.max(checkpoint, bases[0] ?? 0); at < end; ) {
    const stretch = readStretch({ directory, bases, end }, at, stretchBytes);
    for (const { record } of stretch.entries) {
      waiting[record.signal] += 1;
      oldest ??= record.receivedAt;
    }
    damagedBytes += stretch.damagedBytes;
    at = stretch.next;
  }
  return {
    segments: segments.flatMap(({ base, path }) => {
      // Gone since it was listed, if its ten minutes were over.
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat === undefined ? [] : [{ base, bytes: stat.size, modifiedAt: stat.mtime }];
    }),
    checkpoint,
    end,
    waiting,
    oldest: oldest === null ? null : new Date(oldest),
    damagedBytes,
  };
}

/** Position behind the last whole record: what a writer is in the middle of does not count. */
function endOf(path: string, base: number): number {
  const buf = readFileSync(path);
  let at = 0;
  for (;;) {
    const parsed = parse(buf, at, base);
    if (parsed.kind === 'record') {
      at += parsed.length;
      continue;
    }
    const next = at < buf.length ? resync(buf, at, base) : -1;
    if (next === -1) return base + at;
    at = next;
  }
}

/**
 * Sets the checkpoint back to the beginning of what is kept, so that the next opening stores and derives all of it
 * again. Nothing counts twice by it.
 *
 * @throws JournalBusy while a process has the journal open.
 */
export async function rewindJournal(directory: string): Promise<void> {
  const { unlock } = await lock(directory);
  try {
    const [first] = listSegments(directory);
    if (first !== undefined) writeCheckpoint(directory, first.base);
  } finally {
    unlock();
  }
}
