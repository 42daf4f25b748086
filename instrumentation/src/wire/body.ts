import { type Json, parse, record } from './json.ts';

/**
 * The body of a request, cut where its fields begin and end. A conversation is long and rarely looked into: to cut it takes
 * a tenth of parsing it and writing it anew, so each field is parsed when it is first read.
 */
export interface RequestBody {
  readonly json: Json;
  /** Fields as they were written, a line each; empty where there is none. */
  readonly written: (...keys: readonly string[]) => string;
  /** The items of a list as they were written. */
  readonly items: (key: string) => readonly string[];
  /** Those of them that are objects. */
  readonly messages: (key: string) => readonly string[];
}

/** Messages that instruct the model, of those of a conversation. What is none by its first key is not parsed. */
export function instructions(messages: readonly string[]): Json[] {
  return messages
    .filter((message) => {
      const role = roleFirst.exec(message)?.[1];
      return role === undefined ? /"(?:system|developer)"/.test(message) : instructs(role);
    })
    .map((message) => record(parse(message)) ?? {})
    .filter(({ role }) => instructs(role));
}

const roleFirst = /^\{\s*"role"\s*:\s*"(\w+)"/;

function instructs(role: unknown): boolean {
  return role === 'system' || role === 'developer';
}

/** Shorter fields are parsed at once: that is cheaper than to wait. */
const shortChars = 256;

/** `undefined` when the text is no JSON object. What is broken inside of a field counts as absent. */
export function requestBody(text: string): RequestBody | undefined {
  const pieces = cut(text, '{', '}');
  if (!pieces) return undefined;
  const json = Object.create(null) as Record<string, unknown>;
  const fields = new Map<string, string>();
  for (const piece of pieces) {
    const end = stringEnd(piece, piece.indexOf('"'));
    const colon = end < 0 ? -1 : piece.indexOf(':', end);
    const key = colon < 0 ? undefined : parse(piece.slice(0, end + 1));
    if (typeof key !== 'string') return undefined;
    const value = piece.slice(colon + 1).trim();
    fields.set(key, value);
    if (value.length <= shortChars) json[key] = parse(value);
    else later(json, key, value);
  }
  const written = (...keys: readonly string[]): string =>
    keys.map((key) => fields.get(key) ?? '').join('\n');
  const items = (key: string): readonly string[] => cut(written(key), '[', ']') ?? [];
  const messages = (key: string) => items(key).filter((item) => item.startsWith('{'));
  return { json, written, items, messages };
}

function later(json: Record<string, unknown>, key: string, value: string): void {
  const known = { configurable: true, enumerable: true };
  const get = (): unknown => {
    const parsed = parse(value);
    Object.defineProperty(json, key, { ...known, value: parsed });
    return parsed;
  };
  Object.defineProperty(json, key, { ...known, get });
}

/** What stands between the outer brackets, at their commas. Strings, most of the text, are passed over whole. */
function cut(text: string, open: '{' | '[', close: '}' | ']'): string[] | undefined {
  const first = text.search(/\S/);
  if (text[first] !== open) return undefined;
  const pieces: string[] = [];
  let depth = 0;
  let from = first + 1;
  for (let at = first; at >= 0 && at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') {
      at = stringEnd(text, at);
      if (at < 0) return undefined;
    } else if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') {
      depth -= 1;
      if (depth > 0) continue;
      const last = text.slice(from, at).trim();
      if (last !== '') pieces.push(last);
      else if (pieces.length > 0) return undefined;
      return char === close && text.slice(at + 1).trim() === '' ? pieces : undefined;
    } else if (char === ',' && depth === 1) {
      pieces.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  return undefined;
}

/** Where the string ends that begins there; −1 when it does not. */
function stringEnd(text: string, start: number): number {
  if (start < 0) return -1;
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text[end - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return -1;
}
