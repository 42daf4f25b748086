import { StringDecoder } from 'node:string_decoder';

/** Text out of bytes that come in pieces; a byte order mark at the beginning is no text. */
export interface Utf8 {
  readonly write: (bytes: Uint8Array) => string;
  /** What is left of a character whose bytes did not all come. */
  readonly end: () => string;
}

/** Node's own decoder, five times as fast on the small chunks of a stream as `TextDecoder` with `stream: true`. */
export function utf8(): Utf8 {
  const decoder = new StringDecoder('utf8');
  let started = false;
  return {
    write: (bytes) => {
      const text = decoder.write(bytes as Buffer);
      if (started || text === '') return text;
      started = true;
      return text.startsWith('\uFEFF') ? text.slice(1) : text;
    },
    end: () => decoder.end(),
  };
}
