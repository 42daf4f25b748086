import { context, SpanStatusCode } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { type Recorder, record } from '../test/recorder.ts';
import { agent, observe, ToolInputError, tool, withTask } from './index.ts';
import { rememberCalls } from './pending-calls.ts';
import { activeTask } from './task-context.ts';

let recorder: Recorder;
beforeAll(() => {
  recorder = record();
});
afterAll(() => recorder.handle.shutdown());
beforeEach(() => recorder.clear());

const attributesOf = (name: string) => recorder.span(`execute_tool ${name}`).attributes;

describe('tool', () => {
  it('keeps type, name, this, arguments and result of the function', async () => {
    const base = {
      rate: 2,
      double: tool({ name: 'double' }, function double(this: { rate: number }, x: number, y = 1) {
        return x * y * this.rate;
      }),
    };
    expect(base.double(3, 4)).toBe(24);
    expect([base.double.name, base.double.length]).toEqual(['double', 1]);
    const ping = tool({ name: 'ping' }, async () => 'pong');
    expectTypeOf(ping()).toEqualTypeOf<Promise<string>>();
    const find = tool(
      { name: 'find', input: z.object({ q: z.string() }) },
      async (a) => a.q.length,
    );
    expectTypeOf(find).parameter(0).toEqualTypeOf<{ q: string }>();
    expect(await find({ q: 'abc' }, { toolCallId: 'call_9' })).toBe(3);
    expect(attributesOf('find')['gen_ai.tool.call.id']).toBe('call_9');
  });

  it('says at the metadata level what the rules need, and nothing of the content', async () => {
    const book = tool(
      {
        name: 'book',
        description: 'Books a seat',
        input: z.object({ seat: z.string() }),
        output: z.object({ id: z.number() }),
        effect: 'write',
        risk: 'high',
        polling: false,
        idempotencyKey: ({ seat }) => `seat-${seat}`,
      },
      async ({ seat }) => ({ id: 7, note: `secret ${seat}` }),
    );
    await book({ seat: '12A' });
    const attributes = attributesOf('book');
    expect(attributes).toEqual({
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'book',
      'gen_ai.tool.type': 'function',
      'gen_ai.tool.description': 'Books a seat',
      'agent.tool.effect': 'write',
      'agent.tool.risk': 'high',
      'agent.tool.polling': false,
      'agent.tool.idempotency_key': 'seat-12A',
      'agent.tool.arguments.hash': expect.stringMatching(/^[0-9a-f]{16}$/),
      'agent.tool.arguments.valid': true,
      'agent.tool.result.hash': expect.stringMatching(/^[0-9a-f]{16}$/),
      'agent.tool.result.bytes': 28,
      'agent.tool.result.shape': 'object{id,note}',
      'agent.tool.result.error_like': false,
      'agent.tool.result.valid': true,
    });
    expect(JSON.stringify(attributes)).not.toContain('secret');
  });

  it('hashes equal arguments equally, whatever the order of their keys', () => {
    const look = tool({ name: 'look' }, (args: object) => args);
    look({ a: 1, b: [2] });
    look({ b: [2], a: 1 });
    look({ a: 1, b: [3] });
    const hashes = recorder.spans().map((span) => span.attributes['agent.tool.arguments.hash']);
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[0]).not.toBe(hashes[2]);
  });

  it('passes the parsed input on, and throws the schema’s own error for a refused one', async () => {
    const schema = z.object({ n: z.coerce.number(), unit: z.string().default('kg') });
    const seen: unknown[] = [];
    const weigh = tool({ name: 'weigh', input: schema }, async (args) => {
      seen.push(args);
    });
    await weigh({ n: '5' } as never);
    expect(seen).toEqual([{ n: 5, unit: 'kg' }]);
    const refused = weigh({ n: 'x' } as never);
    await expect(refused).rejects.toBeInstanceOf(z.ZodError);
    expect(seen).toHaveLength(1);
    const span = recorder.spans().at(-1);
    expect(span?.attributes['agent.tool.arguments.valid']).toBe(false);
    expect(span?.attributes['error.type']).toBe('ZodError');
    expect(span?.status.code).toBe(SpanStatusCode.ERROR);
  });

  it('takes any Standard Schema, and lets pass what one checks only later', () => {
    const schema = (result: unknown) => ({ '~standard': { validate: () => result as never } });
    const no = tool({ name: 'no', input: schema({ issues: [{ message: 'too big' }] }) }, () => 1);
    expect(() => no({} as never)).toThrow(new ToolInputError([{ message: 'too big' }]));
    const later = tool({ name: 'later', input: schema(Promise.resolve({ issues: [] })) }, () => 1);
    expect(later({} as never)).toBe(1);
    expect(attributesOf('later')).not.toHaveProperty('agent.tool.arguments.valid');
  });

  it.each([
    ['schema', { output: z.object({ id: z.number() }) }],
    ['check', { validate: (hits: { id: unknown }) => typeof hits.id === 'number' }],
    ['tripping check', { validate: (hits: { id: unknown }) => (hits.id as string[]).at(0) === '' }],
  ])('returns a result that its %s refuses, and says so', (_, promise) => {
    const silent = tool({ name: 'silent', ...promise }, () => ({ id: 'x' }) as { id: unknown });
    expect(silent()).toEqual({ id: 'x' });
    expect(attributesOf('silent')['agent.tool.result.valid']).toBe(false);
    expect(recorder.span('execute_tool silent').status.code).toBe(SpanStatusCode.UNSET);
  });

  it('throws the very error of the function', async () => {
    const error = Object.assign(new Error('smtp down'), { code: 'ECONNREFUSED' });
    const send = tool({ name: 'send' }, () => Promise.reject(error));
    await expect(send()).rejects.toBe(error);
    expect(attributesOf('send')['error.type']).toBe('ECONNREFUSED');
  });

  it('finds its call among those that models asked for: newest first, each once', () => {
    const look = tool({ name: 'look' }, (args: object, _call?: object) => args);
    const asked = (id: string, json: string, name = 'look') => ({
      ...{ id, name, arguments: json, written: json },
      ...{ askedAt: 0, context: context.active() },
    });
    const ids = withTask({ workflow: 'w' }, () => {
      const task = activeTask(context.active());
      if (!task) throw new Error('no task');
      rememberCalls(task, [asked('old', '{"q":1}')]);
      rememberCalls(task, [
        asked('a', '{"q":1}'),
        asked('b', '{"q":2}'),
        asked('c', '{"q":2}'),
        asked('d', '{}', 'other'),
      ]);
      look({ q: 2 });
      look({ q: 2 });
      look({ q: 1 }, { toolCallId: 'a' });
      look({ q: 1 });
      look({ q: 1 });
      rememberCalls(task, [asked('e', '{"q":9}')]);
      look({ q: 9, limit: 10 });
      return recorder.spans().map((span) => span.attributes['gen_ai.tool.call.id']);
    });
    expect(ids).toEqual(['b', 'c', 'a', 'old', undefined, 'e']);
  });
});

