import { isRecord, type Leaf, leavesOf, parseJson, visitScalars } from './json.ts';
import type { Call, Content, Step } from './model.ts';
import { createWordSearch, wordsOf } from './word-search.ts';

// Longer content is searched up to here: one huge document must not hold up an answer.
const maxText = 1_000_000;

interface Entry {
  readonly content: Content;
  readonly step: Step;
}

/** Content in the order in which it was first seen; see {@link traceArguments}. */
export interface ContentIndex {
  readonly add: (content: Content, step: Step) => void;
  /**
   * The first content that `step` could see and that holds the value, by the ranks of BEHAVIOUR §2. A value without a
   * letter or digit is found in JSON only.
   */
  readonly find: (step: Step, leaf: Leaf, eligible: boolean) => Content | undefined;
}

/**
 * Indexes no more of the content than the values of these calls may be asked for. `sees(step, origin)`: whether content
 * first seen by `origin` is in the context of `step`.
 */
export function indexContent(
  sees: (step: Step, origin: Step) => boolean,
  calls: readonly Call[],
): ContentIndex {
  const entries: Entry[] = [];
  const { byKeyAndValue, byValue, byWord, byNumber, values } = emptyLists(calls);
  const search = createWordSearch(values);

  function add(content: Content, step: Step) {
    if (content.text === null || content.own) return;
    const text = content.text.slice(0, maxText);
    const at = entries.length;
    const lower = lowerOf(content);
    entries.push({ content, step });
    // Most content holds no word of any value: it is not parsed. An escaped value has other words.
    const any = search(lower, (word) => post(byWord.get(word), at));
    if (any.words || text.includes('\\'))
      visitText(text, (key, value) => {
        const same = byValue.get(String(value));
        if (same === undefined) return;
        post(same, at);
        post(byKeyAndValue.get(pair(key, value)), at);
      });
    if (any.numbers) for (const number of numbersIn(lower)) post(byNumber.get(number), at);
  }

  function first(step: Step, posted: readonly number[] | undefined, holds?: (e: Entry) => boolean) {
    for (const at of posted ?? []) {
      const entry = entries[at];
      if (entry !== undefined && sees(step, entry.step) && (holds === undefined || holds(entry)))
        return entry.content;
    }
    return undefined;
  }

  function inText(step: Step, value: string | number) {
    if (typeof value === 'number') return first(step, byNumber.get(value));
    const needle = value.toLowerCase();
    const lists = wordsOf(needle).map((word) => byWord.get(word) ?? []);
    const rarest = lists.toSorted((a, b) => a.length - b.length)[0];
    return first(step, rarest, ({ content }) => holdsToken(lowerOf(content), needle));
  }

  function find(step: Step, leaf: Leaf, eligible: boolean) {
    const { key, value } = leaf;
    const same = first(step, byKeyAndValue.get(pair(key, value)));
    if (same !== undefined || !eligible || typeof value === 'boolean' || value === null)
      return same;
    return first(step, byValue.get(String(value))) ?? inText(step, value);
  }

  return { add, find };
}

function lowerOf({ text }: Content): string {
  return (text ?? '').slice(0, maxText).toLowerCase();
}

/** A list to come for each value of the calls, each pair of it and its key, and each word in it. */
function emptyLists(calls: readonly Call[]) {
  const byKeyAndValue = new Map<string, number[]>();
  const byValue = new Map<string, number[]>();
  const byWord = new Map<string, number[]>();
  const byNumber = new Map<number, number[]>();
  const numbers = new Set<string>();
  const others = new Set<string>();
  for (const { args } of calls) {
    for (const { key, value } of isRecord(args) ? leavesOf(args) : []) {
      // A number and a string of its digits are one value in JSON, but two in text.
      const own = pair(key, value);
      const known = typeof value === 'number' ? numbers : others;
      if (known.has(own)) continue;
      known.add(own);
      byKeyAndValue.set(own, []);
      byValue.set(String(value), []);
      if (typeof value === 'number') byNumber.set(value, []);
      if (typeof value !== 'string') continue;
      for (const word of wordsOf(value.toLowerCase())) byWord.set(word, []);
    }
  }
  return {
    byKeyAndValue,
    byValue,
    byWord,
    byNumber,
    values: [...byValue.keys(), ...byNumber.keys()],
  };
}

function pair(key: string, value: Leaf['value']): string {
  return `${key.length}:${key}${value}`;
}

function post(list: number[] | undefined, at: number) {
  if (list !== undefined && list.at(-1) !== at) list.push(at);
}

/** The scalars of a text that is JSON; null is no value of anything. */
function visitText(text: string, visit: (key: string, value: Leaf['value']) => void) {
  if (!/^\s*[[{"\d-]/.test(text)) return;
  const value = parseJson(text);
  if (value === undefined) return;
  visitScalars(value, (key, own) => {
    if (own !== null) visit(key, own);
  });
}

// Not the parts of a date, a time or a version; `$` and thousands separators are no part of the number.
const numeral =
  /(?<![\p{L}\p{N}_])(?<!\d[-./:])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\p{L}\p{N}_])(?![-./:]\d)/gu;

function numbersIn(text: string): number[] {
  return (text.match(numeral) ?? []).map((digits) => Number(digits.replaceAll(',', '')));
}

const wordCharacter = /[\p{L}\p{N}_]/u;

/** Whether `needle` stands in `text` with no letter, digit or `_` touching it. */
function holdsToken(text: string, needle: string): boolean {
  for (let at = text.indexOf(needle); at !== -1; at = text.indexOf(needle, at + 1)) {
    const before = text[at - 1] ?? ' ';
    const after = text[at + needle.length] ?? ' ';
    if (!wordCharacter.test(before) && !wordCharacter.test(after)) return true;
  }
  return false;
}
