import { describe, expect, it } from 'vitest';
import { fitModel, foldOf, type Sample } from './suspects/fit.ts';

/** `n` runs of two steps; the signal stands on the second, which was marked in `hits` of them. */
function runs(n: number, hits: number): Sample[] {
  return Array.from({ length: n }, (_, i) => ({
    subset: 's',
    question: `q${i}`,
    steps: [new Set<string>(), new Set(['seen'])],
    marked: i < hits ? 1 : 0,
  }));
}

describe('the fit of the suspects', () => {
  it('finds the odds that the data has, when hardly anything draws it back', () => {
    // With the order held at 1 by its own penalty, ln 2 of the odds are the prior's.
    const { order, signals } = fitModel(runs(400, 300), ['seen'], 1e-6);
    const odds = (signals[0] ?? 0) - order * Math.LN2;
    expect(odds).toBeCloseTo(Math.log(3), 4);
  });

  it('falls back to acting order when everything draws it back', () => {
    const { order, signals } = fitModel(runs(400, 300), ['seen'], 1e9);
    expect(order).toBeCloseTo(1, 4);
    expect(signals[0]).toBeCloseTo(0, 4);
  });

  it('keeps all runs of a question in one fold', () => {
    expect(foldOf('What is it?', 10, 3)).toBe(foldOf(' what  is it', 10, 3));
    expect(new Set(Array.from({ length: 50 }, (_, i) => foldOf(`q${i}`, 10, 3))).size).toBe(10);
  });
});
