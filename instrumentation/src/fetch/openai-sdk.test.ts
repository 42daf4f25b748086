import { setTimeout as sleep } from 'node:timers/promises';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type FakeLlm, startFakeLlm } from '../../test/fake-llm.ts';
import { type Recorder, record } from '../../test/recorder.ts';
import { tool, withTask } from '../index.ts';

let llm: FakeLlm;
let gone: string;
beforeAll(async () => {
  llm = await startFakeLlm();
  const closed = await startFakeLlm();
  gone = `${closed.url}/v1`;
  await closed.close();
});
afterAll(() => llm.close());

const messages = [
  { role: 'system' as const, content: 'You are a weather agent. Today is 2026-11-20.' },
  { role: 'user' as const, content: 'Weather in Paris?' },
];
const weatherTool = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    description: 'Current weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
};
const ask = { model: 'gpt-x', messages };
const runnable = {
  type: 'function' as const,
  function: {
    ...weatherTool.function,
    parse: JSON.parse,
    function: async ({ city }: { city: string }) => `sunny in ${city}`,
  },
};

async function collect<T>(stream: Promise<AsyncIterable<T>>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of await stream) items.push(item);
  return items;
}

/** What an application does, and the value that it sees. */
const shapes: Record<string, (client: OpenAI) => Promise<unknown>> = {
  create: (client) => client.chat.completions.create(ask),
  tools: (client) => client.chat.completions.create({ ...ask, tools: [weatherTool] }),
  parse: (client) =>
    client.chat.completions.parse({ ...ask, response_format: { type: 'json_object' } }),
  stream: (client) =>
    collect(
      client.chat.completions.create({
        ...ask,
        stream: true,
        stream_options: { include_usage: true },
      }),
    ),
  'stream without usage': (client) =>
    collect(client.chat.completions.create({ ...ask, stream: true })),
  'stream of a tool call': (client) =>
    collect(client.chat.completions.create({ ...ask, tools: [weatherTool], stream: true })),
  'stream helper': (client) => client.chat.completions.stream(ask).finalChatCompletion(),
  abandoned: async (client) => {
    for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) {
      return chunk;
    }
    return undefined;
  },
  runTools: async (client) => {
    const runner = client.chat.completions.runTools({ ...ask, tools: [runnable] });
    return [await runner.finalContent(), runner.messages];
  },
  withResponse: async (client) => {
    const { data, response, request_id } = await client.chat.completions.create(ask).withResponse();
    return [data, request_id, response.url, response.status, response.headers.get('x-request-id')];
  },
  asResponse: async (client) => {
    const response = await client.chat.completions.create(ask).asResponse();
    const copy = response.clone();
    return [
      await response.text(),
      await copy.json(),
      response.redirected,
      response.type,
      response.ok,
    ];
  },
  teed: async (client) => {
    const stream = await client.chat.completions.create({ ...ask, stream: true });
    const [left, right] = stream.tee();
    return Promise.all([collect(Promise.resolve(left)), collect(Promise.resolve(right))]);
  },
  error: (client) => client.chat.completions.create({ ...ask, model: 'bad-model' }),
  retry: (client) => client.chat.completions.create({ ...ask, model: 'flaky' }, { maxRetries: 1 }),
  'broken stream': (client) =>
    collect(client.chat.completions.create({ ...ask, model: 'cut', stream: true })),
  aborted: (client) =>
    client.chat.completions.create(
      { ...ask, model: 'slow' },
      { signal: AbortSignal.timeout(5), maxRetries: 0 },
    ),
  'timed out': (client) =>
    client.chat.completions.create({ ...ask, model: 'slow' }, { timeout: 5, maxRetries: 0 }),
  'aborted midway': async (client) => {
    const stop = new AbortController();
    const stream = await client.chat.completions.create(
      { ...ask, stream: true },
      { signal: stop.signal },
    );
    const seen: unknown[] = [];
    for await (const chunk of stream) {
      seen.push(chunk);
      if (seen.length === 2) stop.abort();
    }
    return seen.length;
  },
  unreachable: () =>
    new OpenAI({
      apiKey: 'k',
      baseURL: gone,
      maxRetries: 0,
    }).chat.completions.create(ask),
  parallel: (client) =>
    Promise.all(Array.from({ length: 8 }, () => client.chat.completions.create(ask))),
};

