import { beforeAll, describe, expect, it } from 'vitest';
import xxhash from 'xxhash-wasm';
import type { SpanRow } from '../../store/tables/spans.ts';
import { batch, type Plain, random, span, value } from './fixtures.ts';
import { createSplitter, splitArray } from './json-array.ts';
import { createNormaliser, type NormalisedSpans, type Normaliser } from './normaliser.ts';
import { restorePayload } from './payload.ts';
import { codeOf, textOf } from './values.ts';

let normaliser: Normaliser;
beforeAll(async () => {
  normaliser = await createNormaliser();
});

/** The attributes of a stored span, put together again. */
function restored(row: SpanRow, messages: NormalisedSpans['messages']): Map<string, string> {
  const contents = new Map(messages.map((m) => [m.hash, m.content]));
  const content = (hash: bigint) => {
    const found = contents.get(hash);
    if (found === undefined) throw new Error(`no message ${hash}`);
    return found;
  };
  const moved = row.payload.map(([key, entry]) => [key, restorePayload(entry, content)] as const);
  return new Map([...row.attributes, ...moved]);
}

describe('splitArray', () => {
  it('gives the raw texts of the elements', () => {
    expect(splitArray('[{"a":"],[\\""},  [1,2] ,"x,y"]')).toEqual([
      '{"a":"],[\\""}',
      '  [1,2] ',
      '"x,y"',
    ]);
  });

  it('knows the empty array', () => {
    expect(splitArray('[]')).toEqual([]);
  });

  it.each(['', '[', '{}', '[1,]', '[,]', '[ ]', '[1]]', '["a]', '[1] ', '[{"a":1]', '["\\"]'])(
    'refuses %s',
    (text) => {
      expect(splitArray(text)).toBeNull();
    },
  );

  it('gives the text back when joined, for any array', () => {
    const next = random(7);
    const alphabet = ['"', '\\', '[', ']', '{', '}', ',', ' ', 'a', '1', 'é'];
    for (let i = 0; i < 20_000; i++) {
      const inner = Array.from({ length: Math.floor(next() * 12) }, () => pick(alphabet, next));
      const text = `[${inner.join('')}]`;
      const elements = splitArray(text);
      if (elements !== null) expect(`[${elements.join(',')}]`).toBe(text);
      if (isJsonArray(text) && text.slice(1, -1).trim() !== '') expect(elements).not.toBeNull();
    }
  });
});

describe('a splitter', () => {
  it('splits growing, shrinking and changing texts like the plain one', () => {
    const next = random(5);
    const split = createSplitter();
    let elements: string[] = [];
    for (let i = 0; i < 3000; i++) {
      if (next() < 0.1) elements = elements.slice(0, Math.floor(next() * elements.length));
      if (next() < 0.1 && elements.length > 0)
        elements[Math.floor(next() * elements.length)] = '{"edited":1}';
      for (let n = 0; n < next() * 3; n++)
        elements.push(pick(['{"a":"],"}', ' 1', '"x,y"', '', '[', '[1]'], next));
      const text = `[${elements.join(',')}]`;
      expect(split('trace', text)).toEqual(splitArray(text));
      if (elements.length > 20) elements = [];
    }
  });
});

