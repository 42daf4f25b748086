/** A growing little-endian byte buffer. */
export class ByteWriter {
  #buffer: Buffer;
  #view: DataView;
  #end = 0;

  constructor(capacity: number) {
    this.#buffer = Buffer.allocUnsafe(capacity);
    this.#view = viewOf(this.#buffer);
  }

  get length(): number {
    return this.#end;
  }

  /** A copy-free view of what was written; further writes may or may not show in it. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#end);
  }

  /** Makes room for `size` bytes and returns where they start. May replace buffer and view: call it before using them. */
  #take(size: number): number {
    const at = this.#end;
    if (at + size > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, at + size));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
      this.#view = viewOf(larger);
    }
    this.#end = at + size;
    return at;
  }

  u8(value: number): void {
    const at = this.#take(1);
    this.#buffer[at] = value;
  }

  u16(value: number): void {
    const at = this.#take(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.#take(4);
    this.#view.setUint32(at, value, true);
  }

  u64(value: bigint): void {
    const at = this.#take(8);
    this.#view.setBigUint64(at, value, true);
  }

  i64(value: bigint): void {
    const at = this.#take(8);
    this.#view.setBigInt64(at, value, true);
  }

  /** An unsigned 64-bit integer given as a safe non-negative number. */
  u64Number(value: number): void {
    const at = this.#take(8);
    this.#view.setUint32(at, value >>> 0, true);
    this.#view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  }

  f64(value: number): void {
    const at = this.#take(8);
    this.#view.setFloat64(at, value, true);
  }

  /** Writes again the `size` bytes that were written at `from`, so many times. */
  repeat(from: number, size: number, times = 1): void {
    const at = this.#take(size * times);
    const buffer = this.#buffer;
    if (size === 1) buffer.fill(buffer[from] ?? 0, at, at + times);
    else for (let n = 0; n < times; n += 1) buffer.copyWithin(at + n * size, from, from + size);
  }

  zeros(size: number): void {
    const at = this.#take(size);
    this.#buffer.fill(0, at, at + size);
  }

  /** LEB128. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.u8(rest);
  }

  /** Byte length as varint, then UTF-8; a lone surrogate becomes U+FFFD. */
  text(value: string): void {
    // One UTF-16 unit takes at most 3 bytes, so up to 42 units the length surely fits one varint byte.
    if (value.length <= 42) {
      const at = this.#take(1 + value.length * 3);
      const written = this.#shortAscii(value, at + 1) ?? this.#buffer.write(value, at + 1, 'utf8');
      this.#buffer[at] = written;
      this.#end = at + 1 + written;
      return;
    }
    const size = Buffer.byteLength(value, 'utf8');
    this.varint(size);
    const at = this.#take(size);
    this.#buffer.write(value, at, 'utf8');
  }

  /** Copies character by character, which below some 40 characters beats the call into native code by 2 to 3 times. */
  #shortAscii(value: string, at: number): number | null {
    const buffer = this.#buffer;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 0x7f) return null;
      buffer[at + i] = unit;
    }
    return value.length;
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
