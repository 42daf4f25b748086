import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { limited } from './report.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('passes on so many problems a minute and says how many it left out', () => {
  const passed: unknown[] = [];
  const report = limited((problem) => passed.push(problem), 2);
  for (const problem of ['a', 'b', 'c', 'd']) report(problem);
  expect(passed).toEqual(['a', 'b']);
  vi.advanceTimersByTime(60_000);
  report('e');
  expect(passed).toEqual(['a', 'b', '2 more problems of the same kind were not reported', 'e']);
});
