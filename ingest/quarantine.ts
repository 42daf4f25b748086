import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { encodeHeader, type JournalRecord, parse, seal } from './journal/record.ts';
import { syncDirectory } from './journal/segments.ts';

/** Requests that were acknowledged but cannot be stored, kept as received until a person looks at them. */
export interface Quarantine {
  readonly requests: number;
  readonly bytes: number;
  /** Durable when it returns. False when the quarantine is full: the caller must not go on without the request. */
  put(record: JournalRecord, position: number, why: string): boolean;
}

const extension = '.request';
const whyExtension = '.why';

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
    put(record, position, why) {
      const header = encodeHeader(record);
      // Position 0: the file is read by itself.
      seal(header, record.body, 0);
      const size = header.length + record.body.length;
      if (bytes + size > maxBytes) return false;
      const name = `${String(position).padStart(16, '0')}-${record.receivedAt}${extension}`;
      const path = join(directory, name);
      // First: the request itself is what says that it is here.
      writeDurably(`${path}${whyExtension}`, [Buffer.from(why)]);
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

/** A request in quarantine, and what refused it. */
export interface Kept {
  /** File name, unique and in the order of the journal. */
  readonly name: string;
  readonly record: JournalRecord;
  readonly why: string;
}

/** What is kept, oldest first; a file that cannot be read back is passed to `onDamage` and stays where it is. */
export function* listQuarantine(
  directory: string,
  onDamage: (name: string) => void,
): Generator<Kept> {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory).sort()) {
    if (!name.endsWith(extension)) continue;
    const path = join(directory, name);
    const parsed = parse(readFileSync(path), 0, 0);
    if (parsed.kind !== 'record') {
      onDamage(name);
      continue;
    }
    const whyPath = `${path}${whyExtension}`;
    const why = existsSync(whyPath) ? readFileSync(whyPath, 'utf8') : 'unknown';
    yield { name, record: parsed.record, why };
  }
}

/** Forgets a request that is durable elsewhere. */
export function removeKept(directory: string, name: string): void {
  rmSync(join(directory, name));
  rmSync(join(directory, `${name}${whyExtension}`), { force: true });
}
