import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type FakeLlm, startFakeLlm } from '../test/fake-llm.ts';
import { approval, outcome, tool, withTask } from './index.ts';
import { expectNoFindings, FindingsError, findingsOf, recordTasks } from './testing.ts';

let llm: FakeLlm;
let recorder: ReturnType<typeof recordTasks>;
beforeAll(async () => {
  llm = await startFakeLlm();
  recorder = recordTasks();
});
afterAll(() => Promise.all([recorder.shutdown(), llm.close()]));
afterEach(() => recorder.clear());

const look = tool({ name: 'look' }, async (q: number) => ({ q }));
const write = tool({ name: 'save', effect: 'write' }, async (q: number) => `saved ${q}`);
const fail = tool({ name: 'send' }, async (): Promise<string> => Promise.reject(new Error('down')));
const quietly = (promise: Promise<unknown>) => promise.catch(() => undefined);

async function chat(tools: string[] = []): Promise<void> {
  const body = {
    model: 'm',
    messages: [{ role: 'user', content: 'weather?' }],
    tools: tools.map((name) => ({ type: 'function', function: { name, parameters: {} } })),
  };
  const answer = await fetch(`${llm.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  await answer.json();
}

/** A tool whose risk is declared, run with what became of its approval. */
async function risky(status?: 'approved' | 'denied'): Promise<void> {
  if (status) approval.decide(approval.request({ action: 'pay' }), { status });
  await tool({ name: 'pay', risk: 'high' }, async () => 'paid')();
}

/** Runs a task and names what is found in it. */
async function found(run: () => Promise<unknown>, budget = {}): Promise<string[]> {
  await quietly(withTask({ workflow: 'w', id: 'x', budget }, run));
  return findingsOf(recorder.task('x')).map(({ finding }) => finding);
}

describe('findingsOf', () => {
  it.each([
    ['hallucinated_tool', () => chat(['get_wind'])],
    ['hallucinated_tool', undefined, () => chat(['get_weather', 'get_wind'])],
    [
      'invalid_arguments',
      () => tool({ name: 'add', input: z.object({ n: z.number() }) }, async () => 1)({} as never),
    ],
    ['tool_error', () => fail()],
    ['silent_tool_failure', () => tool({ name: 's' }, async () => 'Error: no such order')()],
    [
      'silent_tool_failure',
      () => tool({ name: 's', validate: (n) => n > 1 }, async () => 1)(),
      () => tool({ name: 's', validate: (n) => n > 1 }, async () => 2)(),
    ],
    [
      'duplicate_side_effect',
      () => write(1).then(() => tool({ name: 'save', effect: 'write' }, async (_: number) => 2)(1)),
      () => write(1).then(() => write(2)),
    ],
    ['repeated_call', () => look(1).then(() => look(1)), () => look(1).then(() => look(2))],
    ['loop', async () => [await look(1), await look(1), await look(1)]],
    ['unapproved_risky_action', () => risky(), () => risky('approved')],
    ['unapproved_risky_action', () => risky('denied')],
  ] as [string, (() => Promise<unknown>) | undefined, (() => Promise<unknown>)?][])(
    'finds %s, and nothing where it is not',
    async (finding, bad, good) => {
      if (bad) expect(await found(bad)).toEqual([finding]);
      recorder.clear();
      if (good) expect(await found(good)).toEqual([]);
    },
  );

  it('finds a retry storm beside its errors', async () => {
    const three = async () => [await quietly(fail()), await quietly(fail()), await quietly(fail())];
    expect(await found(three)).toEqual(['tool_error', 'tool_error', 'tool_error', 'retry_storm']);
    recorder.clear();
    const two = async () => [await quietly(fail()), await look(1), await quietly(fail())];
    expect(await found(two)).toEqual(['tool_error', 'tool_error']);
  });

  it('finds a stop by a budget', async () => {
    const run = () => look(1).then(() => look(2));
    expect(await found(run, { toolCalls: 1 })).toEqual(['tool_error', 'limit_exceeded']);
  });

  it('finds a denied call', async () => {
    await recorder.shutdown();
    recorder = recordTasks({ approvals: { approver: () => ({ status: 'denied' }) } });
    expect(await found(() => risky())).toEqual(['blocked_action']);
  });

  it('says which spans show it', async () => {
    await found(() => look(1).then(() => look(1)));
    const { toolCalls } = recorder.task();
    expect(findingsOf(recorder.task())).toEqual([
      {
        finding: 'repeated_call',
        text: 'look was called 2 times with the same arguments and result',
        spanIds: toolCalls.map(({ spanId }) => spanId),
      },
    ]);
  });
});

describe('expectNoFindings', () => {
  it('throws what was found, unless it is allowed', async () => {
    await found(() => look(1).then(() => look(1)));
    const task = recorder.task();
    expect(() => expectNoFindings(task)).toThrow(FindingsError);
    expect(() => expectNoFindings(task)).toThrow(
      'task x (w) has findings\n  repeated_call: look was called 2 times',
    );
    expect(expectNoFindings(task, { allow: ['repeated_call'] })).toBeUndefined();
  });
});

describe('the recorder', () => {
  it('shows a task with its states, verdict, calls and records', async () => {
    await withTask({ workflow: 'refund', id: 'r1' }, async () => {
      await chat();
      await look(1);
      outcome({ outcome: 'success' });
    });
    await quietly(withTask({ workflow: 'other', id: 'r2' }, () => fail()));
    expect(recorder.task('refund')).toMatchObject({
      id: 'r1',
      states: ['running', 'done'],
      outcome: 'success',
      modelCalls: [{ name: 'chat m', failed: false }],
      toolCalls: [{ name: 'execute_tool look' }],
    });
    expect(recorder.task('r2')).toMatchObject({
      states: ['running', 'failed'],
      outcome: undefined,
      toolCalls: [{ failed: true }],
    });
    expect(() => recorder.task()).toThrow('2 tasks were recorded, not one');
    expect(() => recorder.task('r3')).toThrow('0 tasks are named r3');
    const [first] = recorder.spans();
    expect(first?.startTime).toBeLessThanOrEqual(first?.endTime ?? 0);
    expect(Math.abs((first?.startTime ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it('says when the process is registered already', () => {
    expect(() => recordTasks()).toThrow('register() was called before');
  });
});
