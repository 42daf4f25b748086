import type { SseReader } from './sse.ts';
import { utf8 } from './utf8.ts';

const maxChars = 4_194_304;

/** Reads newline-delimited JSON from bytes; lines longer than 4 Mi characters are skipped. */
export function readLines(onLine: (line: string) => void): SseReader {
  const decoder = utf8();
  let line = '';
  let size = 0;
  const keep = (piece: string): void => {
    size += piece.length;
    if (size <= maxChars) line += piece;
  };
  const endLine = (): void => {
    const whole = line.trim();
    if (whole !== '' && size <= maxChars) onLine(whole);
    line = '';
    size = 0;
  };
  const read = (text: string): void => {
    let from = 0;
    for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      keep(text.slice(from, to));
      endLine();
      from = to + 1;
    }
    keep(text.slice(from));
  };
  return {
    feed: (bytes) => read(decoder.write(bytes)),
    end: () => {
      read(decoder.end());
      endLine();
    },
  };
}
