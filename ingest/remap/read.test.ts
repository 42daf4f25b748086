import { describe, expect, it } from 'vitest';
import { stretches } from './read.ts';

const minute = 60_000_000_000n;
const day = 1440n * minute;

describe('stretches', () => {
  it('joins small minutes, leaves a big one alone, and stops at midnight', () => {
    const minutes = [
      { at: day - 3n * minute, rows: 4 },
      { at: day - 2n * minute, rows: 6 },
      { at: day - minute, rows: 1 },
      { at: day, rows: 1 },
      { at: day + 5n * minute, rows: 30 },
    ];
    expect(stretches(minutes, 10)).toEqual([
      { from: day - 3n * minute, to: day - minute, rows: 10 },
      { from: day - minute, to: day, rows: 1 },
      { from: day, to: day + minute, rows: 1 },
      { from: day + 5n * minute, to: day + 6n * minute, rows: 30 },
    ]);
    expect(stretches([], 10)).toEqual([]);
  });
});
