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
  const decoder = new TextDecoder();
  /** Pieces of the line that has not ended yet: joined once, so that long lines cost linear time. */
  let pieces: string[] = [];
  let data: string[] = [];
  let size = 0;
  let afterCr = false;

  const dispatch = (): void => {
    const event = data;
    const whole = size <= maxChars;
    data = [];
    size = 0;
    if (event.length > 0 && whole) onData(event.join('\n'));
  };
  const keep = (piece: string): void => {
    size += piece.length;
    if (size <= maxChars) pieces.push(piece);
  };
  const endLine = (): void => {
    const line = pieces.join('');
    pieces = [];
    if (line === '') dispatch();
    else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    else if (data.length === 0) size = 0;
  };
  const read = (decoded: string): void => {
    if (decoded === '') return;
    const text = afterCr && decoded.startsWith('\n') ? decoded.slice(1) : decoded;
    afterCr = decoded.endsWith('\r');
    let from = 0;
    for (const match of text.matchAll(/\r\n|\n|\r/g)) {
      keep(text.slice(from, match.index));
      endLine();
      from = match.index + match[0].length;
    }
    keep(text.slice(from));
  };

  return {
    feed: (bytes) => read(decoder.decode(bytes, { stream: true })),
    end: () => {
      read(decoder.decode());
      if (pieces.join('') !== '') endLine();
      dispatch();
    },
  };
}
