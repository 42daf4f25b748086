import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { rankSteps } from '../../query/suspects/rank.ts';
import weights from '../../query/suspects/weights.json' with { type: 'json' };
import { readCases } from './suspects/samples.ts';
import { readRuns } from './suspects/who-and-when.ts';

const team = [
  { role: 'user', name: 'Checker', content: 'There is a task: how many albums came out in 1977?' },
  { name: 'Coder', content: 'I assume a placeholder list.\n```python\nprint(41)\n```' },
  { name: 'Computer_terminal', content: 'exitcode: 1 (execution failed)\nNameError' },
  { name: 'Coder', content: 'It seems there was an error. The answer is 4711.' },
  { name: 'Checker', content: 'TERMINATE' },
];
const labels = { ground_truth: '41', is_correct: false, is_corrected: true };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'who-and-when-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A subset of one folder with these files. */
function write(subset: string, files: Readonly<Record<string, unknown>>): string {
  const own = join(folder, subset);
  mkdirSync(own, { recursive: true });
  for (const [name, value] of Object.entries(files))
    writeFileSync(join(own, name), typeof value === 'string' ? value : JSON.stringify(value));
  return own;
}

const question = 'How many albums came out in 1977?';

describe('the ranking of recorded runs', () => {
  it('is the same whatever the labels and the answer are', () => {
    const files = [
      { question, history: team, mistake_step: '1', mistake_agent: 'Coder', ...labels },
      {
        question,
        history: team,
        mistake_step: 4,
        mistake_agent: 'Checker',
        mistake_reason: 'placeholder NameError 4711',
        ground_truth: '4711',
        is_correct: true,
      },
      { question, history: team },
    ];
    const ranked = files.map((file, i) => {
      // The name of the file stays: span ids come from it.
      const own = write(`permuted-${i}`, { '1.json': file });
      const [one] = readCases(own);
      return rankSteps(one?.candidates ?? [], weights).map(({ step, utility, reasons }) => [
        step.span_id,
        utility,
        reasons.map(({ signal, text }) => [signal, text]),
      ]);
    });
    expect(ranked[0]?.length).toBe(4);
    expect(ranked[1]).toEqual(ranked[0]);
    expect(ranked[2]).toEqual(ranked[0]);
  });
});

describe('a folder of recorded runs', () => {
  it('may hold other files, which are left out aloud', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const own = write('mixed', {
      '1.json': '{"question": "cut',
      '2.json': { question, messages: team },
      '3.json': [1, 2],
      '10.json': { history: team, mistake_step: 1, mistake_agent: 'Coder' },
    });
    expect(readRuns(own).map(({ run }) => run.question)).toEqual(['']);
    expect(warn.mock.calls.map(([text]) => String(text).replace(`${own}/`, ''))).toEqual([
      'left out: 1.json is not JSON',
      'left out: 2.json has no list "history"',
      'left out: 3.json has no list "history"',
    ]);
    warn.mockRestore();
  });

  it.each([
    ['a number', 3, 3],
    ['digits', ' 3 ', 3],
    ['no whole number', '3.5', Number.NaN],
    ['several', '3, 5', Number.NaN],
    ['nothing', null, Number.NaN],
    ['an empty text', '', Number.NaN],
  ])('marks a step by %s', (_name, mistake_step, step) => {
    const own = write('steps', { '1.json': { question, history: team, mistake_step } });
    expect(readRuns(own)[0]?.label.step).toBe(step);
  });

  it('may hold messages without content, of parts, and of nobody', () => {
    const parts = [{ type: 'text', text: 'one' }, 'two', null];
    const history = [{ content: null }, { name: 'A', content: parts }, null, { role: 'b' }];
    const own = write('odd', { '1.json': { question, history } });
    expect(readRuns(own)[0]?.run.messages).toEqual([
      { speaker: '', text: '' },
      { speaker: 'A', text: 'one\ntwo\n' },
      { speaker: '', text: '' },
      { speaker: 'b', text: '' },
    ]);
    expect(readCases(own)[0]?.candidates.length).toBeGreaterThan(0);
  });
});
