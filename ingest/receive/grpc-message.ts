import type { ServerHttp2Stream } from 'node:http2';
import type { Budget } from '../budget.ts';
import { joined } from './body.ts';

/** `bytes` has its length taken from the budget; whoever reads gives it back. */
export type Message =
  | { readonly kind: 'read'; readonly bytes: Uint8Array; readonly compressed: boolean }
  | { readonly kind: 'too_large' }
  | { readonly kind: 'no_memory' }
  | { readonly kind: 'broken'; readonly what: string }
  | { readonly kind: 'aborted' };

const prefixLength = 5;

/**
 * The one message of a unary call: a byte that says whether it is compressed, its length in four, and its bytes. Asks
 * the budget for each piece as it comes, as for a body over HTTP, and leaves the stream unread when the answer is no.
 */
export function readMessage(
  stream: ServerHttp2Stream,
  maxBytes: number,
  budget: Budget,
): Promise<Message> {
  return new Promise((resolve) => {
    const prefix = Buffer.alloc(prefixLength);
    const chunks: Uint8Array[] = [];
    /** Of the body: announced, and here. */
    let length: number | undefined;
    let received = 0;
    let filled = 0;

    const finish = (message: Message) => {
      stream.off('data', take).off('end', end).off('close', abort).pause();
      if (message.kind !== 'read') budget.give(received);
      resolve(message);
    };
    const abort = () => finish({ kind: 'aborted' });
    const end = () => {
      if (received !== length) finish({ kind: 'broken', what: 'the message ended early' });
      else finish({ kind: 'read', bytes: joined(chunks, received), compressed: prefix[0] === 1 });
    };
    const take = (chunk: Buffer) => {
      let rest = chunk;
      if (filled < prefixLength) {
        const part = rest.subarray(0, prefixLength - filled);
        prefix.set(part, filled);
        filled += part.length;
        rest = rest.subarray(part.length);
        if (filled < prefixLength) return;
      }
      if (length === undefined) {
        length = prefix.readUInt32BE(1);
        if ((prefix[0] ?? 2) > 1) return finish({ kind: 'broken', what: 'not a gRPC message' });
        if (length > maxBytes) return finish({ kind: 'too_large' });
      }
      if (received + rest.length > length) {
        return finish({ kind: 'broken', what: 'more than one message' });
      }
      if (!budget.take(rest.length)) return finish({ kind: 'no_memory' });
      received += rest.length;
      chunks.push(rest);
    };
    stream.on('data', take).on('end', end).on('close', abort);
  });
}
