import { expect, it } from 'vitest';
import { batch, random, span } from './fixtures.ts';
import { flatMapGrowing, grow, type Made } from './growing.ts';
import { createNormaliser } from './normaliser.ts';

it('makes of lists that grow what it makes of each by itself', () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const next = random(seed);
    const below = (n: number) => Math.floor(next() * n);
    const some = () => Array.from({ length: below(4) }, () => below(100));
    const each = (n: number) => Array.from({ length: n % 3 }, (_, i) => `${n}.${i}`);
    const made: Made<string> = new WeakMap();
    const again: Made<string> = new WeakMap();
    const lists: (readonly number[])[] = [some()];
    for (let n = 0; n < 20; n += 1) {
      const list = lists[below(lists.length)] ?? [];
      lists.push(below(4) === 0 ? some() : grow(list, some()));
      const asked = lists[below(lists.length)] ?? [];
      const mapped = flatMapGrowing(made, asked, each);
      expect(mapped).toEqual(asked.flatMap(each));
      // What was made of it is itself a list that has grown.
      expect(flatMapGrowing(again, mapped, (text) => [text, text])).toEqual(
        mapped.flatMap((text) => [text, text]),
      );
    }
  }
});

it('reads a chat that grows, branches and starts anew as if each call came alone', async () => {
  const { normaliseSpans } = await createNormaliser();
  for (let seed = 0; seed < 60; seed += 1) {
    const next = random(seed);
    const below = (n: number) => Math.floor(next() * n);
    const message = () => {
      const role = ['system', 'user', 'assistant', 'tool'][below(4)];
      const content = ['hi', 'a "quoted" word', 'ü, [1]', 'x'.repeat(below(40))][below(4)];
      return below(3) === 0
        ? { role, content }
        : { role, parts: [{ type: 'text', content }], ...(below(5) === 0 && { name: 'n' }) };
    };
    const chats: string[][] = [[], [], []];
    const spans = Array.from({ length: 25 }, (_, i) => {
      const trace = below(2);
      const chat = chats[below(3)] ?? [];
      if (below(8) === 0) chat.splice(below(chat.length + 1));
      for (let n = below(3); n >= 0; n -= 1) {
        chat.push(`${' '.repeat(below(2))}${JSON.stringify(message())}`);
      }
      return span({
        traceId: `${trace}`.repeat(32),
        spanId: String(i).padStart(16, '0'),
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.input.messages': `[${chat.join(',')}]`,
          'gen_ai.output.messages': `[${JSON.stringify(message())}]`,
        },
      });
    });
    const together = normaliseSpans('p', [batch(spans)]);
    const alone = spans.map((one) => normaliseSpans('p', [batch([one])]));
    expect(together.spans).toEqual(alone.flatMap((one) => one.spans));
    const texts = (rows: typeof together.messages) =>
      new Set(rows.map(({ trace_id, hash, content }) => `${trace_id} ${hash} ${content}`));
    expect(texts(together.messages)).toEqual(texts(alone.flatMap((one) => one.messages)));
  }
});
