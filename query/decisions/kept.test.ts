import { expect, it } from 'vitest';
import { createKept, type Kept } from './kept.ts';

function numbers(kept: Kept<string>) {
  return Object.fromEntries(
    kept
      .metrics()
      .map(({ name, samples }) => [name.replace('plumbline_k_', ''), samples[0]?.value]),
  );
}

it('keeps values below its bytes, the longest unused going first, and says so', () => {
  const kept = createKept<string>('k', 100);
  kept.put('a', '1', 'A', 40, 60_000);
  kept.put('b', '1', 'B', 40, 60_000);
  expect(kept.get('a', '1')).toBe('A');
  kept.put('c', '1', 'C', 40, 60_000);
  expect([kept.get('a', '1'), kept.get('b', '1'), kept.get('c', '1')]).toEqual([
    'A',
    undefined,
    'C',
  ]);
  kept.put('huge', '1', 'H', 101, 60_000);
  expect(kept.get('huge', '1')).toBeUndefined();
  expect(numbers(kept)).toEqual({
    bytes: 80,
    hits_total: 3,
    misses_total: 2,
    evictions_total: 1,
    refused_total: 1,
  });
});

it('forgets what was put with another stamp, and what is too old', () => {
  const kept = createKept<string>('k', 100);
  kept.put('a', '1', 'A', 40, 60_000);
  expect(kept.holds('a')).toBe(true);
  expect(kept.get('a', '2')).toBeUndefined();
  expect(kept.holds('a')).toBe(false);
  expect(kept.get('a', '1')).toBeUndefined();
  expect(numbers(kept)['bytes']).toBe(0);
  const brief = createKept<string>('k', 100);
  brief.put('a', '1', 'A', 40, -1);
  expect(brief.get('a', '1')).toBeUndefined();
});
