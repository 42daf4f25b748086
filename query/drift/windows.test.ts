import { describe, expect, it } from 'vitest';
import { parseRange, planFor, spanOf } from './windows.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-11-20T12:00:00Z');
const now = new Date(NOW);

const activity = (first: number, nth: number | null) => ({ workflow: 'w', tasks: 1, first, nth });
const days = (range: { from: number; to: number }) => (range.to - range.from) / DAY;

describe('ranges', () => {
  it('have two ends, the earlier one first', () => {
    expect(parseRange('now-7d..now-1d', now)).toEqual({ from: NOW - 7 * DAY, to: NOW - DAY });
    expect(parseRange('2026-11-01T00:00:00Z..now', now)?.to).toBe(NOW);
    for (const text of ['now', 'now..now-1d', 'now-1d..', 'a..b', 'now-2d..now-1d..now'])
      expect(parseRange(text, now)).toBeNull();
  });
});

describe('default windows', () => {
  it('compare the last day with the 14 before it on a busy workflow', () => {
    const plan = planFor(activity(NOW - 21 * DAY, NOW - HOUR), NOW, {});
    expect(days(plan.current)).toBeCloseTo(1, 6);
    expect(days(plan.reference)).toBeCloseTo(14, 6);
    expect(plan.reference.to).toBe(plan.current.from);
  });

  it('reach back for 500 tasks, at most seven days', () => {
    expect(days(planFor(activity(NOW - 21 * DAY, NOW - 3 * DAY), NOW, {}).current)).toBeCloseTo(
      3,
      6,
    );
    expect(days(planFor(activity(NOW - 21 * DAY, null), NOW, {}).current)).toBeCloseTo(7, 6);
  });

  it('leave two thirds of a short history as reference', () => {
    const plan = planFor(activity(NOW - 6 * DAY, null), NOW, {});
    expect(days(plan.current)).toBeCloseTo(2, 6);
    expect(days(plan.reference)).toBeCloseTo(4, 6);
  });

  it('begin after a given reference', () => {
    const reference = { from: NOW - 7 * DAY, to: NOW - 2 * DAY };
    const plan = planFor(activity(NOW - 21 * DAY, null), NOW, { reference });
    expect(plan.current.from).toBe(reference.to);
    expect(plan.reference).toEqual(reference);
  });

  it('are found in what is read', () => {
    expect(days(spanOf(NOW, {}))).toBeCloseTo(21, 6);
    const current = { from: NOW - 30 * DAY, to: NOW - 20 * DAY };
    expect(spanOf(NOW, { current })).toEqual({ from: NOW - 44 * DAY, to: current.to });
  });
});
