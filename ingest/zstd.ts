import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import { TooLarge } from './too-large.ts';

type Native = (body: Uint8Array, options: { readonly maxOutputLength: number }) => Buffer;

/** Undefined before Node 22.15. */
const native = (zlib as { readonly zstdDecompressSync?: Native }).zstdDecompressSync;

/** RFC 8878 §3.1.1.1.2 asks decoders to take at least this window; senders that use more have to be told to. */
const maxWindow = 8 * 1024 * 1024;

/**
 * Undoes zstd, stopping as soon as the output passes `maxBytes`.
 *
 * @throws RangeError (native) or TooLarge beyond the limit, Error on anything that is not zstd
 */
export const unzstd: (body: Uint8Array, maxBytes: number) => Uint8Array =
  native === undefined
    ? unzstdPortable
    : (body, maxOutputLength) => native(body, { maxOutputLength });

/** The same without native code: frames are measured before any of them is decoded. */
export function unzstdPortable(body: Uint8Array, maxBytes: number): Uint8Array {
  measure(body, maxBytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  const stream = new Decompress((chunk) => {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    // A copy where the chunk is a view into the window, which the next block overwrites.
    chunks.push(chunk.slice());
  });
  stream.push(body, true);
  return Buffer.concat(chunks, length);
}

const frameMagic = 0xfd2f_b528;
const skippableMagic = 0x184d_2a50;

/**
 * Walks frames and blocks by their headers, so that a bomb is refused by its sizes: a window is memory that a decoder
 * takes before the first byte, and a run of one byte costs four bytes on the wire.
 */
function measure(body: Uint8Array, maxBytes: number): void {
  const buf = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  let at = 0;
  let known = 0;
  while (at < buf.length) {
    const magic = buf.readUInt32LE(at);
    if ((magic & 0xffff_fff0) >>> 0 === skippableMagic) {
      at += 8 + buf.readUInt32LE(at + 4);
      continue;
    }
    if (magic !== frameMagic) throw new Error('not a zstd frame');
    const frame = frameHeader(buf, at, maxBytes);
    at = frame.blocks;
    for (let last = false; !last; ) {
      const header = buf.readUIntLE(at, 3);
      last = (header & 1) === 1;
      const type = (header >> 1) & 3;
      const size = header >> 3;
      // 0 raw and 1 run say how long they get; of 2, compressed, only the decoder knows. 3 does not exist.
      if (type === 3 || size > 128 * 1024) throw new Error('not a zstd block');
      if (type !== 2) known += size;
      if (known > maxBytes) throw tooLarge(maxBytes);
      at += 3 + (type === 1 ? 1 : size);
    }
    at += frame.checksumBytes;
  }
  if (at > buf.length) throw new Error('the zstd frame ends early');
}

/** RFC 8878 §3.1.1.1. */
function frameHeader(buf: Buffer, at: number, maxBytes: number) {
  const flags = buf.readUInt8(at + 4);
  const single = (flags & 32) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3] ?? 0;
  const sizeCode = flags >> 6;
  const sizeBytes = sizeCode === 0 ? Number(single) : 2 ** sizeCode;
  const sizeAt = at + (single ? 5 : 6) + dictionaryBytes;
  const contentBytes = contentSize(buf, sizeAt, sizeBytes);
  if (contentBytes > maxBytes) throw tooLarge(maxBytes);
  if (!single) {
    const descriptor = buf.readUInt8(at + 5);
    const base = 2 ** (10 + (descriptor >> 3));
    if (base + (base / 8) * (descriptor & 7) > maxWindow) {
      throw new TooLarge(`the zstd window is larger than ${maxWindow} bytes`);
    }
  }
  return { blocks: sizeAt + sizeBytes, checksumBytes: (flags & 4) === 0 ? 0 : 4 };
}

function contentSize(buf: Buffer, at: number, bytes: number): number {
  switch (bytes) {
    case 0:
      return 0;
    case 2:
      return buf.readUInt16LE(at) + 256;
    case 8:
      return Number(buf.readBigUInt64LE(at));
    default:
      return buf.readUIntLE(at, bytes);
  }
}

function tooLarge(maxBytes: number): TooLarge {
  return new TooLarge(`the body is larger than ${maxBytes} bytes after decompression`);
}
