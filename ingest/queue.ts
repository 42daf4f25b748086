import type { Journal } from './journal/journal.ts';
import type { Entry } from './journal/reader.ts';
import type { JournalRecord } from './journal/record.ts';
import { type Admitted, admit } from './payload.ts';

/** An accepted request on its way to the store. */
export interface Accepted extends Pick<Admitted, 'items' | 'bytes' | 'payload'> {
  readonly position: number;
  readonly next: number;
  readonly project: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
}

/** A request read back from the journal that this version cannot decode. */
export interface Undecodable {
  readonly position: number;
  readonly next: number;
  readonly record: JournalRecord;
  readonly error: unknown;
}

export interface QueueOptions {
  readonly journal: Journal;
  /** Bound of requests kept in memory, in bytes after decompression. */
  readonly maxBytes: number;
  /** Largest body after decompression. */
  readonly maxBodyBytes: number;
  readonly onDamage: (bytes: number) => void;
}

/**
 * The journal in order of its positions. What was just accepted is kept while there is room; what does not fit,
 * or was there at start, is read back from the files when its turn comes, so the queue never refuses anything.
 */
export interface Queue {
  /** Takes a durable request, if it fits and follows what is already there. */
  offer(accepted: Accepted): void;
  /** The next request, or undefined when there is none. */
  next(): Accepted | Undecodable | undefined;
  /** Position behind everything that {@link next} gave. */
  readonly position: number;
  readonly bytes: number;
  /** Resolves when something is offered, at once if something is there, or on {@link wake}. */
  available(): Promise<void>;
  wake(): void;
}

const stretchBytes = 8 * 1024 * 1024;

export function createQueue({ journal, maxBytes, maxBodyBytes, onDamage }: QueueOptions): Queue {
  const memory: Accepted[] = [];
  let memoryBytes = 0;
  let stretch: Entry[] = [];
  /** Behind what `next` gave, `stretch` and `memory` follow without a gap up to `tail`. */
  let position = journal.checkpointed;
  let tail = position;
  let resolveWaiting: (() => void) | undefined;

  function isEmpty(): boolean {
    return stretch.length === 0 && memory.length === 0 && tail >= journal.end;
  }

  function load(): void {
    const { entries, next, damagedBytes } = journal.read(tail, stretchBytes);
    if (damagedBytes > 0) onDamage(damagedBytes);
    stretch = [...entries];
    tail = next;
  }

  function decode({ record, position: at, next }: Entry): Accepted | Undecodable {
    try {
      const { project, receivedAt } = record;
      return { position: at, next, project, receivedAt, ...admit(record, maxBodyBytes) };
    } catch (error) {
      return { position: at, next, record, error };
    }
  }

  function fromMemory(): Accepted | undefined {
    const accepted = memory.shift();
    if (accepted !== undefined) memoryBytes -= accepted.bytes;
    return accepted;
  }

  function wake(): void {
    resolveWaiting?.();
    resolveWaiting = undefined;
  }

  return {
    wake,
    get position() {
      return position;
    },
    get bytes() {
      return memoryBytes;
    },
    offer(accepted) {
      if (accepted.position === tail && memoryBytes + accepted.bytes <= maxBytes) {
        memory.push(accepted);
        memoryBytes += accepted.bytes;
        tail = accepted.next;
      }
      wake();
    },
    next() {
      while (stretch.length === 0 && memory.length === 0 && tail < journal.end) load();
      const entry = stretch.shift();
      const taken = entry === undefined ? fromMemory() : decode(entry);
      // Nothing left: whatever damage lies before the tail has been passed over too.
      position = taken?.next ?? tail;
      return taken;
    },
    available() {
      if (!isEmpty()) return Promise.resolve();
      return new Promise((resolve) => {
        resolveWaiting = resolve;
      });
    },
  };
}
