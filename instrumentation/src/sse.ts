import { utf8 } from './utf8.ts';

const maxChars = 4_194_304;

/** Reads server-sent events from bytes; `onData` gets the joined `data` lines of each event. */
export interface SseReader {
  readonly feed: (bytes: Uint8Array) => void;
  /** Delivers an event that was not closed by an empty line before the end. */
  readonly end: () => void;
}

/**
 * WHATWG "event stream" parsing, for `data` only: lines end in LF, CRLF or CR. Events longer than 4 Mi characters are
 * skipped, so that memory stays bounded whatever the server sends.
 */
export function readSse(onData: (data: string) => void): SseReader {
  const decoder = utf8();
  /** The line that has not ended yet. */
  let line = '';
  let data: string | undefined;
  let size = 0;
  let afterCr = false;

  const dispatch = (): void => {
    const event = data;
    const whole = size <= maxChars;
    data = undefined;
    size = 0;
    if (event !== undefined && whole) onData(event);
  };
  const keep = (piece: string): void => {
    size += piece.length;
    if (size <= maxChars) line += piece;
  };
  const endLine = (): void => {
    const whole = line;
    line = '';
    if (whole === '') dispatch();
    else if (whole.startsWith('data:')) {
      const value = whole.slice(whole[5] === ' ' ? 6 : 5);
      data = data === undefined ? value : `${data}\n${value}`;
    } else if (data === undefined) size = 0;
  };
  const read = (decoded: string): void => {
    if (decoded === '') return;
    let text = afterCr && decoded.startsWith('\n') ? decoded.slice(1) : decoded;
    afterCr = decoded.endsWith('\r');
    if (text.includes('\r')) text = text.replace(/\r\n?/g, '\n');
    let from = 0;
    for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      keep(text.slice(from, to));
      endLine();
      from = to + 1;
    }
    if (from < text.length) keep(text.slice(from));
  };

  return {
    feed: (bytes) => read(decoder.write(bytes)),
    end: () => {
      read(decoder.end());
      if (line !== '') endLine();
      dispatch();
    },
  };
}
