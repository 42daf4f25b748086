import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchUnread } from './unread.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('takes a stream for left when nobody asks for more between two looks, half a minute apart', () => {
  const left = vi.fn();
  let chunks = 1;
  let reading = false;
  const timer = watchUnread(() => (reading ? undefined : chunks), left);
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
  clearInterval(timer);
});
