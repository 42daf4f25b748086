import { afterEach, expect, it, vi } from 'vitest';
import { now } from './runtime.ts';

afterEach(() => {
  vi.useRealTimers();
});

it('gives two records of one millisecond an order', () => {
  vi.useFakeTimers({ now: Date.UTC(2040, 0, 1) });
  const [first, second] = [now(), now()];
  expect(second[0]).toBe(first[0]);
  expect(second[1]).toBe(first[1] + 1);
});

it('keeps the order through a slip of the clock, and follows a clock that was set back', () => {
  vi.useFakeTimers({ now: Date.UTC(2040, 0, 2) });
  const before = now();
  vi.setSystemTime(Date.UTC(2040, 0, 2) - 50);
  expect(now()).toEqual([before[0], before[1] + 1]);
  vi.setSystemTime(Date.UTC(2039, 0, 2));
  expect(now()[0]).toBe(Date.UTC(2039, 0, 2) / 1000);
});
