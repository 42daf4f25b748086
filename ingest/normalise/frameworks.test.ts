import { beforeAll, describe, expect, it } from 'vitest';
import { batch, event, type Plain, type SpanFields, span } from './fixtures.ts';
import { createNormaliser, type Normaliser } from './normaliser.ts';

// Habits of frameworks, as their live captures showed them (`docs/compatibility.md`).

let normaliser: Normaliser;
beforeAll(async () => {
  normaliser = await createNormaliser();
});

function one(fields: SpanFields, scope = 'test') {
  const rows = normaliser.normaliseSpans('p', [batch([span(fields)], { scope })]);
  const texts = new Map(rows.messages.map(({ hash, content }) => [hash, content]));
  const row = rows.spans[0];
  if (row === undefined) throw new Error('no row');
  const text = (hashes: readonly bigint[]) => hashes.map((hash) => texts.get(hash) ?? '');
  return {
    row,
    arguments: text(row.tool_arguments)[0],
    result: text(row.tool_result)[0],
    input: text(row.input_messages).map((json) => JSON.parse(json)),
    output: text(row.output_messages).map((json) => JSON.parse(json)),
  };
}

const json = (value: Plain) => JSON.stringify(value);
const message = { content: 'sunny', tool_call_id: 'call_1', status: 'success' };

describe('a LangChain tool', () => {
  const dumps: [string, Plain][] = [
    ['its message', { type: 'tool', data: { type: 'tool', ...message } }],
    ['a constructor', { output: { lc: 1, type: 'constructor', id: ['x'], kwargs: message } }],
    ['its fields', { output: { type: 'tool', ...message } }],
  ];
  it.each(dumps)('answers with the content of its message, dumped as %s', (_how, value) => {
    const attributes = { 'openinference.span.kind': 'TOOL', 'output.value': json(value) };
    const { row, result } = one({ attributes });
    expect(result).toBe('sunny');
    expect(row.tool_call_id).toBe('call_1');
  });

  it('may return data that looks like one', () => {
    const value = json({ data: { content: 'a', tool_call_id: 'b' } });
    const attributes = { 'openinference.span.kind': 'TOOL', 'output.value': value };
    expect(one({ attributes }).result).toBe(value);
  });

  it('has the inputs as arguments that Traceloop wraps into the whole start event', () => {
    const start = { input_str: "{'city': 'Paris'}", metadata: {}, inputs: { city: 'Paris' } };
    const { arguments: args } = one({
      attributes: {
        'traceloop.span.kind': 'tool',
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.call.arguments': json(start),
      },
    });
    expect(args).toBe('{"city":"Paris"}');
  });
});

it('reads keyword arguments and raw output of a LlamaIndex tool', () => {
  const { arguments: args, result } = one({
    attributes: {
      'openinference.span.kind': 'TOOL',
      'input.value': json({ kwargs: { city: 'Paris' } }),
      'output.value': json({ tool_name: 'get_weather', raw_output: 'sunny', blocks: [] }),
    },
  });
  expect([args, result]).toEqual(['{"city":"Paris"}', 'sunny']);
});

it('keeps arguments that merely contain kwargs', () => {
  const value = json({ kwargs: { a: 1 }, other: 2 });
  const attributes = { 'openinference.span.kind': 'TOOL', 'input.value': value };
  expect(one({ attributes }).arguments).toBe(value);
});

it('reads the blocks of a Strands choice, and does not take the service for a provider', () => {
  const { row, output } = one({
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.system': 'my-service',
      'gen_ai.request.model': 'gpt-5-mini',
      'gen_ai.event.start_time': '2026-11-20T12:00:00Z',
    },
    events: [
      event('gen_ai.choice', {
        finish_reason: 'toolUse',
        message: json([{ toolUse: { toolUseId: 'c1', name: 'f', input: { a: 1 } } }]),
      }),
    ],
  });
  expect([row.provider, row.finish_reason]).toEqual(['openai', 'tool_call']);
  expect(output[0].parts).toEqual([
    { type: 'tool_call', id: 'c1', name: 'f', arguments: { a: 1 } },
  ]);
});

it('reads the members of OpenAI’s shape that LiteLLM puts beside OTel’s parts', () => {
  const calls = [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }];
  const answer = { role: 'tool', parts: [{ type: 'text', content: 'ok' }], tool_call_id: 'c1' };
  const messages = [{ role: 'assistant', parts: [], tool_calls: calls }, answer];
  const { input } = one({
    attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.input.messages': json(messages) },
  });
  expect(input).toEqual([
    {
      role: 'assistant',
      parts: [{ type: 'tool_call', id: 'c1', name: 'f', arguments: { a: 1 } }],
    },
    { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: 'ok' }] },
  ]);
});

it('reads tool requests and answers of Genkit', () => {
  const request = { toolRequest: { name: 'f', ref: 'c1', input: { a: 1 } } };
  const { row, output } = one(
    {
      attributes: {
        'genkit:metadata:subtype': 'model',
        'genkit:name': 'openai/gpt-5-mini',
        'genkit:output': json({ message: { role: 'model', content: [request] } }),
      },
    },
    'genkit-tracer',
  );
  expect([row.kind, row.provider, row.request_model]).toEqual(['llm', 'openai', 'gpt-5-mini']);
  expect(output[0].parts).toEqual([
    { type: 'tool_call', id: 'c1', name: 'f', arguments: { a: 1 } },
  ]);
});

describe('a span that says it is a model call but is none', () => {
  it('prepares one (LlamaIndex)', () => {
    const attributes = { 'openinference.span.kind': 'LLM' };
    expect(one({ name: 'OpenAI._prepare_chat_with_tools', attributes }).row.kind).toBe('other');
    expect(one({ name: 'OpenAI.achat', attributes }).row.kind).toBe('llm');
  });

  it('begins a stream whose end is told elsewhere (Logfire), but not when it failed', () => {
    const name = 'Chat Completion with {request_data[model]!r}';
    const attributes = { 'gen_ai.operation.name': 'chat', request_data: '{}' };
    const kind = (more: { [key: string]: Plain }) =>
      one({ name, attributes: { ...attributes, ...more } }, 'logfire.openai').row.kind;
    expect(kind({ 'gen_ai.response.model': 'm' })).toBe('task');
    expect(kind({ 'gen_ai.response.model': 'm', 'gen_ai.response.id': 'r' })).toBe('llm');
    expect(kind({})).toBe('llm');
  });
});

it('reads the usage that LiteLLM prints as a Python object', () => {
  const usage = "{'prompt_tokens_details': {'cached_tokens': 400}, 'x': {'reasoning_tokens': 30}}";
  const { row } = one({
    attributes: {
      'gen_ai.operation.name': 'chat',
      'gen_ai.usage.input_tokens': 1000,
      'gen_ai.usage.output_tokens': 80,
      'metadata.usage_object': usage,
    },
  });
  expect([row.cache_read_tokens, row.reasoning_tokens]).toEqual([400n, 30n]);
});

it('counts an MCP call once: the name of the tool is in that of the Python client’s span', () => {
  const attributes = { 'mcp.method.name': 'tools/call' };
  expect(one({ name: 'MCP send tools/call get_weather', attributes }).row.tool_name).toBe(
    'get_weather',
  );
});

it('takes an id in an answer for a response’s only where it looks like one', () => {
  const id = (value: Plain) =>
    one({ attributes: { 'openinference.span.kind': 'LLM', 'output.value': json(value) } }).row
      .response_id;
  expect([id({ id: 'chatcmpl-1', choices: [] }), id({ id: 'order-1' })]).toEqual([
    'chatcmpl-1',
    '',
  ]);
});
