import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parse, resync } from './record.ts';

/**
 * A segment file. `base` is the position of its first byte in the journal: positions run on from file to file, so a
 * segment ends where the next one begins, whatever else a failed write left in the file.
 */
export interface Segment {
  readonly base: number;
  readonly path: string;
}

const extension = '.journal';
const checkpointFile = 'checkpoint';

export function segmentPath(directory: string, base: number): string {
  return join(directory, `${String(base).padStart(16, '0')}${extension}`);
}

export function listSegments(directory: string): Segment[] {
  return readdirSync(directory)
    .filter((name) => /^\d{16}\.journal$/.test(name))
    .sort()
    .map((name) => ({ base: Number.parseInt(name, 10), path: join(directory, name) }));
}

/** What opening found in the last segment. */
export interface Tail {
  /** Position behind the last whole record. */
  readonly end: number;
  /** Bytes cut off behind it: a write that a crash interrupted, never acked. */
  readonly tornBytes: number;
}

/** Finds the end of the last segment and cuts what a crash left half-written behind it. */
export function recoverTail({ base, path }: Segment): Tail {
  const buf = readFileSync(path);
  let at = 0;
  while (at < buf.length) {
    const parsed = parse(buf, at, base);
    if (parsed.kind === 'record') {
      at += parsed.length;
      continue;
    }
    // Damage with whole records behind it is not a torn write: those records were acked and are kept.
    const next = resync(buf, at, base);
    if (next === -1) break;
    at = next;
  }
  if (at < buf.length) truncateSync(path, at);
  return { end: base + at, tornBytes: buf.length - at };
}

/** The position up to which everything is stored and derived, or 0 when it is not known. */
export function readCheckpoint(directory: string): number {
  try {
    const position = Number(readFileSync(join(directory, checkpointFile), 'utf8'));
    return Number.isSafeInteger(position) && position > 0 ? position : 0;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
    throw error;
  }
}

/** Replaces the checkpoint. Not fsynced: an older one after a power cut only means more replay. */
export function writeCheckpoint(directory: string, position: number): void {
  const path = join(directory, checkpointFile);
  writeFileSync(`${path}.new`, String(position));
  renameSync(`${path}.new`, path);
}

/** Makes a new directory entry survive a power cut. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Deletes the oldest segments that lie wholly before the checkpoint, once they are older than `keepMs`, or as soon as
 * the journal is larger than `maxBytes`. The last segment stays. Returns the segments left.
 */
export function deleteDone(
  segments: readonly Segment[],
  done: number,
  end: number,
  limits: { readonly keepMs: number; readonly maxBytes: number },
): Segment[] {
  const left = [...segments];
  for (;;) {
    const [oldest, next] = left;
    if (oldest === undefined || next === undefined || next.base > done) return left;
    const tooLarge = end - oldest.base > limits.maxBytes;
    // Files have finer times than the clock: one that was just written can seem to be of the future.
    const ageMs = Math.max(Date.now() - statSync(oldest.path).mtimeMs, 0);
    if (!tooLarge && ageMs < limits.keepMs) return left;
    unlinkSync(oldest.path);
    left.shift();
  }
}
