import type { SourceAnswer } from './answer.ts';
import { isRecord, type Leaf, leavesOf, parseJson, visitScalars } from './json.ts';
import { schemasAt } from './json-schema.ts';
import type { Call, Content, Step, Unsourced } from './model.ts';
import { isScratchTool } from './tools.ts';

// Longer content is searched up to here: one huge document must not hold up an answer.
const maxText = 1_000_000;
// A string of more words is the model's own composition, not a value that it copied.
const maxWords = 8;

interface Entry {
  readonly content: Content;
  readonly step: Step;
  readonly lower: string;
}

/** Where argument values come from, of all external content that decisions saw. */
export interface Lineage {
  readonly sources: readonly SourceAnswer[];
  readonly unsourced: readonly Unsourced[];
}

/** Indexes content in the order in which it was first seen; see {@link traceArguments}. */
export interface ContentIndex {
  readonly add: (content: Content, step: Step) => void;
  /** The first content that `step` could see and that holds the value, by the ranks of BEHAVIOUR §2. */
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
  const byKeyAndValue = new Map<string, number[]>();
  const byValue = new Map<string, number[]>();
  const byWord = new Map<string, number[]>();
  const byNumber = new Map<number, number[]>();
  const whole = new Set<number>();
  for (const call of calls) {
    for (const leaf of leavesOf(isRecord(call.args) ? call.args : {})) {
      byKeyAndValue.set(pair(leaf.key, leaf.value), []);
      byValue.set(String(leaf.value), []);
      if (typeof leaf.value === 'number') {
        byNumber.set(leaf.value, []);
        whole.add(Math.trunc(leaf.value));
      }
      if (typeof leaf.value === 'string')
        for (const word of wordsOf(leaf.value.toLowerCase())) byWord.set(word, []);
    }
  }

  const wanted = new Set([...byWord.keys()].map(hashOf));

  function add(content: Content, step: Step) {
    if (content.text === null || content.own) return;
    const text = content.text.slice(0, maxText);
    const at = entries.length;
    const lower = text.toLowerCase();
    entries.push({ content, step, lower });
    visitText(text, (key, value) => {
      const name = String(value);
      const same = byValue.get(name);
      if (same === undefined) return;
      post(same, at);
      post(byKeyAndValue.get(pair(key, value)), at);
    });
    if (byWord.size > 0) eachWord(lower, wanted, (word) => post(byWord.get(word), at));
    if (byNumber.size > 0 && mayHold(lower, whole))
      for (const number of numbersIn(lower)) post(byNumber.get(number), at);
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
    return first(step, rarest, ({ lower }) => holdsToken(lower, needle));
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

function pair(key: string, value: Leaf['value']): string {
  return `${key.length}:${key}${value}`;
}

function post(list: number[] | undefined, at: number) {
  if (list !== undefined && list.at(-1) !== at) list.push(at);
}

function wordsOf(lower: string): string[] {
  return lower.match(/[\p{L}\p{N}_]+/gu) ?? [];
}

const fnvPrime = 0x01000193;
const fnvBasis = 0x811c9dc5 | 0;

function hashOf(word: string): number {
  let hash = fnvBasis;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), fnvPrime);
  return hash;
}

/** Tells the words of a lower-case text whose hash is wanted. Most are not, and are never cut out of the text. */
function eachWord(lower: string, wanted: ReadonlySet<number>, tell: (word: string) => void) {
  let start = -1;
  let hash = fnvBasis;
  for (let i = 0; i <= lower.length; i++) {
    const code = lower.charCodeAt(i);
    if (code >= 128) {
      // Letters of other scripts take the long way.
      for (const word of wordsOf(lower)) if (wanted.has(hashOf(word))) tell(word);
      return;
    }
    if ((code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 95) {
      if (start < 0) start = i;
      hash = Math.imul(hash ^ code, fnvPrime);
    } else if (start >= 0) {
      if (wanted.has(hash)) tell(lower.slice(start, i));
      start = -1;
      hash = fnvBasis;
    }
  }
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

/** Whether a run of digits could be one of the numbers: cheap, and true too often rather than too seldom. */
function mayHold(text: string, whole: ReadonlySet<number>): boolean {
  let run = -1;
  let part = -1;
  for (let i = 0; i <= text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9) {
      run = Math.max(run, 0) * 10 + digit;
      part = Math.max(part, 0) * 10 + digit;
    } else if (run >= 0) {
      if (whole.has(part) || whole.has(run)) return true;
      part = -1;
      // A comma may part two numbers, or the thousands of one.
      if (digit !== -4) run = -1;
    }
  }
  return false;
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

/**
 * The source of each argument value of a call, and the values that have none. Null for a call whose arguments are not
 * known. Blind spots: values that the model derived (dates from "May 20th", sums), and text of more than eight words.
 */
export function traceArguments(call: Call, step: Step, index: ContentIndex): Lineage | null {
  if (call.args === null) return null;
  const schema = step.toolset?.parameters.get(call.tool);
  const sources = new Map<string, string[]>();
  const unsourced: Unsourced[] = [];
  for (const leaf of leavesOf(isRecord(call.args) ? call.args : {})) {
    if (leaf.value === null || leaf.value === '') continue;
    const member = isMember(schema, leaf.pointer);
    const eligible = !member && isEligible(leaf.value);
    const source = index.find(step, leaf, eligible);
    if (source !== undefined) {
      const args = sources.get(source.id);
      if (args === undefined) sources.set(source.id, [leaf.pointer]);
      else args.push(leaf.pointer);
    } else if (needsSource(call, leaf, eligible, member)) {
      unsourced.push({ pointer: leaf.pointer, value: leaf.value as string | number, member });
    }
  }
  return { sources: [...sources].map(([from, args]) => ({ from, args })), unsourced };
}

function needsSource(call: Call, { value }: Leaf, eligible: boolean, member: boolean): boolean {
  if (isScratchTool(call.tool)) return false;
  if (typeof value === 'number') return eligible || (call.effect === 'write' && !member);
  return eligible && !isComposed(value);
}

function isComposed(value: unknown): boolean {
  return typeof value === 'string' && value.trim().split(/\s+/).length > maxWords;
}

/** Values that say by themselves where they come from: the rest is too common to be traced by value alone. */
function isEligible(value: Leaf['value']): boolean {
  if (typeof value === 'number') return String(Math.abs(value)).replace(/\D/g, '').length >= 2;
  if (typeof value !== 'string') return false;
  const length = [...value].length;
  return length >= 4 || (length === 3 && (/\d/.test(value) || /^\p{Lu}+$/u.test(value)));
}

const members = new WeakMap<object, Map<string, boolean>>();
// Pointers that are remembered of a schema: more are those of one long list, or made up.
const maxPointers = 1_000;

/** Whether the schema says which values may stand there. Calls of one tool ask the same again and again. */
function isMember(schema: unknown, pointer: string): boolean {
  if (!isRecord(schema)) return false;
  const known = members.get(schema) ?? new Map<string, boolean>();
  members.set(schema, known);
  const before = known.get(pointer);
  if (before !== undefined) return before;
  const member = schemasAt(schema, pointer).some(
    (part) => isRecord(part) && (Array.isArray(part['enum']) || part['const'] !== undefined),
  );
  if (known.size < maxPointers) known.set(pointer, member);
  return member;
}
