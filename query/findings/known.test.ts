import { expect, it } from 'vitest';
import { keptKnown } from './known.ts';
import type { Names } from './learn.ts';

it('asks once for what it is asked again, and only for names that are new', async () => {
  const asked: unknown[] = [];
  const known = keptKnown({
    windows: async (project) => {
      asked.push(project);
      return new Map([['openai\nm', 1_000]]);
    },
    learnt: async (project, day, { tools, workflows }) => {
      asked.push([project, day, tools, workflows]);
      const shapes = tools.map((tool) => [tool, { n: 1, counts: new Map() }] as const);
      return { shapes: new Map(shapes), cost: new Map(), calls: new Map() };
    },
  });
  const names = (...tools: string[]): Names => ({ tools, workflows: ['w'] });
  expect((await known.windows('p')).get('openai\nm')).toBe(1_000);
  await known.windows('p');
  await known.learnt('p', 5, names('a'));
  expect([...(await known.learnt('p', 5, names('b', 'a'))).shapes.keys()]).toEqual(['a', 'b']);
  expect([...(await known.learnt('p', 5, names('b'))).shapes.keys()]).toContain('b');
  await known.learnt('p', 6, names('a'));
  await known.learnt('q', 5, names('a'));
  expect(asked).toEqual([
    'p',
    ['p', 5, ['a'], ['w']],
    ['p', 5, ['b'], []],
    ['p', 6, ['a'], ['w']],
    ['q', 5, ['a'], ['w']],
  ]);
});
