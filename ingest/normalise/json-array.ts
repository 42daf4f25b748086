import { grow } from './growing.ts';

const quote = 34;
const comma = 44;
const backslash = 92;

/** The end of the string that opens at `from`: the index of its closing quote, -1 when there is none. */
function stringEnd(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return at;
  }
  return -1;
}

/**
 * Splits the text of a JSON array into the raw texts of its elements, so that `[` + elements joined with `,` + `]` is
 * the text again, byte for byte. Null when it is no array that starts and ends with the text; elements are not parsed.
 */
export function splitArray(text: string): string[] | null {
  const last = text.length - 1;
  if (last < 1 || text[0] !== '[' || text[last] !== ']') return null;
  if (last === 1) return [];
  const elements: string[] = [];
  let depth = 0;
  let start = 1;
  for (let i = 1; i < last; i++) {
    const c = text.charCodeAt(i);
    if (c === quote) {
      i = stringEnd(text, i);
      if (i < 0 || i >= last) return null;
    } else if (c === 91 || c === 123) depth++;
    else if (c === 93 || c === 125) {
      if (--depth < 0) return null;
    } else if (c === comma && depth === 0) {
      elements.push(text.slice(start, i));
      start = i + 1;
    }
  }
  if (depth !== 0) return null;
  elements.push(text.slice(start, last));
  return elements.some((element) => element.trim() === '') ? null : elements;
}

/** Splits like {@link splitArray}; texts of one group are expected to grow. */
export type Split = (group: string, text: string) => readonly string[] | null;

/** How many groups a splitter remembers; it then starts afresh. */
const maxGroups = 1000;

/**
 * A splitter that remembers the last text of each group. Chats send their whole history with every call: where the
 * last text is a prefix of the new one only the rest is scanned, and the elements stay the same strings.
 */
export function createSplitter(): Split {
  const last = new Map<string, { readonly text: string; readonly elements: readonly string[] }>();
  return (group, text) => {
    const known = last.get(group);
    if (known?.text === text) return known.elements;
    const elements = known === undefined ? splitArray(text) : extend(known, text);
    if (elements === null) return null;
    if (last.size >= maxGroups) last.clear();
    last.set(group, { text, elements });
    return elements;
  };
}

function extend(
  known: { readonly text: string; readonly elements: readonly string[] },
  text: string,
): readonly string[] | null {
  const end = known.text.length - 1;
  const grown =
    known.elements.length > 0 &&
    text.charCodeAt(end) === comma &&
    // Not `startsWith`, which compares character by character: 30 µs for 13 kB, where this takes 1.
    text.slice(0, end) === known.text.slice(0, end);
  if (!grown) return splitArray(text);
  const rest = splitArray(`[${text.slice(end + 1)}`);
  return rest === null || rest.length === 0 ? splitArray(text) : grow(known.elements, rest);
}
