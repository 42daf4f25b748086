import { setTimeout as sleep } from 'node:timers/promises';
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

describe('what models ask for', () => {
  /** A model that asks for the same tool call whenever it is asked, and nobody runs it. */
  const asking = {
    ...ask,
    tools: [{ type: 'function' as const, function: { name: 'get_weather', parameters: {} } }],
  };
  const run = async (budget: Budget) => {
    recorder = record();
    const client = new OpenAI({ apiKey: 'k', baseURL: `${llm.url}/v1` });
    let answered = 0;
    const error = await withTask({ workflow: 'w', budget }, async () => {
      for (; answered < 6; answered += 1) await client.chat.completions.create(asking);
    }).catch((thrown: unknown) => thrown);
    return [answered, (error as { error?: { param?: string } }).error?.param];
  };

  it('counts as calls of tools that run where nobody tells of it', async () => {
    expect(await run({ toolCalls: 2 })).toEqual([3, 'tool_calls']);
  });

  it('counts as the same call', async () => {
    expect(await run({ sameCall: 2 })).toEqual([3, 'same_call']);
  });
});

describe('a budget', () => {
  it('stops model calls under way at once, and gives their places back', async () => {
    recorder = record();
    const client = new OpenAI({ apiKey: 'k', baseURL: `${llm.url}/v1` });
    const slow = { ...ask, model: 'slow' };
    await withTask({ workflow: 'w', budget: { parallel: 2 } }, async () => {
      const three = [slow, slow, slow].map((one) => client.chat.completions.create(one));
      const settled = await Promise.allSettled(three);
      expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
      await client.chat.completions.create(ask);
    });
  });

  it('given to register is every task’s that brings none, and starts anew with each', async () => {
    recorder = record({ budget: { llmCalls: 1 } });
    const client = new OpenAI({ apiKey: 'k', baseURL: `${llm.url}/v1` });
    const once = () => client.chat.completions.create(ask);
    const twice = async () => [await once(), await once()];
    await expect(withTask({ workflow: 'w' }, twice)).rejects.toThrow('llm_calls 2 of 1');
    await expect(withTask({ workflow: 'w' }, once)).resolves.toBeDefined();
    await expect(withTask({ workflow: 'w', budget: { llmCalls: 2 } }, twice)).resolves.toHaveLength(
      2,
    );
  });

  it('does not count an SDK’s retries as calls', async () => {
    recorder = record();
    const client = new OpenAI({ apiKey: 'k', baseURL: `${llm.url}/v1` });
    const run = withTask({ workflow: 'w', budget: { llmCalls: 2 } }, async () => {
      await client.chat.completions.create({ ...ask, model: 'flaky' });
      await client.chat.completions.create(ask);
    });
    await expect(run).resolves.toBeUndefined();
  });

  it('refuses with an answer that no SDK takes for a reason to try again', async () => {
    recorder = record();
    const before = llm.requests.length;
    const answer = await withTask({ workflow: 'w', id: 'r', budget: { llmCalls: 0 } }, () =>
      fetch(`${llm.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(ask) }),
    );
    expect([answer.status, answer.headers.get('x-should-retry')]).toEqual([402, 'false']);
    expect(await answer.json()).toMatchObject({
      error: { code: 'budget_exceeded', message: expect.stringContaining('llm_calls 1 of 0') },
    });
    expect(llm.requests).toHaveLength(before);
  });

  it('counts the tokens and the money of streams', async () => {
    recorder = record({ price: () => 0.02 });
    const client = new OpenAI({ apiKey: 'k', baseURL: `${llm.url}/v1` });
    const streamed = async () => {
      const options = { ...ask, stream: true, stream_options: { include_usage: true } } as const;
      for await (const _ of await client.chat.completions.create(options)) {
        // Read to its end, where the usage stands.
      }
    };
    const twice = (budget: Budget) =>
      withTask({ workflow: 'w', budget }, async () => {
        await streamed();
        await streamed();
      });
    await expect(twice({ tokens: 100 })).rejects.toThrow('tokens 145 of 100');
    await expect(twice({ usd: 0.01 })).rejects.toThrow('usd 0.02');
  });

  it('counts what a subtask spends for its parent too', async () => {
    recorder = record();
    const client = new OpenAI({ apiKey: 'k', baseURL: `${llm.url}/v1` });
    const once = () => client.chat.completions.create(ask);
    const run = withTask({ workflow: 'w', id: 'parent', budget: { tokens: 100 } }, async () => {
      await withTask({ workflow: 'w', id: 'child', budget: { tokens: 9_999 } }, once);
      await once();
    });
    await expect(run).rejects.toThrow('task parent exceeded its budget: tokens 145 of 100');
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

  it('in warn mode runs, and is told once', async () => {
    recorder = record();
    await withTask({ workflow: 'w', budget: { toolCalls: 1, mode: 'warn' } }, async () => {
      for (const q of [1, 2, 3]) expect(await look({ q })).toBe(q);
    });
    const events = recorder.spans().flatMap((span) => span.events);
    expect(events.map(({ attributes }) => attributes)).toEqual([
      {
        'agent.budget.exceeded': 'tool_calls',
        'agent.budget.limit': 1,
        'agent.budget.spent': 2,
        'agent.budget.mode': 'warn',
      },
    ]);
  });

  it('is decided by a function, each time', async () => {
    recorder = record();
    const mode = ({ spent }: { spent: number }) => (spent > 2 ? 'stop' : 'continue');
    const seen: number[] = [];
    const run = withTask({ workflow: 'w', budget: { toolCalls: 1, mode } }, async () => {
      for (const q of [1, 2, 3]) seen.push(await look({ q }));
    });
    await expect(run).rejects.toThrow('tool_calls 3 of 1');
    expect(seen).toEqual([1, 2]);
  });

  it('is stopped by wall time and by how many run at once', async () => {
    recorder = record();
    const slowly = tool({ name: 'slowly' }, async () => sleep(15));
    const late = withTask({ workflow: 'w', budget: { ms: 10 } }, async () => {
      await slowly();
      await slowly();
    });
    await expect(late).rejects.toThrow(/ms \d+ of 10/);
    const wide = withTask({ workflow: 'w', budget: { parallel: 1 } }, () =>
      Promise.all([slowly(), slowly()]),
    );
    await expect(wide).rejects.toThrow('parallel 2 of 1');
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
