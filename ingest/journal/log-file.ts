import { closeSync, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { WorkerOptions } from './messages.ts';
import { seal } from './record.ts';
import {
  deleteDone,
  listSegments,
  readCheckpoint,
  recoverTail,
  type Segment,
  segmentPath,
  syncDirectory,
  writeCheckpoint,
} from './segments.ts';

export interface Sealable {
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

/** The journal's files, written with synchronous calls by the one thread that owns them. */
export interface LogFile {
  readonly opened: {
    readonly end: number;
    readonly checkpoint: number;
    readonly tornBytes: number;
  };
  bases(): number[];
  /** Writes the records and syncs once. On an error nothing of them remains in the journal. */
  append(records: readonly Sealable[]): number;
  checkpoint(position: number): void;
  close(): void;
}

export function openLogFile(options: WorkerOptions): LogFile {
  const { directory, segmentBytes } = options;
  let segments = listSegments(directory);
  let done = readCheckpoint(directory);
  const last = segments.at(-1);
  const tail = last === undefined ? { end: 0, tornBytes: 0 } : recoverTail(last);
  // A checkpoint beyond the end means that segments were removed by hand; positions must not be used twice.
  let end = Math.max(tail.end, done);
  const opened = { end, checkpoint: done, tornBytes: tail.tornBytes };
  let active: { readonly fd: number; readonly base: number } | undefined;

  function roll(): { readonly fd: number; readonly base: number } {
    if (active !== undefined) closeSync(active.fd);
    active = undefined;
    const path = segmentPath(directory, end);
    // 'w': a file of this name can only hold records that were never acked.
    const fd = openSync(path, 'w');
    syncDirectory(directory);
    if (segments.at(-1)?.base !== end) segments.push({ base: end, path });
    active = { fd, base: end };
    return active;
  }

  function append(records: readonly Sealable[]): number {
    try {
      return write(records);
    } catch (error) {
      // Finished segments are only kept for a while in case: room for new requests comes first.
      tidy(0);
      throw error;
    }
  }

  function write(records: readonly Sealable[]): number {
    const full = active !== undefined && end - active.base >= segmentBytes;
    const file = active === undefined || full ? roll() : active;
    let next = end;
    try {
      for (const { header, body } of records) {
        seal(header, body, next);
        next += writeAll(file.fd, header, next - file.base);
        next += writeAll(file.fd, body, next - file.base);
      }
      fdatasyncSync(file.fd);
    } catch (error) {
      abandon(file);
      throw error;
    }
    end = next;
    return end;
  }

  /** After a failed write or sync the file's pages cannot be trusted any more: cut it and go on in a new one. */
  function abandon(file: { readonly fd: number; readonly base: number }): void {
    try {
      ftruncateSync(file.fd, end - file.base);
    } catch {
      // The next segment begins at `end`: what stays behind it in this file is never read.
    }
    closeSync(file.fd);
    active = undefined;
  }

  function tidy(keepMs = options.keepMs): void {
    segments = deleteDone(segments, done, end, { ...options, keepMs });
  }

  tidy();
  return {
    opened,
    bases: () => segments.map((segment: Segment) => segment.base),
    append,
    checkpoint(position) {
      done = position;
      try {
        writeCheckpoint(directory, position);
      } catch (error) {
        // No room even for a number: what is done goes at once. A segment that is gone needs no checkpoint.
        tidy(0);
        throw error;
      }
      tidy();
    },
    close() {
      if (active !== undefined) closeSync(active.fd);
      active = undefined;
    },
  };
}

function writeAll(fd: number, bytes: Uint8Array, at: number): number {
  let written = 0;
  // A disk about to fill up writes less than asked, without an error; the next write gets it.
  while (written < bytes.length) {
    written += writeSync(fd, bytes, written, bytes.length - written, at + written);
  }
  return written;
}
