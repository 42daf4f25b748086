import { describe, expect, it } from 'vitest';
import { contentHashOf, emptyMark, markEntries, markPayload, markText } from './content-mark.ts';

const low10 = (mark: number) => Number(contentHashOf(mark) & 1023n);

describe('a content mark', () => {
  it('is the same for the same content', () => {
    const entries = [['k', 'v'.repeat(1000)]] as const;
    expect(markEntries(emptyMark, [...entries])).toBe(markEntries(emptyMark, [...entries]));
  });

  it('tells where one text ends and the next begins', () => {
    const marks = [
      [['ab', 'c']],
      [['a', 'bc']],
      [['abc', '']],
      [['', 'abc']],
      [
        ['a', 'b'],
        ['c', ''],
      ],
    ].map((entries) => markEntries(emptyMark, entries as [string, string][]));
    expect(new Set(marks).size).toBe(marks.length);
  });

  it('tells hashes and their order apart', () => {
    const marks = [[1n, 2n], [2n, 1n], [1n], [], [2n ** 63n + 1n, 2n]].map((hashes) =>
      markPayload(emptyMark, [['k', hashes]]),
    );
    // The first and the last differ in bits that are not read: a version is a tie-break, not an identity.
    expect(new Set(marks).size).toBe(marks.length - 1);
  });

  // A version keeps 10 bits: of 4,000 texts that differ in one character each of the 1,024 values takes about 4.
  it.each([
    ['the first', (i: number) => `${i}${'x'.repeat(50)}`],
    ['the last', (i: number) => `${'x'.repeat(50)}${i}`],
    ['a middle', (i: number) => `${'x'.repeat(501)}${i}${'y'.repeat(500)}`],
    ['every', (i: number) => String.fromCodePoint(0x4e00 + i).repeat(7)],
  ])('spreads texts that differ in %s place over all versions', (_, text) => {
    const counts = new Map<number, number>();
    for (let i = 0; i < 4000; i += 1) {
      const mark = low10(markText(emptyMark, text(i)));
      counts.set(mark, (counts.get(mark) ?? 0) + 1);
    }
    expect(counts.size).toBeGreaterThan(900);
    expect(Math.max(...counts.values())).toBeLessThan(20);
  });
});