describe('observe and agent', () => {
  it('names the agent on what happens inside it, and only there', async () => {
    const look = tool({ name: 'look' }, () => 1);
    const research = observe(async (topic: string) => `${topic}: ${look()}`, {
      kind: 'agent',
      name: 'research',
    });
    await withTask({ workflow: 'w', agent: 'lead' }, async () => {
      expect(await research('tides')).toBe('tides: 1');
      agent({ name: 'writer', version: '2' }, () => look());
      look();
    });
    const named = recorder
      .spans()
      .map(({ name, attributes }) => [name, attributes['gen_ai.agent.name']]);
    expect(named).toEqual([
      ['execute_tool look', 'research'],
      ['invoke_agent research', 'research'],
      ['execute_tool look', 'writer'],
      ['invoke_agent writer', 'writer'],
      ['execute_tool look', 'lead'],
      ['invoke_workflow w', 'lead'],
    ]);
  });

  it('marks retrievals and steps, without their content', async () => {
    const search = observe((query: string) => [{ id: 'doc1', score: 0.5, text: query }], {
      kind: 'retrieval',
      name: 'kb',
    });
    const plan = observe(() => search('private question'), { kind: 'step', name: 'plan' });
    expect(plan()).toHaveLength(1);
    expect(recorder.span('retrieval kb').attributes).toEqual({
      'gen_ai.operation.name': 'retrieval',
      'gen_ai.data_source.id': 'kb',
    });
    expect(recorder.span('step plan').attributes).toEqual({ 'agent.task.step': 'plan' });
  });
});
