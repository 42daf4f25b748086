import type { Budget } from './budget.ts';
import { type Counters, count } from './counters.ts';
import type { Journal } from './journal/journal.ts';
import { BadRequest } from './otlp/refusal.ts';
import type { Accept, Arrival, Outcome } from './outcome.ts';
import { type Admitted, admit } from './payload.ts';
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
 * Takes a request in: looks through it, which decides what is refused, makes it durable, and hands it to the writer.
 */
export function createAccept(options: AcceptOptions): Accept {
  const { budget, counters, report } = options;
  return async (arrival) => {
    let admitted: Admitted;
    try {
      admitted = admit(arrival, options.maxBodyBytes, true);
    } catch (error) {
      if (!(error instanceof BadRequest || error instanceof TooLarge)) throw error;
      if (error instanceof BadRequest) report(`refused ${arrival.signal}: ${error.message}`);
      const refusal = error instanceof TooLarge ? 'too_large' : 'malformed';
      return { kind: 'refused', refusal, message: error.message };
    }
    if (!budget.take(admitted.bytes)) {
      return {
        kind: 'busy',
        retryAfterSeconds: 1,
        message: 'too many bytes of requests in memory',
      };
    }
    try {
      return await store(options, arrival, admitted);
    } finally {
      budget.give(admitted.bytes);
    }

    async function store(
      { journal, queue, seen }: AcceptOptions,
      { signal, encoding, compression, project, body }: Arrival,
      admitted: Admitted,
    ): Promise<Outcome> {
      const { items, rejected, bytes } = admitted;
      const key = seen.keyOf(arrival);
      counters.decompressedBytes += bytes;
      // Nothing to keep: an empty request is a success, one of bad items only is as partial as it gets.
      if (seen.has(key)) counters.deduplicated[signal] += items;
      else if (items > 0) {
        const receivedAt = Date.now();
        const record = { signal, encoding, compression, project, receivedAt, body };
        const appended = await journal.append(record);
        if (appended.kind === 'busy') {
          const retryAfterSeconds = appended.why === 'full' ? 5 : 10;
          return { kind: 'busy', retryAfterSeconds, message: messages[appended.why] };
        }
        seen.add(key);
        const { position, next } = appended;
        queue.offer({ ...admitted, position, next, project, receivedAt });
      }
      counters.received[signal] += items + rejected;
      counters.accepted[signal] += items;
      return rejected === 0 ? { kind: 'accepted' } : partial(arrival, admitted);
    }

    function partial({ signal }: Arrival, { rejected, rules, reasons }: Admitted): Outcome {
      for (const [rule, items] of rules) count(counters.rejected, rule, items);
      const more = rejected > reasons.length ? `; and ${rejected - reasons.length} more` : '';
      const message = `${reasons.join('; ')}${more}`;
      report(`refused ${rejected} items of ${signal}: ${message}`);
      return { kind: 'partial', rejected, message };
    }
  };
}