async function outcomeOf(shape: (client: OpenAI) => Promise<unknown>): Promise<unknown> {
  const client = new OpenAI({ apiKey: 'k', baseURL: `${llm.url}/v1`, maxRetries: 0 });
  try {
    return { value: JSON.parse(JSON.stringify((await shape(client)) ?? null)) as unknown };
  } catch (error) {
    const { name, message, status } = error as Error & { status?: number };
    return { kind: (error as Error).constructor.name, name, message, status };
  }
}

describe.each(['none', 'metadata', 'full'] as const)('at content level %s', (content) => {
  let recorder: Recorder;
  afterEach(() => recorder.handle.shutdown());

  it.each(Object.keys(shapes))('the application sees the same for: %s', async (name) => {
    const shape = shapes[name]!;
    const plain = await outcomeOf(shape);
    recorder = record({ content });
    expect(await outcomeOf(shape)).toEqual(plain);
    await sleep(0);
    expect(recorder.spans().length).toBeGreaterThan(0);
    expect(recorder.handle.stats().failures).toEqual({});
  });
});

describe('spans of a chat completion', () => {
  let recorder: Recorder;
  beforeAll(() => {
    recorder = record();
  });
  afterAll(() => recorder.handle.shutdown());

  async function spansOf(name: string): Promise<ReadableSpan[]> {
    recorder.clear();
    await outcomeOf(shapes[name]!);
    return recorder.spans().filter((span) => span.name.startsWith('chat'));
  }

  const port = (): number => Number(new URL(llm.url).port);
  const metadata = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-x',
    'openai.api.type': 'chat_completions',
    'server.address': '127.0.0.1',
    'agent.request.messages': 2,
    'agent.request.hash': expect.stringMatching(/^[0-9a-f]{16}$/),
    'agent.request.bytes': expect.any(Number),
    'agent.prompt.fingerprint': expect.stringMatching(/^[0-9a-f]{16}$/),
    'http.response.status_code': 200,
    'gen_ai.response.model': 'gpt-x-2026-01-01',
  };
  const usage = {
    'gen_ai.usage.input_tokens': 120,
    'gen_ai.usage.output_tokens': 25,
    'gen_ai.usage.cache_read.input_tokens': 64,
    'gen_ai.usage.reasoning.output_tokens': 8,
  };
  const answered = {
    'gen_ai.response.finish_reasons': ['stop'],
    'agent.response.bytes': 12,
    'gen_ai.output.messages':
      '[{"role":"assistant","parts":[{"type":"text"}],"finish_reason":"stop"}]',
  };
  const called = {
    'gen_ai.response.finish_reasons': ['tool_calls'],
    'agent.response.bytes': 0,
    'agent.toolset.fingerprint': expect.stringMatching(/^[0-9a-f]{16}$/),
    'gen_ai.tool.definitions': '[{"type":"function","name":"get_weather"}]',
    'gen_ai.output.messages':
      '[{"role":"assistant","parts":[{"type":"tool_call","id":"call_1","name":"get_weather"}],"finish_reason":"tool_call"}]',
  };
  const streamed = {
    'gen_ai.request.stream': true,
    'gen_ai.response.id': 'chatcmpl-2',
    'gen_ai.response.time_to_first_chunk': expect.any(Number),
  };

  it.each([
    [
      'create',
      {
        ...answered,
        ...usage,
        'gen_ai.response.id': 'chatcmpl-1',
        'openai.response.service_tier': 'default',
      },
    ],
    [
      'tools',
      {
        ...called,
        ...usage,
        'gen_ai.response.id': 'chatcmpl-1',
        'openai.response.service_tier': 'default',
      },
    ],
    [
      'stream',
      {
        ...answered,
        ...usage,
        ...streamed,
        'gen_ai.client.operation.time_per_output_chunk': expect.any(Number),
      },
    ],
    ['stream without usage', { ...answered, ...streamed }],
    ['stream helper', { ...answered, ...streamed }],
    ['teed', { ...answered, ...streamed }],
    ['stream of a tool call', { ...called, ...streamed }],
  ])('%s: exactly these attributes', async (name, expected) => {
    const [span, ...others] = await spansOf(name);
    expect(others).toEqual([]);
    expect(span?.name).toBe('chat gpt-x');
    expect(span?.kind).toBe(SpanKind.CLIENT);
    expect(span?.status.code).toBe(SpanStatusCode.UNSET);
    expect(span?.attributes).toEqual({ ...metadata, 'server.port': port(), ...expected });
  });

  it('a structured answer names its output type', async () => {
    const [span] = await spansOf('parse');
    expect(span?.attributes['gen_ai.output.type']).toBe('json');
  });

  it('a refused call fails with the provider’s code', async () => {
    const [span] = await spansOf('error');
    expect(span?.status.code).toBe(SpanStatusCode.ERROR);
    expect(span?.attributes).toMatchObject({
      'error.type': 'model_not_found',
      'http.response.status_code': 404,
    });
    expect(span?.attributes).not.toHaveProperty('gen_ai.usage.input_tokens');
  });

  it('each attempt has a span of its own, numbered', async () => {
    const spans = await spansOf('retry');
    expect(
      spans.map(({ attributes, status }) => [
        attributes['http.request.resend_count'],
        attributes['http.response.status_code'],
        attributes['error.type'],
        status.code,
      ]),
    ).toEqual([
      [undefined, 500, '500', SpanStatusCode.ERROR],
      [1, 200, undefined, SpanStatusCode.UNSET],
    ]);
    expect(spans[0]?.attributes['agent.request.hash']).toBe(
      spans[1]?.attributes['agent.request.hash'],
    );
  });

  it('a stream that is left early ends its span at once and says so', async () => {
    const [span] = await spansOf('abandoned');
    expect(span?.attributes['gen_ai.response.status']).toBe('cancelled');
    expect(span?.attributes).not.toHaveProperty('gen_ai.response.finish_reasons');
    expect(span?.status.code).toBe(SpanStatusCode.UNSET);
  });

  it.each(['broken stream', 'aborted midway'])('%s: incomplete, with what came', async (name) => {
    const [span] = await spansOf(name);
    expect(span?.attributes['gen_ai.response.id']).toBe('chatcmpl-2');
    expect(['incomplete', 'cancelled']).toContain(span?.attributes['gen_ai.response.status']);
  });

  it('a host that is not there fails with the system’s code', async () => {
    const [span] = await spansOf('unreachable');
    expect(span?.attributes['error.type']).toBe('ECONNREFUSED');
    expect(span?.status.code).toBe(SpanStatusCode.ERROR);
  });

  it.each(['aborted', 'timed out'])('%s: failed as aborted', async (name) => {
    const [span] = await spansOf(name);
    expect(['AbortError', 'TimeoutError']).toContain(span?.attributes['error.type']);
  });

  it('parallel calls are siblings, none the parent of another', async () => {
    const spans = await spansOf('parallel');
    expect(spans).toHaveLength(8);
    expect(spans.every(({ parentSpanContext }) => parentSpanContext === undefined)).toBe(true);
  });

  it('sends no header of its own to the provider', () => {
    for (const { headers } of llm.requests) {
      expect(headers).not.toHaveProperty('traceparent');
      expect(headers).not.toHaveProperty('baggage');
    }
  });

  it('completes the inference span that an SDK opened, instead of a second one', async () => {
    recorder.clear();
    const foreign = trace.getTracer('sdk').startSpan('anthropic.messages.create', {
      attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'theirs' },
    });
    const { context } = await import('@opentelemetry/api');
    await context.with(trace.setSpan(context.active(), foreign), () =>
      outcomeOf(shapes['create']!),
    );
    foreign.end();
    const [span, ...others] = recorder.spans();
    expect(others).toEqual([]);
    expect(span?.name).toBe('anthropic.messages.create');
    expect(span?.attributes).toMatchObject({
      'gen_ai.provider.name': 'theirs',
      'gen_ai.response.id': 'chatcmpl-1',
      ...usage,
    });
  });
});

