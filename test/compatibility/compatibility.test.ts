import { describe, expect, it } from 'vitest';
import { createNormaliser } from '../../ingest/normalise/normaliser.ts';
import { read, readCaptures } from './capture.ts';
import { costOf } from './cost.ts';
import { judge, type Verdict } from './judge.ts';
import { type Entry, page } from './report.ts';
import { expectedSheet as sheet } from './sheet.ts';

const captures = readCaptures();
const normaliser = await createNormaliser();

const entries: Entry[] = Object.entries(sheet.captures).map(([id, expected]) => {
  const capture = captures.get(id);
  const scenario = sheet.scenarios[expected.scenario];
  if (capture === undefined || scenario === undefined)
    throw new Error(`no capture or scenario: ${id}`);
  const verdicts = judge(read(capture, normaliser), scenario, sheet, expected.tasks ?? 1);
  return { id, version: capture.version, expected, scenario, verdicts };
});

const isWrong = (verdict: Verdict) => typeof verdict === 'object';

describe('live captures', () => {
  it('are all on the sheet', () => {
    expect([...captures.keys()].sort()).toEqual(Object.keys(sheet.captures).sort());
  });

  it('cover at least 10 libraries of npm and 12 of PyPI', () => {
    const libraries = (registry: string) =>
      new Set(entries.filter(({ id }) => id.startsWith(registry)).map((e) => e.expected.library))
        .size;
    expect(libraries('npm/')).toBeGreaterThanOrEqual(10);
    expect(libraries('pypi/')).toBeGreaterThanOrEqual(12);
  });

  it.each(entries)(
    '$id says what happened, or the sheet says why not',
    ({ expected, verdicts }) => {
      const { cannot = {}, wrong = {} } = expected;
      for (const [aspect, found] of verdicts) {
        if (aspect in wrong) expect(found.some(isWrong), `${aspect} is no longer wrong`).toBe(true);
        else if (aspect in cannot) {
          expect(found.filter(isWrong), aspect).toEqual([]);
          expect(found, `${aspect} is said by now`).toContain('absent');
        } else expect(found, aspect).toEqual(found.map(() => 'right'));
      }
      const known = [...verdicts.keys()];
      const declared = Object.keys({ ...cannot, ...wrong });
      expect(declared.filter((aspect) => !known.includes(aspect))).toEqual([]);
    },
  );

  it.each(entries)('$id costs what the hand-made sheet says', ({ id, expected }) => {
    const capture = captures.get(id);
    const costs = capture === undefined ? [] : read(capture, normaliser).tasks.map(costOf);
    const known = costs.reduce((sum, cost) => sum + cost.known, 0);
    const unknown = costs.some((cost) => cost.unknown > 0);
    expect(unknown).toBe(expected.cost_usd === null);
    expect(known).toBeCloseTo(expected.cost_usd ?? expected.known_usd ?? Number.NaN, 12);
  });

  it('make docs/compatibility.md; when stale: npx vitest run test/compatibility -u', async () => {
    await expect(page(entries)).toMatchFileSnapshot('../../docs/compatibility.md');
  });
});