describe('payload', () => {
  it('moves content of any size and other values over 2 kB', () => {
    const { spans, messages } = normaliser.normaliseSpans('p', [
      batch([
        span({
          attributes: {
            'gen_ai.input.messages': '[{"role":"user","parts":[]},{"role":"assistant","parts":[]}]',
            'gen_ai.completion': 'hello',
            'my.small': 'x'.repeat(2048),
            'my.large': 'x'.repeat(2049),
          },
        }),
      ]),
    ]);
    expect(spans[0]?.attributes.map(([key]) => key)).toEqual(['my.small']);
    const payload = new Map(spans[0]?.payload);
    expect(payload.get('gen_ai.input.messages')).toHaveLength(3);
    expect(payload.get('gen_ai.input.messages')?.[0]).toBe(0n);
    expect(payload.get('my.large')).toHaveLength(1);
    expect(messages.map((m) => m.content)).toContain('{"role":"user","parts":[]}');
  });

  it('addresses content by the xxh64 of its bytes, once per trace and day', async () => {
    const { h64 } = await xxhash();
    const attributes = { 'gen_ai.completion': 'grüße' };
    const other = { traceId: 'a'.repeat(32), attributes };
    const { messages } = normaliser.normaliseSpans('p', [
      batch([span({ attributes }), span({ attributes, spanId: 'b'.repeat(16) }), span(other)]),
    ]);
    const own = messages.filter((m) => m.content === 'grüße');
    expect(own.map((m) => m.trace_id).sort()).toEqual([
      '5b8efff798038103d269b633813fc60c',
      'a'.repeat(32),
    ]);
    expect(new Set(own.map((m) => m.hash))).toEqual(new Set([h64('grüße')]));
    expect(own[0]?.day).toBe(Date.UTC(2026, 10, 20) / 86_400_000);
  });

  it('gives every attribute back exactly, with its type, for any set', () => {
    const next = random(11);
    for (let i = 0; i < 400; i++) {
      const plain = anyAttributes(next);
      const { spans, messages } = normaliser.normaliseSpans('p', [
        batch([span({ attributes: plain })]),
      ]);
      const row = spans[0] as SpanRow;
      const expected = Object.entries(plain).map(([key, v]) => [key, textOf(value(v))] as const);
      expect(restored(row, messages)).toEqual(new Map(expected));
      const types = Object.entries(plain)
        .map(([key, v]) => [key, codeOf(value(v))] as const)
        .filter(([, code]) => code !== 0);
      expect(new Map(row.attribute_types)).toEqual(new Map(types));
    }
  });
});

const keys = [
  'gen_ai.input.messages',
  'gen_ai.output.messages',
  'gen_ai.system_instructions',
  'gen_ai.tool.definitions',
  'gen_ai.tool.call.arguments',
  'gen_ai.prompt',
  'gen_ai.prompt.0.content',
  'gen_ai.prompt.__proto__.x',
  'llm.input_messages.10.message.content',
  'llm.input_messages.2.message.role',
  'input.value',
  '__proto__',
  'constructor',
  'agent.task.id',
  'x',
];

const texts = [
  '',
  '[]',
  '[ ]',
  '{}',
  'null',
  '[{"role":"user","content":"hi"}]',
  '[{"role": "user", "parts": [{"type": "text", "content": "é\\n]"}]}, {"role": "assistant"}]',
  '[{"role":"user","parts":[{"type":"text","content":"cut',
  `[${'"a",'.repeat(900)}"b"]`,
  '\u0000 \\ "',
  '{"messages":[{"role":"human","content":"x"}]}',
];

function pick<T>(from: readonly T[], next: () => number): T {
  return from[Math.floor(next() * from.length)] as T;
}

function anyValue(next: () => number, depth = 0): Plain {
  const kind = Math.floor(next() * (depth > 2 ? 6 : 8));
  if (kind <= 2) return pick(texts, next);
  if (kind === 3) return next() < 0.5;
  if (kind === 4) return BigInt(Math.floor((next() - 0.5) * 1e15));
  if (kind === 5) return pick([0.5, -0, 1e21, 0.1, Number.NaN, 1e-7], next);
  if (kind === 6)
    return Array.from({ length: Math.floor(next() * 4) }, () => anyValue(next, depth + 1));
  return next() < 0.3 ? new Uint8Array([1, 2, 255]) : { a: anyValue(next, depth + 1), 'b"': 'x' };
}

function anyAttributes(next: () => number): { [key: string]: Plain } {
  const out: { [key: string]: Plain } = Object.create(null);
  for (let n = 0; n < next() * 10; n++) out[pick(keys, next)] = anyValue(next);
  return out;
}

function isJsonArray(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}
