import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { encodeHeader, type JournalRecord, seal } from './journal/record.ts';
import { syncDirectory } from './journal/segments.ts';

/** Requests that were acknowledged but cannot be stored, kept as received until a person looks at them. */
export interface Quarantine {
  readonly requests: number;
  readonly bytes: number;
  /** Durable when it returns. False when the quarantine is full: the caller must not go on without the request. */
  put(record: JournalRecord, position: number): boolean;
}

const extension = '.request';

/** Each request is a file with one journal record, named by its position and the time of its receipt. */
export function openQuarantine(directory: string, maxBytes: number): Quarantine {
  mkdirSync(directory, { recursive: true });
  const sizes = readdirSync(directory)
    .filter((name) => name.endsWith(extension))
    .map((name) => statSync(join(directory, name)).size);
  let requests = sizes.length;
  let bytes = sizes.reduce((sum, size) => sum + size, 0);

  return {
    get requests() {
      return requests;
    },
    get bytes() {
      return bytes;
    },
    put(record, position) {
      const header = encodeHeader(record);
      // Position 0: the file is read by itself.
      seal(header, record.body, 0);
      const size = header.length + record.body.length;
      if (bytes + size > maxBytes) return false;
      const name = `${String(position).padStart(16, '0')}-${record.receivedAt}${extension}`;
      const path = join(directory, name);
      writeDurably(path, [header, record.body]);
      syncDirectory(directory);
      requests += 1;
      bytes += size;
      return true;
    },
  };
}

function writeDurably(path: string, parts: readonly Uint8Array[]): void {
  const fd = openSync(path, 'w');
  try {
    for (const part of parts) {
      let written = 0;
      while (written < part.length) written += writeSync(fd, part, written);
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
