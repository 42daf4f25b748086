import { expect, it } from 'vitest';
import { type Facts, isClean, judge } from './checks.ts';
import { type Item, itemsOf } from './items.ts';
import { killRounds } from './kills.ts';
import { expect as expected } from './oracle.ts';
import { planner } from './plan.ts';

const plan = planner(3, Date.parse('2026-06-15T12:00:00Z'));
const planned = Array.from({ length: 14 }, plan);
const acked: Item[] = planned.flatMap(itemsOf);

/** What a faultless store would say. */
function faultless(): { -readonly [K in keyof Facts]: Facts[K][number][] } {
  return {
    tasks: planned.map((task) => {
      const { nano_usd, ...rest } = expected(task);
      return { ...rest, cost_usd: nano_usd / 1e9, unpriced: '0' };
    }),
    spans: planned.flatMap(({ spans }) =>
      spans.map(({ trace, span }) => ({ trace, span, copies: 1, complete: 1 })),
    ),
    logs: planned.flatMap(({ logs }) =>
      logs.map(({ task, state }) => ({ task, state, copies: 1 })),
    ),
    points: planned.flatMap(({ points }) =>
      points.map(({ key, value }) => ({ point: key, copies: 1, value })),
    ),
  };
}

const verdict = (facts: Facts) => judge(facts, planned, acked, () => {});

it('the judge finds nothing in what is right, and every kind of wrong', () => {
  expect(isClean(verdict(faultless()))).toBe(true);
  const wrongs: [
    keyof ReturnType<typeof verdict>,
    (facts: ReturnType<typeof faultless>) => void,
  ][] = [
    ['lost', ({ spans }) => spans.pop()],
    ['lost', ({ logs }) => logs.pop()],
    ['lost', ({ points }) => points.pop()],
    ['lost', ({ spans }) => spans.push({ ...spans.shift()!, complete: 0 })],
    ['doubled', ({ spans }) => spans.push({ ...spans.shift()!, copies: 2 })],
    ['doubled', ({ logs }) => logs.push({ ...logs.shift()!, copies: 2 })],
    ['doubled', ({ points }) => points.push({ ...points.shift()!, copies: 2 })],
    ['doubled', ({ points }) => points.push({ ...points.shift()!, value: 1 })],
    ['ghosts', ({ tasks }) => tasks.push({ ...tasks[0]!, task_id: 'ghost' })],
    ['ghosts', ({ tasks }) => tasks.push(tasks[0]!)],
    ['missing_tasks', ({ tasks }) => tasks.pop()],
    ['wrong_tasks', ({ tasks }) => tasks.push({ ...tasks.shift()!, llm_calls: 99 })],
    ['wrong_tasks', ({ tasks }) => tasks.push({ ...tasks.shift()!, day: '1970-01-01' })],
    ['cost_error_usd', ({ tasks }) => tasks.push({ ...tasks.shift()!, cost_usd: 1e-5 })],
    ['cost_error_usd', ({ tasks }) => tasks.push({ ...tasks.shift()!, cost_usd: null })],
  ];
  for (const [name, spoil] of wrongs) {
    const facts = faultless();
    spoil(facts);
    expect(verdict(facts)[name], `${name} by ${spoil}`).toBeGreaterThan(0);
    expect(isClean(verdict(facts))).toBe(false);
  }
});

it('everything counts once after three rounds of kill -9 without insert tokens', async () => {
  const said: string[] = [];
  const seed = Math.floor(Math.random() * 1e6);
  const say = (text: string) => said.push(text);
  const options = { seed, rounds: 3, kind: 'embedded', tokens: false, brief: true, say } as const;
  const result = await killRounds(options);
  expect(result, `seed ${seed}\n${said.join('\n')}`).toMatchObject({ clean: true });
  expect(result.spans).toBeGreaterThan(100);
}, 240_000);
