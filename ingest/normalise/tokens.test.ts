import { describe, expect, it } from 'vitest';
import { random } from './fixtures.ts';
import { type ReportedUsage, resolveUsage } from './tokens.ts';

const reported = (fields: Partial<ReportedUsage>): ReportedUsage => ({
  input: null,
  output: null,
  total: null,
  uncached: null,
  cacheRead: null,
  cacheWrite: null,
  cacheWrite1h: null,
  reasoning: null,
  ...fields,
});

describe('token rules', () => {
  it('keep an inclusive report as it is', () => {
    const usage = resolveUsage(reported({ input: 1000n, output: 50n, cacheRead: 800n }), false);
    expect(usage).toMatchObject({ input: 1000n, output: 50n, semantics: 'inclusive' });
  });

  it('add the cache to the input of a convention that reports it apart', () => {
    const usage = resolveUsage(
      reported({ input: 12n, output: 50n, cacheRead: 800n, cacheWrite: 100n }),
      true,
    );
    expect(usage).toMatchObject({ input: 912n, semantics: 'exclusive' });
  });

  it('believe a total over the habit of the convention', () => {
    const inclusive = reported({ input: 900n, output: 50n, total: 950n, cacheRead: 800n });
    expect(resolveUsage(inclusive, true)).toMatchObject({ input: 900n, semantics: 'inferred' });
    const exclusive = reported({ input: 900n, output: 50n, total: 1750n, cacheRead: 800n });
    expect(resolveUsage(exclusive, false)).toMatchObject({ input: 1700n, semantics: 'inferred' });
  });

  it('see that a cache larger than the input was not included', () => {
    const usage = resolveUsage(reported({ input: 12n, cacheRead: 800n }), false);
    expect(usage).toMatchObject({ input: 812n, semantics: 'inferred' });
  });

  it('take an input equal to its uncached part as exclusive', () => {
    const usage = resolveUsage(reported({ input: 100n, uncached: 100n, cacheRead: 60n }), false);
    expect(usage).toMatchObject({ input: 160n, semantics: 'inferred' });
  });

  it('add reasoning that the output leaves out', () => {
    expect(resolveUsage(reported({ output: 10n, reasoning: 200n }), false).output).toBe(210n);
    const total = reported({ input: 100n, output: 50n, reasoning: 20n, total: 170n });
    expect(resolveUsage(total, false).output).toBe(70n);
  });

  it('count the one-hour cache writes among the cache writes', () => {
    const usage = resolveUsage(reported({ input: 500n, cacheWrite1h: 30n }), false);
    expect(usage).toMatchObject({ cacheWrite: 30n, cacheWrite1h: 30n });
  });

  it('say nothing without usage', () => {
    expect(resolveUsage(reported({}), true)).toEqual({
      input: null,
      output: null,
      cacheRead: null,
      cacheWrite: null,
      cacheWrite1h: null,
      reasoning: null,
      semantics: '',
    });
  });

  it('always give input ≥ cache read + cache write and output ≥ reasoning', () => {
    const next = random(4);
    const count = () => (next() < 0.3 ? null : BigInt(Math.floor(next() ** 3 * 1000)));
    for (let i = 0; i < 5000; i++) {
      const raw: ReportedUsage = {
        input: count(),
        output: count(),
        total: count(),
        uncached: count(),
        cacheRead: count(),
        cacheWrite: count(),
        cacheWrite1h: count(),
        reasoning: count(),
      };
      const usage = resolveUsage(raw, next() < 0.5);
      const cache = (usage.cacheRead ?? 0n) + (usage.cacheWrite ?? 0n);
      if (usage.input !== null)
        expect(usage.input, JSON.stringify(raw, text)).toBeGreaterThanOrEqual(cache);
      if (usage.output !== null && usage.reasoning !== null) {
        expect(usage.output, JSON.stringify(raw, text)).toBeGreaterThanOrEqual(usage.reasoning);
      }
      expect(usage.cacheWrite ?? 0n).toBeGreaterThanOrEqual(usage.cacheWrite1h ?? 0n);
    }
  });
});

const text = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
