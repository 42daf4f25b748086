import type { Hash } from './blobs.ts';
import { canonicalText, parseJson } from './values.ts';

/** Identity of an agent without labels (BEHAVIOUR §1.15). */
export interface Fingerprints {
  readonly prompt: string;
  readonly toolset: string;
  /** Hash of both; '' when neither is known. */
  readonly agentVersion: string;
}

/** What the fingerprints are taken from; stated ones come from the instrumentation, which has the content. */
export interface FingerprintInput {
  readonly statedPrompt: string;
  readonly statedToolset: string;
  readonly system: string;
  readonly tools: readonly string[];
}

/**
 * What changes from call to call inside one prompt version. Repetitions are bounded, so that no text of a hostile
 * prompt costs more than linear time.
 */
const masks: readonly (readonly [RegExp, string])[] = [
  [/"[^"\n]{0,400}"|“[^”\n]{0,400}”|`[^`\n]{0,400}`/g, '<quote>'],
  [/(?<=^|[\s(:])'[^'\n]{1,400}'(?=$|[\s.,;:)])/gm, '<quote>'],
  [/[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}/g, '<email>'],
  [
    /\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\b(?=\.? ?\d)|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b/gi,
    '<date>',
  ],
  [/\b(?=\w{0,64}\d)(?=\w{0,64}[a-z])\w{6,64}(?:-\w{1,64}){0,8}\b/gi, '<id>'],
  [/\d[\d.,:/TZ-]{0,40}/g, '<number>'],
  [/\s+/g, ' '],
];

/** A system prompt without numbers, dates, ids, e-mails and quoted text. */
export function normalisePrompt(text: string): string {
  return masks.reduce((masked, [pattern, to]) => masked.replace(pattern, to), text).trim();
}

/** Texts of a JSON parts array, or the text itself. */
function promptText(system: string): string {
  const data = parseJson(system);
  if (!Array.isArray(data)) return system;
  const texts = data.map((part: { content?: unknown; text?: unknown } | null) => {
    const content = part?.content ?? part?.text;
    return typeof content === 'string' ? content : '';
  });
  return texts.join('\n');
}

/** Tools in a stable order, so that neither the order of tools nor of keys changes the version. */
function toolsetText(tools: readonly string[]): string {
  return tools.map(canonicalText).sort().join('\n');
}

/** A hash of what `compute` makes of a text, remembered by the text's own hash: texts here are long and repeat. */
function remembered(hash: Hash, compute: (text: string) => string): (text: string) => string {
  const known = new Map<bigint, string>();
  return (text) => {
    const key = hash(text);
    const hit = known.get(key);
    if (hit !== undefined) return hit;
    const print = hash(compute(text)).toString(16).padStart(16, '0');
    if (known.size >= 10_000) known.clear();
    known.set(key, print);
    return print;
  };
}

/** Fingerprints by an xxh64; texts seen before are not read again. */
export function createFingerprints(hash: Hash): (input: FingerprintInput) => Fingerprints {
  const promptOf = remembered(hash, (system) => normalisePrompt(promptText(system)));
  const toolsetOf = remembered(hash, (joined) => toolsetText(joined.split('\u0000')));
  const version = remembered(hash, (both) => both);
  return ({ statedPrompt, statedToolset, system, tools }) => {
    const prompt = statedPrompt || (system === '' ? '' : promptOf(system));
    const set = statedToolset || (tools.length === 0 ? '' : toolsetOf(tools.join('\u0000')));
    const known = prompt !== '' || set !== '';
    return { prompt, toolset: set, agentVersion: known ? version(`${prompt} ${set}`) : '' };
  };
}
