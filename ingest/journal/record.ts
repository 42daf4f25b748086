import { crc32 } from 'node:zlib';
import type { Encoding } from '../otlp/decode.ts';

export type Signal = 'traces' | 'logs' | 'metrics';
export type Compression = 'none' | 'gzip' | 'deflate' | 'zstd';

/** One accepted request as received. */
export interface JournalRecord {
  readonly signal: Signal;
  readonly encoding: Encoding;
  readonly compression: Compression;
  readonly project: string;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly body: Uint8Array;
}

/** What stands at a place of a segment. */
export type Parsed =
  | { readonly kind: 'record'; readonly record: JournalRecord; readonly length: number }
  /** The buffer ends inside a record of `length` bytes (0: inside its header). */
  | { readonly kind: 'short'; readonly length: number }
  | { readonly kind: 'damaged' };

export const headerLength = 40;
/** Longest body: a request is at most 64 MiB before and after decompression; the rest is slack for other limits. */
const maxBodyLength = 256 * 1024 * 1024;
const maxProjectLength = 1024;

const magic = 0x314c_4a50; // 'PJL1' in file order
const magicBytes = Buffer.from('PJL1');

// Codes on disk: append only, never renumber.
const signals: readonly Signal[] = ['traces', 'logs', 'metrics'];
const encodings: readonly Encoding[] = ['protobuf', 'json'];
const compressions: readonly Compression[] = ['none', 'gzip', 'deflate', 'zstd'];

/**
 * Header and project of a record, to be followed by its body. Little-endian.
 *
 *      0 u32 magic 'PJL1'
 *      4 u32 CRC-32 of everything after it
 *      8 u32 length of the body
 *     12 u16 length of the project
 *     14 u8  signal
 *     15 u8  encoding
 *     16 u8  compression
 *     17 7 bytes, zero
 *     24 f64 received at, ms since 1970
 *     32 f64 position of the record in the journal
 *     40 project, UTF-8, then the body
 *
 * Checksum and position are set by {@link seal}. The position keeps bytes that only look like a record from being taken
 * for one when reading goes on behind damage: a body may hold anything, even a copy of a record.
 */
export function encodeHeader(record: JournalRecord): Uint8Array<ArrayBuffer> {
  const project = Buffer.from(record.project, 'utf8');
  if (project.length > maxProjectLength) throw new RangeError('project name is too long');
  // Not from Node's shared pool: the buffer is handed to another thread.
  const bytes = new Uint8Array(headerLength + project.length);
  const header = Buffer.from(bytes.buffer);
  header.writeUInt32LE(magic, 0);
  header.writeUInt32LE(record.body.length, 8);
  header.writeUInt16LE(project.length, 12);
  header[14] = signals.indexOf(record.signal);
  header[15] = encodings.indexOf(record.encoding);
  header[16] = compressions.indexOf(record.compression);
  header.writeDoubleLE(record.receivedAt, 24);
  header.set(project, headerLength);
  return bytes;
}

/** Completes a header; the journal's thread does it, as it knows the position and the checksum reads every byte. */
export function seal(header: Uint8Array, body: Uint8Array, position: number): void {
  const view = new DataView(header.buffer, header.byteOffset);
  view.setFloat64(32, position, true);
  const sum = crc32(header.subarray(8));
  // zlib's crc32 of no bytes forgets the sum it continues.
  view.setUint32(4, body.length === 0 ? sum : crc32(body, sum), true);
}

/**
 * Reads the record at `at`; `base` is the position of the buffer's first byte. The record's body is a view into `buf`.
 */
export function parse(buf: Buffer, at: number, base: number): Parsed {
  if (buf.length - at < headerLength) return { kind: 'short', length: 0 };
  const bodyLength = buf.readUInt32LE(at + 8);
  const projectLength = buf.readUInt16LE(at + 12);
  if (
    buf.readUInt32LE(at) !== magic ||
    buf.readDoubleLE(at + 32) !== base + at ||
    bodyLength > maxBodyLength ||
    projectLength > maxProjectLength
  ) {
    return { kind: 'damaged' };
  }
  const length = headerLength + projectLength + bodyLength;
  if (buf.length - at < length) return { kind: 'short', length };
  if (crc32(buf.subarray(at + 8, at + length)) !== buf.readUInt32LE(at + 4)) {
    return { kind: 'damaged' };
  }
  const signal = signals[buf[at + 14] ?? 255];
  const encoding = encodings[buf[at + 15] ?? 255];
  const compression = compressions[buf[at + 16] ?? 255];
  if (signal === undefined || encoding === undefined || compression === undefined) {
    return { kind: 'damaged' };
  }
  const bodyAt = at + headerLength + projectLength;
  const record = {
    signal,
    encoding,
    compression,
    project: buf.toString('utf8', at + headerLength, bodyAt),
    receivedAt: buf.readDoubleLE(at + 24),
    body: buf.subarray(bodyAt, at + length),
  };
  return { kind: 'record', record, length };
}

/** The next place after `at` where a whole record stands, or -1: how reading goes on behind damage. */
export function resync(buf: Buffer, at: number, base: number): number {
  let candidate = buf.indexOf(magicBytes, at + 1);
  while (candidate !== -1 && parse(buf, candidate, base).kind !== 'record') {
    candidate = buf.indexOf(magicBytes, candidate + 1);
  }
  return candidate;
}