describe('in a task', () => {
  let recorder: Recorder;
  beforeAll(() => {
    recorder = record({ content: 'full' });
  });
  afterAll(() => recorder.handle.shutdown());

  it('a tool finds the call that it answers, and everything shares the task', async () => {
    const client = new OpenAI({ apiKey: 'k', baseURL: `${llm.url}/v1` });
    const getWeather = tool(
      { name: 'get_weather', effect: 'read' },
      async ({ city }: { city: string }) => ({ city, sky: 'clear' }),
    );
    await withTask({ workflow: 'weather', id: 'w1', agent: 'meteo' }, async () => {
      const first = await client.chat.completions.create({ ...ask, tools: [weatherTool] });
      const call = first.choices[0]?.message.tool_calls?.[0];
      if (call?.type !== 'function') throw new Error('no call');
      const result = await getWeather(JSON.parse(call.function.arguments) as { city: string });
      await client.chat.completions.create({
        ...ask,
        tools: [weatherTool],
        messages: [
          ...messages,
          first.choices[0]!.message,
          { role: 'tool', tool_call_id: call.id, content: JSON.stringify(result) },
        ],
      });
    });
    const [first, execution, second] = recorder.spans();
    for (const span of [first, execution, second]) {
      expect(span?.attributes).toMatchObject({
        'agent.task.id': 'w1',
        'gen_ai.agent.name': 'meteo',
      });
    }
    expect(execution?.attributes).toMatchObject({
      'gen_ai.tool.call.id': 'call_1',
      'gen_ai.tool.call.arguments': '{"city":"Paris"}',
      'gen_ai.tool.call.result': '{"city":"Paris","sky":"clear"}',
      'agent.iteration': 1,
    });
    expect(second?.attributes['agent.iteration']).toBe(2);
    const input = JSON.parse(String(second?.attributes['gen_ai.input.messages'])) as unknown;
    expect(input).toEqual([
      { role: 'system', parts: [{ type: 'text', content: messages[0]?.content }] },
      { role: 'user', parts: [{ type: 'text', content: 'Weather in Paris?' }] },
      {
        role: 'assistant',
        parts: [
          { type: 'tool_call', id: 'call_1', name: 'get_weather', arguments: { city: 'Paris' } },
        ],
      },
      {
        role: 'tool',
        parts: [
          { type: 'tool_call_response', id: 'call_1', response: '{"city":"Paris","sky":"clear"}' },
        ],
      },
    ]);
    expect(JSON.parse(String(second?.attributes['gen_ai.output.messages']))).toEqual([
      {
        role: 'assistant',
        parts: [{ type: 'text', content: 'It is sunny.' }],
        finish_reason: 'stop',
      },
    ]);
    expect(JSON.parse(String(first?.attributes['gen_ai.tool.definitions']))).toEqual([
      { type: 'function', ...weatherTool.function },
    ]);
  });

  it('a task that returns the client’s lazy promise ends when that is awaited', async () => {
    recorder.clear();
    const client = new OpenAI({ apiKey: 'k', baseURL: `${llm.url}/v1` });
    const answer = await withTask({ workflow: 'lazy', id: 'l' }, () =>
      client.chat.completions.create(ask),
    );
    expect(answer.choices[0]?.message.content).toBe('It is sunny.');
    expect(recorder.states('l')).toEqual(['running', 'done']);
    const parent = recorder.span('invoke_workflow lazy').spanContext().spanId;
    expect(recorder.span('chat gpt-x').parentSpanContext?.spanId).toBe(parent);
  });
});
