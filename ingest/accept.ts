import type { Budget } from './budget.ts';
import { type Counters, count } from './counters.ts';
import type { Journal } from './journal/journal.ts';
import type { Decoded } from './otlp/model.ts';
import { BadRequest } from './otlp/refusal.ts';
import type { Accept, Arrival, Outcome } from './outcome.ts';
import { type Unpacked, unpack } from './payload.ts';
import type { Queue } from './queue.ts';
import type { Seen } from './seen.ts';
import { TooLarge } from './too-large.ts';

export interface AcceptOptions {
  readonly journal: Journal;
  readonly queue: Queue;
  /** Bytes of decoded requests that wait for the disk. */
  readonly budget: Budget;
  /** Largest body after decompression. */
  readonly maxBodyBytes: number;
  readonly seen: Seen;
  readonly counters: Counters;
  readonly report: (problem: unknown) => void;
}

const full = 'the journal is full: the store behind it is slow or away';
const messages = { full, disk: 'the disk does not take more', closing: 'shutting down' } as const;

/**
 * Takes a request in: decodes it, which decides what is refused, then makes it durable, then hands it to the writer.
 */
export function createAccept(options: AcceptOptions): Accept {
  const { budget, counters, report } = options;
  return async (arrival) => {
    let unpacked: Unpacked;
    try {
      unpacked = unpack(arrival, options.maxBodyBytes);
    } catch (error) {
      if (!(error instanceof BadRequest || error instanceof TooLarge)) throw error;
      if (error instanceof BadRequest) report(`refused ${arrival.signal}: ${error.message}`);
      const refusal = error instanceof TooLarge ? 'too_large' : 'malformed';
      return { kind: 'refused', refusal, message: error.message };
    }
    if (!budget.take(unpacked.bytes)) {
      return {
        kind: 'busy',
        retryAfterSeconds: 1,
        message: 'too many bytes of requests in memory',
      };
    }
    try {
      return await store(options, arrival, unpacked);
    } finally {
      budget.give(unpacked.bytes);
    }

    async function store(
      { journal, queue, seen }: AcceptOptions,
      { signal, encoding, compression, project, body }: Arrival,
      { payload, bytes }: Unpacked,
    ): Promise<Outcome> {
      const { decoded } = payload;
      const key = seen.keyOf(arrival);
      counters.decompressedBytes += bytes;
      // Nothing to keep: an empty request is a success, one of bad items only is as partial as it gets.
      if (seen.has(key)) counters.deduplicated[signal] += decoded.items;
      else if (decoded.items > 0) {
        const receivedAt = Date.now();
        const record = { signal, encoding, compression, project, receivedAt, body };
        const appended = await journal.append(record);
        if (appended.kind === 'busy') {
          const retryAfterSeconds = appended.why === 'full' ? 5 : 10;
          return { kind: 'busy', retryAfterSeconds, message: messages[appended.why] };
        }
        seen.add(key);
        const { position, next } = appended;
        queue.offer({ position, next, project, receivedAt, payload, bytes });
      }
      counters.received[signal] += decoded.items + decoded.rejected;
      counters.accepted[signal] += decoded.items;
      return decoded.rejected === 0 ? { kind: 'accepted' } : partial(arrival, decoded);
    }

    function partial({ signal }: Arrival, { rejected, rules, reasons }: Decoded<unknown>): Outcome {
      for (const [rule, items] of rules) count(counters.rejected, rule, items);
      const more = rejected > reasons.length ? `; and ${rejected - reasons.length} more` : '';
      const message = `${reasons.join('; ')}${more}`;
      report(`refused ${rejected} items of ${signal}: ${message}`);
      return { kind: 'partial', rejected, message };
    }
  };
}
