import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import type { Compression } from './journal/record.ts';
import { BadRequest } from './otlp/refusal.ts';
import { TooLarge } from './too-large.ts';
import { unzstd } from './zstd.ts';

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
    if (compression === 'zstd') return unzstd(body, maxBytes);
    return inflaterOf(body, compression)(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof TooLarge) throw cause;
    if (isOverLimit(cause)) throw new TooLarge(tooLarge(maxBytes), { cause });
    throw new BadRequest('body', `not ${compression}`, { cause });
  }
}

/** By code: reading behind the end of a broken zstd frame is a RangeError too. */
function isOverLimit(error: unknown): boolean {
  return error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
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
