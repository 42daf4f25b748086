import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import type { Compression } from './journal/record.ts';
import { BadRequest } from './otlp/refusal.ts';

/** The body is larger than allowed, before or after decompression. */
export class TooLarge extends Error {
  override readonly name = 'TooLarge';
}

/**
 * The body as its sender wrote it. Stops as soon as the output passes `maxBytes`, so a bomb costs at most that.
 * Synchronous on purpose: zlib's asynchronous form queues on libuv's pool behind the engine's queries.
 *
 * @throws TooLarge, BadRequest
 */
export function inflate(body: Uint8Array, compression: Compression, maxBytes: number): Uint8Array {
  if (compression === 'none') {
    if (body.length > maxBytes) throw new TooLarge(tooLarge(maxBytes));
    return body;
  }
  try {
    return inflaterOf(body, compression)(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof RangeError) throw new TooLarge(tooLarge(maxBytes), { cause });
    throw new BadRequest('body', `not ${compression}`, { cause });
  }
}

function inflaterOf(body: Uint8Array, compression: 'gzip' | 'deflate'): typeof gunzipSync {
  if (compression === 'gzip') return gunzipSync;
  // HTTP's "deflate" means zlib's format (RFC 9110 §8.4.1.2), and some clients send the raw stream.
  const [first = 0, second = 0] = body;
  const zlib = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
  return zlib ? inflateSync : inflateRawSync;
}

function tooLarge(maxBytes: number): string {
  return `the body is larger than ${maxBytes} bytes after decompression`;
}
