import { describe, expect, it } from 'vitest';
import { BadBudgets, parseBudgets } from './settings.ts';
import { judge } from './spend.ts';

describe('parseBudgets', () => {
  it('reads YAML', () => {
    expect(
      parseBudgets(
        'budgets: [{ name: day, per: user, workflow: support, window: 1d, limit_usd: 50 }]',
      ),
    ).toEqual([
      {
        name: 'day',
        per: 'user',
        workflow: 'support',
        traffic: 'live',
        windowMs: 86_400_000,
        limit_usd: 50,
        floor_usd: 0.5,
      },
    ]);
  });

  it.each([
    ['budgets: [', /./],
    ['budgets: [{ name: a, window: 1d }]', /limit_usd/],
    ['budgets: [{ name: a, window: 90d, limit_usd: 1 }]', /31d/],
    ['budgets: [{ name: a, window: 1d, limit_usd: 0 }]', /limit_usd/],
    ['budgets: [{ name: a, window: 1d, limit_usd: 1, per: model }]', /per/],
    [
      'budgets: [{ name: a, window: 1d, limit_usd: 1 }, { name: a, window: 1h, limit_usd: 1 }]',
      /twice/,
    ],
  ])('says what is wrong with %j', (text, message) => {
    expect(() => parseBudgets(text)).toThrow(BadBudgets);
    expect(() => parseBudgets(text)).toThrow(message);
  });
});

describe('judge', () => {
  const [budget] = parseBudgets(
    'budgets: [{ name: a, window: 1d, limit_usd: 10, floor_usd: 0.5 }]',
  );
  const now = new Date('2026-11-20T12:00:00Z');
  const of = (spent: number, recent: number, partial = 0) => {
    if (budget === undefined) throw new Error('no budget');
    return judge({ key: '', tasks: '3', spent, recent, partial, unpriced: [] }, budget, now);
  };

  it('projects the end at the rate of the last hour', () => {
    expect(of(6, 2)).toMatchObject({
      spent_usd: 6,
      remaining_usd: 4,
      used_ratio: 0.6,
      rate_usd_per_hour: 2,
      exhausted_at: new Date('2026-11-20T14:00:00Z'),
      state: 'ok',
    });
  });

  it('gives no rate under the floor, and no end beyond the window', () => {
    expect(of(6, 0.49)).toMatchObject({ rate_usd_per_hour: null, exhausted_at: null });
    expect(of(0.6, 0)).toMatchObject({ rate_usd_per_hour: null, exhausted_at: null });
    expect(of(0.6, 0.5)).toMatchObject({
      rate_usd_per_hour: 0.5,
      exhausted_at: new Date('2026-11-21T06:48:00Z'),
    });
  });

  it('warns, tells an exceeded budget, and never calls a lower bound fine', () => {
    expect([of(8, 0).state, of(10, 0).state, of(10.01, 0).state]).toEqual([
      'warning',
      'warning',
      'exceeded',
    ]);
    expect([of(1, 0, 1).state, of(11, 0, 1).state]).toEqual(['unknown', 'exceeded']);
    expect(of(11, 2)).toMatchObject({ remaining_usd: 0, exhausted_at: now });
  });
});
