import { describe, expect, it } from 'vitest';
import { bucketOf, distributionOf } from './histogram.ts';
import { BadFindingsSettings, parseFindingsSettings, rulesFingerprint } from './settings.ts';

describe('settings', () => {
  it('are those of all projects under those of one', () => {
    const of = parseFindingsSettings(`
rules: { refusal: false, loop: { repeats: 4 } }
expect: { refund: { required: [verify] } }
retired_models: { m-1: 2027-01-31 }
projects:
  staging: { rules: { loop: { repeats: 9 } } }
`);
    expect(of('any')).toEqual({
      rules: { refusal: false, loop: { repeats: 4 } },
      expect: { refund: { required: ['verify'], forbidden: [], before: [], max_calls: null } },
      retired: { 'm-1': '2027-01-31' },
    });
    expect(of('staging').rules).toEqual({ refusal: false, loop: { repeats: 9 } });
  });

  it('may be empty', () => {
    expect(parseFindingsSettings('')('p')).toEqual({ rules: {}, expect: {}, retired: {} });
  });

  it.each([
    ['rules: { lop: false }', 'rules.lop: no rule is called lop'],
    ['rules: { loop: { times: 3 } }', 'rules.loop: loop has no parameter times'],
    ['rule: {}', 'the file: Unrecognized key: "rule"'],
    ['expect: { w: { before: [[a]] } }', 'expect.w.before.0'],
    ['retired_models: { m: soon }', 'retired_models.m'],
    ['rules: [', 'Flow sequence'],
  ])('that are wrong name the place: %s', (text, place) => {
    expect(() => parseFindingsSettings(text)).toThrow(BadFindingsSettings);
    expect(() => parseFindingsSettings(text)).toThrow(place);
  });

  it('have another fingerprint when they may give another answer', () => {
    const of = (text: string) => rulesFingerprint(parseFindingsSettings(text)('p'));
    expect(of('')).toBe(of('{}'));
    expect(of('')).not.toBe(of('rules: { refusal: false }'));
  });
});

describe('histograms', () => {
  it('give median and 99th percentile to 2 %, zero being a value of its own', () => {
    const values = [0, 0.01, 0.02, 0.03, 5];
    const counts = new Map<string, number>();
    for (const value of values) counts.set(bucketOf(value), (counts.get(bucketOf(value)) ?? 0) + 1);
    const all = distributionOf([...counts.keys()], [...counts.values()]);
    expect(all?.n).toBe(5);
    expect((all?.median ?? 0) / 0.02).toBeCloseTo(1, 1);
    expect((all?.p99 ?? 0) / 5).toBeCloseTo(1, 1);
    expect(distributionOf(['zero'], [3])).toEqual({ n: 3, median: 0, p99: 0 });
    expect(distributionOf([], [])).toBeNull();
  });
});
