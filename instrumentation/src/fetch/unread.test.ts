import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { forgetUnread, watchUnread } from './unread.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('takes an answer for left when nobody asks for more between two looks, half a minute apart', () => {
  const left = vi.fn();
  let chunks = 1;
  let reading = false;
  const answer = { progress: () => (reading ? undefined : chunks), left };
  watchUnread(answer);
  // A slow reader: one chunk in each half minute.
  for (let round = 0; round < 4; round += 1) {
    vi.advanceTimersByTime(29_000);
    chunks += 1;
  }
  expect(left).not.toHaveBeenCalled();
  // A slow provider: the reader waits.
  reading = true;
  vi.advanceTimersByTime(300_000);
  expect(left).not.toHaveBeenCalled();
  reading = false;
  vi.advanceTimersByTime(60_000);
  expect(left).toHaveBeenCalled();
  forgetUnread(answer);
});

it('looks only while there is something to look at', () => {
  const one = { progress: () => undefined, left: vi.fn() };
  const other = { progress: () => 0, left: vi.fn() };
  watchUnread(one);
  watchUnread(other);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(60_000);
  expect([one.left.mock.calls.length, other.left.mock.calls.length > 0]).toEqual([0, true]);
  forgetUnread(other);
  expect(vi.getTimerCount()).toBe(1);
  forgetUnread(one);
  expect(vi.getTimerCount()).toBe(0);
});
