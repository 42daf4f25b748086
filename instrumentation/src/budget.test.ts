import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type FakeLlm, startFakeLlm } from '../test/fake-llm.ts';
import { type Recorder, record } from '../test/recorder.ts';
import { type Budget, BudgetExceededError, tool, withTask } from './index.ts';

let llm: FakeLlm;
let recorder: Recorder;
beforeAll(async () => {
  llm = await startFakeLlm();
});
afterAll(() => llm.close());
afterEach(() => recorder.handle.shutdown());

const ask = { model: 'gpt-x', messages: [{ role: 'user' as const, content: 'hi' }] };

/** Calls until the budget stops it; tells what the application saw, and how often the provider was asked. */
async function spendAll(budget: Budget, price?: () => number): Promise<[unknown, number, number]> {
  recorder = record({ price });
  const client = new OpenAI({ apiKey: 'k', baseURL: `${llm.url}/v1` });
  const before = llm.requests.length;
  let answered = 0;
  const error = await withTask({ workflow: 'w', id: 'b', budget }, async () => {
    for (let call = 0; call < 6; call += 1) {
      await client.chat.completions.create(ask);
      answered += 1;
    }
  }).catch((thrown: unknown) => thrown);
  return [error, answered, llm.requests.length - before];
}

describe('a model call beyond the budget', () => {
  it.each([
    ['llm_calls', { llmCalls: 2 }, 2],
    ['tokens', { tokens: 200 }, 2],
    ['usd', { usd: 0.05 }, 3],
    ['iterations', { iterations: 1 }, 1],
    ['ms', { ms: 0 }, 0],
    ['parallel', { parallel: 0 }, 0],
  ] as const)(
    '%s: is refused before it is made, and not tried again',
    async (name, budget, calls) => {
      const [error, answered, asked] = await spendAll(budget, () => 0.02);
      expect(error).toBeInstanceOf(OpenAI.APIError);
      expect(error).toMatchObject({ status: 402, code: 'budget_exceeded' });
      expect([answered, asked]).toEqual([calls, calls]);
      const stopped = recorder
        .spans()
        .filter((span) => span.name === 'chat gpt-x')
        .at(-1);
      expect(stopped?.attributes).toMatchObject({
        'agent.budget.exceeded': name,
        'error.type': 'budget_exceeded',
      });
      expect(stopped?.events[0]).toMatchObject({
        name: 'agent.budget.exceeded',
        attributes: { 'agent.budget.mode': 'stop' },
      });
    },
  );

  it('goes on with a warning, told once', async () => {
    const [error, answered] = await spendAll({ llmCalls: 2, mode: 'warn' });
    expect([error, answered]).toEqual([undefined, 6]);
    const told = recorder.spans().filter(({ attributes }) => attributes['agent.budget.exceeded']);
    expect(told).toHaveLength(1);
  });

  it('asks a function, and takes what it throws for a stop', async () => {
    const seen: number[] = [];
    const [, answered] = await spendAll({
      llmCalls: 1,
      mode: ({ spent }) => {
        seen.push(spent);
        if (spent > 3) throw new Error('enough');
        return 'continue';
      },
    });
    expect([answered, seen]).toEqual([3, [2, 3, 4]]);
  });

  it('says which model has no price instead of counting it as free', async () => {
    await spendAll({ usd: 1 }, () => Number.NaN as never as number);
    await recorder.handle.shutdown();
    recorder = record({ price: () => undefined });
    const client = new OpenAI({ apiKey: 'k', baseURL: `${llm.url}/v1` });
    await withTask({ workflow: 'w', budget: { usd: 1 } }, () =>
      client.chat.completions.create(ask),
    );
    expect(Object.keys(recorder.handle.stats().failures)).toEqual([
      'budget.unpriced gpt-x-2026-01-01',
    ]);
  });
});

describe('a tool call beyond the budget', () => {
  const look = tool({ name: 'look' }, async (input: { q: number }) => input.q);

  it('rejects with BudgetExceededError, which names what was spent', async () => {
    recorder = record();
    const budget = { toolCalls: 1 };
    const error = await withTask({ workflow: 'w', id: 'limited', budget }, async () => {
      await look({ q: 1 });
      return look({ q: 2 });
    }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BudgetExceededError);
    expect(error).toMatchObject({
      exceeded: { budget: 'tool_calls', limit: 1, spent: 2, taskId: 'limited' },
    });
    expect(recorder.spans()[1]?.attributes['agent.budget.exceeded']).toBe('tool_calls');
  });

  it('counts the same call by its arguments, unless it polls', async () => {
    recorder = record();
    const poll = tool({ name: 'poll', polling: true }, async (input: { q: number }) => input.q);
    const run = (fn: typeof look) =>
      withTask({ workflow: 'w', budget: { sameCall: 2 } }, async () => {
        for (const q of [1, 2, 1, 1]) await fn({ q });
      });
    await expect(run(look)).rejects.toThrow('same_call 3 of 2');
    await expect(run(poll)).resolves.toBeUndefined();
  });

  it('counts for the parent of a subtask, and gives a parallel place back', async () => {
    recorder = record();
    const run = withTask({ workflow: 'w', id: 'p', budget: { toolCalls: 3, parallel: 2 } }, () =>
      withTask({ workflow: 'w', id: 'c', budget: { toolCalls: 9 } }, async () => {
        await Promise.all([look({ q: 1 }), look({ q: 2 })]);
        await look({ q: 3 });
        await look({ q: 4 });
      }),
    );
    await expect(run).rejects.toThrow('task p exceeded its budget: tool_calls 4 of 3');
  });

  it('is not tried again by maxAttempts', async () => {
    recorder = record();
    let runs = 0;
    const options = { workflow: 'w', maxAttempts: 3, budget: { toolCalls: 0 } };
    const run = withTask(options, async () => {
      runs += 1;
      await look({ q: 1 });
    });
    await expect(run).rejects.toThrow(BudgetExceededError);
    expect(runs).toBe(1);
  });
});

it('maxAttempts runs a failing task again, as the next attempt', async () => {
  recorder = record();
  const seen: number[] = [];
  const run = (fails: number) =>
    withTask({ workflow: 'w', id: `m${fails}`, maxAttempts: 3 }, async ({ attempt }) => {
      seen.push(attempt);
      if (attempt <= fails) throw new Error(`attempt ${attempt}`);
      return attempt;
    });
  await expect(run(2)).resolves.toBe(3);
  await expect(run(9)).rejects.toThrow('attempt 3');
  expect(seen).toEqual([1, 2, 3, 1, 2, 3]);
  expect(recorder.states('m2')).toEqual([
    'running',
    'failed',
    'running',
    'failed',
    'running',
    'done',
  ]);
});
