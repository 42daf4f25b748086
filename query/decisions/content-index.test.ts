import { describe, expect, it } from 'vitest';
import { indexContent } from './content-index.ts';
import { type Leaf, leavesOf } from './json.ts';
import type { Call, Content, Step } from './model.ts';

// The readable reading of BEHAVIOUR §2: every content is parsed, and every value looked for in it.
function sourceOf(texts: readonly string[], { key, value }: Leaf): number {
  const leaves = texts.map((text) => {
    try {
      return leavesOf(JSON.parse(text)).filter((leaf) => leaf.value !== null);
    } catch {
      return [];
    }
  });
  const same = (leaf: Leaf) => String(leaf.value) === String(value);
  const ranks = [
    leaves.findIndex((own) => own.some((leaf) => leaf.key === key && same(leaf))),
    leaves.findIndex((own) => own.some(same)),
    texts.findIndex((text) => mentions(text, value)),
  ];
  return ranks.find((at) => at !== -1) ?? -1;
}

function mentions(text: string, value: Leaf['value']): boolean {
  if (typeof value === 'number')
    return (
      text.match(
        /(?<![\p{L}\p{N}_])(?<!\d[-./:])(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![\p{L}\p{N}_])(?![-./:]\d)/gu,
      ) ?? []
    ).some((digits) => Number(digits.replaceAll(',', '')) === value);
  // A value without a letter or digit is looked for as JSON only.
  if (!/[\p{L}\p{N}_]/u.test(String(value))) return false;
  const needle = String(value).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\p{L}\\p{N}_])${needle}(?![\\p{L}\\p{N}_])`, 'iu').test(text);
}

/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Values that are written in several ways, or hold no letter, or letters of several scripts.
const values = [
  ...[25, 25.5, 1250, 1, 1e21, 12345678901234567000, -40, 0.5, 300, 1000000],
  ...['HAT136', 'ann_17', 'größe', 'Straße 5', 'a "b" c', '日本', '--', 'new york', '1e3', '25'],
  ...['x\ty', '2024-05-20', 'C:\\dir', '10:30', '$450', 'ТОВАР-7'],
];
const forms = [
  ...['25', '25.0', '2.5e1', '1,250', '1250.00', '1e21', '1000000000000000000000', '3E2', '1e+6'],
  ...[
    '12345678901234567890',
    '-40',
    '0.50',
    '5e-1',
    '0.99999999999999999',
    '"25"',
    '"--"',
    '"C:\\\\dir"',
    '"HAT136"',
  ],
  ...['"x\\ty"', '"\\u65e5\\u672c"', '"日本"', '"GRÖSSE"', '"größe"', '"a \\"b\\" c"', '"товар-7"'],
  ...['"Ann_17"', '"ann_170"', '"1e3"', '"New York"', '"$450"', '"2024-05-20"', '"10:30"'],
];

describe('the index of content', () => {
  it('finds what a search of all content finds', () => {
    const random = randomFrom(7);
    const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T;
    const text = () => {
      const [a, b] = [pick(forms), pick(forms)];
      const kind = random();
      if (kind < 0.6) return `{"${pick(['id', 'name'])}":${a},"list":[${b},{"id":null}]}`;
      return kind < 0.9 ? `say ${a}, (${b}) then ${pick(values)}.` : `${a}`;
    };
    let found = 0;
    for (let round = 0; round < 2_000; round++) {
      const texts = Array.from({ length: 4 }, text);
      const leaves = Array.from({ length: 3 }, (): Leaf => {
        const key = pick(['id', 'name', 'other']);
        return { pointer: `/${key}`, key, value: pick(values) };
      });
      const calls = leaves.map(({ key, value }) => ({ args: { [key]: value } }) as unknown as Call);
      const index = indexContent(() => true, calls);
      const contents = texts.map((own) => ({ text: own, own: false }) as Content);
      for (const content of contents) index.add(content, {} as Step);
      for (const leaf of leaves) {
        const at = index.find({} as Step, leaf, true);
        const expected = sourceOf(texts, leaf);
        if (expected !== -1) found++;
        expect([texts, leaf, at === undefined ? -1 : contents.indexOf(at)]).toEqual([
          texts,
          leaf,
          expected,
        ]);
      }
    }
    expect(found).toBeGreaterThan(500);
  });
});
