import { type Json, parse, record } from './json.ts';

/** Reads the chunks of a stream that differ from the one before in nothing but what is said. */
export interface RepeatedChunk {
  /** What the chunk says, when it is otherwise the one that was parsed last. */
  readonly said: (data: string) => string | undefined;
  /** Told of each chunk that had to be parsed. */
  readonly parsed: (data: string, chunk: Json) => void;
}

/** OpenAI pads its chunks, so that their lengths do not tell what is in them. */
const padding = /,"obfuscation":"[^"\\]*"\}$/;
const onlyPadding = new RegExp(`^${padding.source}`);
const maxTries = 4;

/**
 * Most chunks repeat the one before, but for a word: to see that is cheaper than to parse them. `saidBy` gives the text of a
 * chunk that does nothing but say it. Where the text stands is proved by parsing the chunk with another in its place.
 */
export function repeatedChunk(saidBy: (chunk: Json) => string | undefined): RepeatedChunk {
  let before = '';
  let after = '';
  let padded = false;
  let tries = 0;
  return {
    said: (data) => {
      if (before === '' || !data.startsWith(before)) return undefined;
      const end = data.indexOf('"', before.length);
      if (end < 0 || !data.startsWith(after, end)) return undefined;
      const rest = end + after.length;
      if (padded ? !onlyPadding.test(data.slice(rest)) : rest !== data.length) return undefined;
      const text = data.slice(before.length, end);
      return text.includes('\\') ? undefined : text;
    },
    parsed: (data, chunk) => {
      before = '';
      const text = saidBy(chunk);
      if (!text || tries >= maxTries) return;
      tries += 1;
      const at = data.indexOf(JSON.stringify(text)) + 1;
      const end = at + text.length;
      if (at === 0 || data[end] !== '"') return;
      const other = record(parse(`${data.slice(0, end)}!${data.slice(end)}`));
      if (!other || saidBy(other) !== `${text}!`) return;
      const tail = padding.exec(data)?.index ?? data.length;
      if (tail < end) return;
      [before, after, padded, tries] = [
        data.slice(0, at),
        data.slice(end, tail),
        tail < data.length,
        0,
      ];
    },
  };
}
