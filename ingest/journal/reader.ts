import { closeSync, openSync, readSync } from 'node:fs';
import { type JournalRecord, parse, resync } from './record.ts';
import { segmentPath } from './segments.ts';

/** A record and the positions where it begins and where the next one does. */
export interface Entry {
  readonly record: JournalRecord;
  readonly position: number;
  readonly next: number;
}

export interface Stretch {
  readonly entries: readonly Entry[];
  /** Where to read on. */
  readonly next: number;
  /** Bytes that are no record and were passed over. */
  readonly damagedBytes: number;
}

/** The files of a journal as of now: where its segments begin and where the last one ends. */
export interface Extent {
  readonly directory: string;
  readonly bases: readonly number[];
  readonly end: number;
}

/**
 * Reads about `maxBytes` of records from `from`, never across a segment's end, and at least one record if there is any.
 * Synchronous: it serves replay and catching up, where the pages are in memory or nothing else can go on.
 */
export function readStretch(
  { directory, bases, end }: Extent,
  from: number,
  maxBytes: number,
): Stretch {
  const index = bases.findLastIndex((base) => base <= from);
  const base = bases[Math.max(index, 0)];
  if (base === undefined || from >= end) return { entries: [], next: end, damagedBytes: 0 };
  const start = Math.max(from, base);
  const segmentEnd = bases[Math.max(index, 0) + 1] ?? end;
  const fd = openSync(segmentPath(directory, base), 'r');
  try {
    const read = (length: number) => readRange(fd, start - base, length);
    const first = Math.min(maxBytes, segmentEnd - start);
    const stretch = parseAll(read(first), start);
    if (stretch.next > start || first === segmentEnd - start) {
      return first === segmentEnd - start ? toEnd(stretch, segmentEnd) : stretch;
    }
    // Not one whole record in it: a single record larger than `maxBytes`.
    return toEnd(parseAll(read(segmentEnd - start), start), segmentEnd);
  } finally {
    closeSync(fd);
  }
}

/** Whatever is left at the end of a wholly read segment is damage. */
function toEnd({ entries, next, damagedBytes }: Stretch, segmentEnd: number): Stretch {
  return { entries, next: segmentEnd, damagedBytes: damagedBytes + segmentEnd - next };
}

function parseAll(buf: Buffer, start: number): Stretch {
  const entries: Entry[] = [];
  let at = 0;
  let damagedBytes = 0;
  while (at < buf.length) {
    const parsed = parse(buf, at, start);
    if (parsed.kind === 'record') {
      const position = start + at;
      entries.push({ record: parsed.record, position, next: position + parsed.length });
      at += parsed.length;
      continue;
    }
    const next = resync(buf, at, start);
    if (next === -1) break;
    damagedBytes += next - at;
    at = next;
  }
  return { entries, next: start + at, damagedBytes };
}

function readRange(fd: number, at: number, length: number): Buffer {
  const buf = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(fd, buf, filled, length - filled, at + filled);
    if (count === 0) return buf.subarray(0, filled);
    filled += count;
  }
  return buf;
}
