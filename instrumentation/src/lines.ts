import type { SseReader } from './sse.ts';

const maxChars = 4_194_304;

/** Reads newline-delimited JSON from bytes; lines longer than 4 Mi characters are skipped. */
export function readLines(onLine: (line: string) => void): SseReader {
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  let size = 0;
  const keep = (piece: string): void => {
    size += piece.length;
    if (size <= maxChars) pieces.push(piece);
  };
  const endLine = (): void => {
    const line = pieces.join('').trim();
    if (line !== '' && size <= maxChars) onLine(line);
    pieces = [];
    size = 0;
  };
  const read = (text: string): void => {
    const [first = '', ...rest] = text.split('\n');
    keep(first);
    for (const piece of rest) {
      endLine();
      keep(piece);
    }
  };
  return {
    feed: (bytes) => read(decoder.decode(bytes, { stream: true })),
    end: () => {
      read(decoder.decode());
      endLine();
    },
  };
}
