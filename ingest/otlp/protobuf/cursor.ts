import { maxElements } from '../admission.ts';
import { BadRequest } from '../refusal.ts';

/**
 * A place in a protobuf message. State only; every reader is a free function that checks against `end` before it reads,
 * so no reader can leave the message it stands in.
 */
export interface Cursor {
  readonly buf: Buffer;
  pos: number;
  /** End of the innermost open message. */
  end: number;
  /** Messages that may still be entered. */
  left: number;
  /** Keys read last, by a hash of a few of their bytes. */
  readonly keys: (Key | undefined)[];
}

/** A key and where it stands in the body. */
interface Key {
  readonly at: number;
  readonly length: number;
  readonly text: string;
}

/** A cursor over the whole of `body`, without copying it. */
export function cursor(body: Uint8Array): Cursor {
  const buf = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return { buf, pos: 0, end: buf.length, left: maxElements, keys: [] };
}

export function broken(c: Cursor, what: string): BadRequest {
  return new BadRequest(`byte ${c.pos}`, what);
}

/** A field's full tag: field number << 3 | wire type. */
export function tag(c: Cursor): number {
  const start = c.pos;
  const value = varint(c);
  if (value > 0xffff_ffff || value < 8) {
    c.pos = start;
    throw broken(c, 'not a field tag');
  }
  return value;
}

/** A varint as a number: exact up to 2^53, enough for tags, lengths and enums. At most 10 bytes. */
export function varint(c: Cursor): number {
  const { buf, end } = c;
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 10; i += 1) {
    if (c.pos >= end) throw broken(c, 'truncated varint');
    const byte = buf[c.pos] ?? 0;
    c.pos += 1;
    // Multiplication, not a shift: shifts wrap at 32 bits.
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  throw broken(c, 'varint longer than 10 bytes');
}

/** A varint as an exact unsigned 64-bit integer; bits beyond 64 are cut as protobuf does. */
export function varint64(c: Cursor): bigint {
  const { buf, end } = c;
  let low = 0;
  let high = 0n;
  for (let i = 0; i < 10; i += 1) {
    if (c.pos >= end) throw broken(c, 'truncated varint');
    const byte = buf[c.pos] ?? 0;
    c.pos += 1;
    // 7 bytes are 49 bits, exact in a number; the last three are not.
    if (i < 7) low += (byte & 0x7f) * 128 ** i;
    else high |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) return BigInt.asUintN(64, high | BigInt(low));
  }
  throw broken(c, 'varint longer than 10 bytes');
}

/** int32 and enums: negative values are ten-byte varints. */
export function int32(c: Cursor): number {
  const start = c.pos;
  const value = varint(c);
  if (value <= 0x7fff_ffff) return value;
  c.pos = start;
  return Number(BigInt.asIntN(32, varint64(c)));
}

export function fixed32(c: Cursor): number {
  const at = take(c, 4);
  return c.buf.readUInt32LE(at);
}

export function fixed64(c: Cursor): bigint {
  const at = take(c, 8);
  return c.buf.readBigUInt64LE(at);
}

export function double(c: Cursor): number {
  const at = take(c, 8);
  return c.buf.readDoubleLE(at);
}

/** UTF-8; invalid sequences become U+FFFD rather than an error, as odd values are kept. */
export function text(c: Cursor): string {
  const length = varint(c);
  const at = take(c, length);
  return c.buf.toString('utf8', at, c.pos);
}

/** Longer ones repeat seldom. */
const maxKey = 64;

/**
 * {@link text} for what a request repeats in every item: it is compared with its last occurrence, which takes a quarter of
 * making a string again, and whoever looks such a key up finds its hash computed.
 */
export function key(c: Cursor): string {
  const length = varint(c);
  const at = take(c, length);
  const { buf, keys } = c;
  if (length === 0 || length > maxKey) return buf.toString('utf8', at, c.pos);
  const middle = (buf[at + (length >> 1)] ?? 0) * 7 + (buf[at + (length >> 2)] ?? 0) * 3;
  const slot = (length * 5 + middle + (buf[at + length - 1] ?? 0)) & 0xff;
  const known = keys[slot];
  if (known !== undefined && known.length === length && isEqual(buf, known.at, at, length)) {
    return known.text;
  }
  const text = buf.toString('utf8', at, c.pos);
  keys[slot] = { at, length, text };
  return text;
}

function isEqual(buf: Buffer, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i += 1) if (buf[a + i] !== buf[b + i]) return false;
  return true;
}

/** A copy: the body's buffer goes on to the journal's thread. */
export function bytes(c: Cursor): Uint8Array {
  const length = varint(c);
  const at = take(c, length);
  return new Uint8Array(c.buf.subarray(at, c.pos));
}

/** An id as lower-case hex, `''` when empty; `undefined` when it has neither 0 nor `size` bytes. */
export function hex(c: Cursor, size: number): string | undefined {
  const length = varint(c);
  const at = take(c, length);
  if (length === 0) return '';
  return length === size ? c.buf.toString('hex', at, c.pos) : undefined;
}

/** Enters an embedded message: `end` becomes the message's end; returns the outer end for {@link close}. */
export function open(c: Cursor): number {
  const length = varint(c);
  if (length > c.end - c.pos) throw broken(c, 'length beyond the end of the message');
  c.left -= 1;
  if (c.left < 0)
    throw broken(c, `more than ${maxElements} spans, attributes, values and the like`);
  const outer = c.end;
  c.end = c.pos + length;
  return outer;
}

/** Leaves the message entered by {@link open}, wherever in it the cursor stands. */
export function close(c: Cursor, outer: number): void {
  c.pos = c.end;
  c.end = outer;
}

/** Passes over an unknown field. Groups left protobuf before OTLP began: a group tag means broken framing. */
export function skip(c: Cursor, wireType: number): void {
  switch (wireType) {
    case 0:
      varint(c);
      return;
    case 1:
      take(c, 8);
      return;
    case 2:
      take(c, varint(c));
      return;
    case 5:
      take(c, 4);
      return;
    default:
      throw broken(c, `wire type ${wireType}`);
  }
}

function take(c: Cursor, length: number): number {
  if (length > c.end - c.pos) throw broken(c, 'length beyond the end of the message');
  const at = c.pos;
  c.pos += length;
  return at;
}
