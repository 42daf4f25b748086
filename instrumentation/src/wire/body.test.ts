import { describe, expect, it } from 'vitest';
import { instructions, requestBody } from './body.ts';

const strange = {
  'a "key"': 'text with "quotes", \\ and \\\\" and {[,]}',
  'back\\slash\\': '\\',
  '': '',
  nested: { list: [1, [2, { x: '}' }], '],['], empty: {}, none: [] },
  ['__proto__']: { polluted: true },
  numbers: [-1.5e3, 0, true, false, null],
  unicode: '\u2028 ü 🦊 \u0000',
  long: 'x\\"y'.repeat(200),
  messages: [{ role: 'user', content: '[{"role":"system"}]' }, 'text', [], { a: [{}] }],
};

describe.each([0, 2, '\t'])('a body indented by %j', (indent) => {
  const text = ` ${JSON.stringify(strange, null, indent)}\n`;
  const body = requestBody(text);

  it('has the fields that JSON.parse finds', () => {
    const whole = JSON.parse(text) as Record<string, unknown>;
    expect(Object.keys(body?.json ?? {})).toEqual(Object.keys(whole));
    for (const [key, value] of Object.entries(whole)) {
      expect(body?.json[key]).toEqual(value);
      expect(JSON.parse(body?.written(key) ?? '')).toEqual(value);
    }
    expect(body?.json['polluted']).toBeUndefined();
  });

  it('has the items of a list, and of those the objects', () => {
    const parsed = (items: readonly string[] = []) => items.map((item) => JSON.parse(item));
    expect(parsed(body?.items('messages'))).toEqual(strange.messages);
    expect(parsed(body?.messages('messages'))).toEqual([
      strange.messages[0],
      strange.messages.at(-1),
    ]);
    expect(body?.items('numbers')).toEqual(['-1500', '0', 'true', 'false', 'null']);
    expect(body?.items('long')).toEqual([]);
  });
});

// Structure at random, strings of what is special inside of them: seeded, so that a failure comes again.
it('cuts 500 random bodies as JSON.parse does', () => {
  let seed = 1;
  const random = (below: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  const word = () => Array.from({ length: random(8) }, () => '"\\,:{}[] a\n'[random(11)]).join('');
  const value = (depth: number): unknown => {
    const kind = random(depth > 3 ? 3 : 5);
    if (kind === 0) return word();
    if (kind === 1) return random(1_000) - 500;
    if (kind === 2) return random(2) === 0;
    const items = Array.from({ length: random(5) }, () => value(depth + 1));
    return kind === 3 ? items : Object.fromEntries(items.map((item) => [`k${word()}`, item]));
  };
  for (let index = 0; index < 500; index += 1) {
    const list = [value(1), value(1), value(1)];
    const text = JSON.stringify({ list, [word()]: value(0) }, null, random(3));
    const body = requestBody(text);
    expect({ ...body?.json }).toEqual(JSON.parse(text));
    expect(body?.items('list').map((item) => JSON.parse(item) as unknown)).toEqual(list);
  }
});

it.each([
  '',
  ' ',
  'null',
  '"text"',
  '[1]',
  '{',
  '{"a":1',
  '{"a":"x}',
  '{"a"}',
  '{a:1}',
  '{"a":1,}',
  '{,}',
  '{"a":1}}',
  '{"a":1} x',
  '{"a":1]',
])('is none: %s', (text) => {
  expect(requestBody(text)).toBeUndefined();
});

it('leaves out a field that is broken inside', () => {
  const body = requestBody('{"model":"m","messages":[{"role":}],"n":tru}');
  expect({ ...body?.json }).toEqual({ model: 'm', messages: undefined, n: undefined });
});

it('finds what instructs, wherever the role stands', () => {
  const messages = [
    { role: 'system', content: 'a' },
    { role: 'user', content: '"system"' },
    { content: 'b', role: 'developer' },
    { content: '"developer"', role: 'user' },
    { name: 'system', role: 'assistant' },
  ];
  const found = instructions(messages.map((message) => JSON.stringify(message)));
  expect(found).toEqual([messages[0], messages[2]]);
});
