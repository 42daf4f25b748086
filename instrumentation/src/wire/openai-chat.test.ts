import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { bodyOf } from '../../test/request-body.ts';
import { readSse } from '../sse.ts';
import type { Json } from './json.ts';
import { openaiChat } from './openai-chat.ts';
import { openaiResponses } from './openai-responses.ts';
import { providerOf } from './registry.ts';
import type { ModelResponse } from './wire.ts';

const chunk = (choices: object[], more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm-1', choices, ...more })}\n\n`;
const delta = (index: number, change: object, finish: string | null = null): object => ({
  index,
  delta: change,
  finish_reason: finish,
});
const callPiece = (
  index: number,
  id: string | undefined,
  name: string | undefined,
  json: string,
) => ({
  tool_calls: [
    {
      index,
      ...(id && { id, type: 'function' }),
      function: { ...(name && { name }), arguments: json },
    },
  ],
});

/** Two choices, parallel calls whose pieces interleave, usage last: put together by OpenAI's own SDK as well. */
const interleaved = [
  chunk([delta(0, { role: 'assistant', content: null })]),
  chunk([delta(1, { role: 'assistant', content: 'Zwei ' })]),
  chunk([delta(0, callPiece(0, 'call_a', 'get_weather', ''))]),
  chunk([delta(0, callPiece(1, 'call_b', 'get_time', '{"zo'))]),
  chunk([delta(0, callPiece(0, undefined, undefined, '{"city":"Köln"}'))]),
  chunk([delta(1, { content: '€ 5' })]),
  chunk([delta(0, callPiece(1, undefined, undefined, 'ne":"CET"}'))]),
  chunk([delta(0, {}, 'tool_calls')]),
  chunk([delta(1, {}, 'stop')]),
  chunk([], { usage: { prompt_tokens: 5, completion_tokens: 7, total_tokens: 12 } }),
  'data: [DONE]\n\n',
].join('');

function recordedStreams(): [string, string][] {
  const root =
    process.env['PLUMBLINE_TEST_DATA'] ?? join(import.meta.dirname, '../../../../shared/data');
  const folder = join(root, 'openai-http');
  if (!existsSync(folder)) return [];
  return (
    readdirSync(folder)
      .filter((name) => name.startsWith('openai-streaming-chat'))
      // OpenAI's own SDK throws on this one.
      .filter((name) => !name.includes('missing-a-choices-array'))
      .flatMap((name) => {
        const exchanges = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
          response: unknown;
        }[];
        return exchanges.flatMap(({ response }, index): [string, string][] =>
          typeof response === 'string' ? [[`${name} ${index}`, response]] : [],
        );
      })
  );
}

async function bySdk(stream: string) {
  const headers = { 'content-type': 'text/event-stream' };
  const client = new OpenAI({ apiKey: 'k', fetch: async () => new Response(stream, { headers }) });
  return client.chat.completions.stream({ model: 'm', messages: [] }).finalChatCompletion();
}

function byWire(stream: string): ModelResponse {
  const assembler = openaiChat.stream({ maxChars: 1_000_000 });
  const events = readSse(assembler.push);
  events.feed(Buffer.from(stream));
  events.end();
  expect(assembler.complete()).toBe(true);
  return assembler.result();
}

describe('a streamed answer', () => {
  it.each([['interleaved', interleaved] as [string, string], ...recordedStreams()])(
    'is what OpenAI’s own SDK makes of it: %s',
    async (_, stream) => {
      const expected = await bySdk(stream);
      const response = byWire(stream);
      const calls = expected.choices.flatMap(({ message }) =>
        (message.tool_calls ?? []).flatMap((call) =>
          call.type === 'function'
            ? [{ id: call.id, name: call.function.name, arguments: call.function.arguments }]
            : [],
        ),
      );
      expect(response.calls).toEqual(calls);
      const texts = expected.choices.map(({ message }) => message.content ?? '');
      expect(
        response.messages.map(({ parts }) =>
          parts.map((part) => (part.type === 'text' ? part.content : '')).join(''),
        ),
      ).toEqual(texts);
      expect(response.textBytes).toBe(Buffer.byteLength(texts.join('')));
      expect(response.attributes['gen_ai.response.finish_reasons']).toEqual(
        expected.choices.map((choice) => choice.finish_reason),
      );
      expect(response.attributes['gen_ai.response.model']).toBe(expected.model);
      expect(response.attributes['gen_ai.usage.input_tokens']).toBe(expected.usage?.prompt_tokens);
    },
  );

  it('keeps its memory bounded and still counts and understands the end', () => {
    const assembler = openaiChat.stream({ maxChars: 100 });
    for (let count = 0; count < 1_000; count += 1) {
      assembler.push(JSON.stringify({ choices: [delta(0, { content: 'ten chars.' })] }));
    }
    assembler.push(JSON.stringify({ choices: [delta(0, {}, 'length')] }));
    const { messages, textBytes, attributes } = assembler.result();
    expect(textBytes).toBe(10_000);
    expect(messages[0]?.parts).toEqual([{ type: 'text', content: 'ten chars.'.repeat(10) }]);
    expect(attributes['gen_ai.response.finish_reasons']).toEqual(['length']);
  });

  it('takes usage from where Groq puts it, and an error in mid-stream', () => {
    const assembler = openaiChat.stream({ maxChars: 100 });
    assembler.push('{"choices":[],"x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":4}}}');
    assembler.push('{"error":{"message":"overloaded","code":"server_overloaded"}}');
    assembler.push('not json');
    const { attributes, error } = assembler.result();
    expect(attributes).toMatchObject({ 'gen_ai.usage.input_tokens': 3 });
    expect(error).toEqual({ type: 'server_overloaded', message: 'overloaded' });
  });
});

describe('a request', () => {
  it('gives its settings', () => {
    const { attributes } = openaiChat.request(
      bodyOf({
        model: 'gpt-x',
        temperature: 0,
        top_p: 0.5,
        max_completion_tokens: 9,
        max_tokens: 1,
        frequency_penalty: 0.1,
        presence_penalty: 0.2,
        seed: 7,
        n: 2,
        stop: 'foo',
        reasoning_effort: 'low',
        service_tier: 'flex',
        response_format: { type: 'json_schema' },
        stream: true,
      }),
      '',
    );
    expect(attributes).toEqual({
      'openai.api.type': 'chat_completions',
      'openai.request.service_tier': 'flex',
      'gen_ai.request.model': 'gpt-x',
      'gen_ai.request.temperature': 0,
      'gen_ai.request.top_p': 0.5,
      'gen_ai.request.max_tokens': 9,
      'gen_ai.request.frequency_penalty': 0.1,
      'gen_ai.request.presence_penalty': 0.2,
      'gen_ai.request.seed': 7,
      'gen_ai.request.choice.count': 2,
      'gen_ai.request.stop_sequences': ['foo'],
      'gen_ai.request.reasoning.level': 'low',
      'gen_ai.request.stream': true,
      'gen_ai.output.type': 'json',
    });
  });

  it('gives its messages as the conventions write them', () => {
    const messages = [
      { role: 'developer', content: [{ type: 'text', text: 'Be brief' }] },
      {
        role: 'user',
        name: 'mia',
        content: [
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          { type: 'image_url', image_url: { url: 'https://x.example/a.png' } },
          { type: 'input_audio', input_audio: { data: 'BBBB', format: 'mp3' } },
          { type: 'file', file: { file_id: 'file-1' } },
          { type: 'new_kind', x: 1 },
        ],
      },
      {
        role: 'assistant',
        content: 'One moment',
        refusal: null,
        reasoning_content: 'think',
        tool_calls: [{ id: 'c', function: { name: 'f', arguments: '{broken' } }],
      },
      { role: 'tool', tool_call_id: 'c', content: 'done' },
      'not a message',
    ];
    const request = openaiChat.request(bodyOf({ model: 'm', messages }), '');
    expect(request.messageCount()).toBe(4);
    expect(request.prompt()).toBe('Be brief');
    expect(JSON.parse(JSON.stringify(request.messages()))).toEqual([
      { role: 'developer', parts: [{ type: 'text', content: 'Be brief' }] },
      {
        role: 'user',
        name: 'mia',
        parts: [
          { type: 'blob', modality: 'image', mime_type: 'image/png', content: 'AAAA' },
          { type: 'uri', modality: 'image', uri: 'https://x.example/a.png' },
          { type: 'blob', modality: 'audio', mime_type: 'audio/mp3', content: 'BBBB' },
          { type: 'file', modality: 'file', file_id: 'file-1' },
          { type: 'generic', content: { type: 'new_kind', x: 1 } },
        ],
      },
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', content: 'think' },
          { type: 'text', content: 'One moment' },
          { type: 'tool_call', id: 'c', name: 'f', arguments: '{broken' },
        ],
      },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c', response: 'done' }] },
    ]);
  });

  it.each([
    {},
    { messages: 'x', tools: {}, stop: 5 },
    { messages: [null, 1, { role: 5, content: {} }], tools: [null, { function: 5 }] },
  ] satisfies Json[])('survives a body that is none: %j', (body) => {
    const request = openaiChat.request(bodyOf(body), '');
    expect(request.tools()).toEqual([]);
    expect(request.messages()).toHaveLength(request.messageCount());
  });
});

describe('usage', () => {
  const usageOf = (usage: object) => openaiChat.response({ choices: [], usage }).attributes;

  it('of xAI has reasoning tokens beside the completion, of others inside', () => {
    const usage = {
      prompt_tokens: 21,
      completion_tokens: 563,
      completion_tokens_details: { reasoning_tokens: 263 },
    };
    const output = (total_tokens: number) =>
      usageOf({ ...usage, total_tokens })['gen_ai.usage.output_tokens'];
    expect([output(847), output(584)]).toEqual([826, 563]);
  });

  it('of Perplexity has a cost with parts', () => {
    const cost = { input_tokens_cost: 0.001, output_tokens_cost: 0.002, total_cost: 0.008 };
    expect(usageOf({ prompt_tokens: 1, cost })).toMatchObject({ 'gen_ai.usage.cost': 0.008 });
    const answer = openaiResponses.response({ output: [], usage: { input_tokens: 1, cost } });
    expect(answer.attributes).toMatchObject({ 'gen_ai.usage.cost': 0.008 });
  });
});

it('names the provider by its host, and compatible servers after the wire', () => {
  const hosts = [
    'api.openai.com',
    'acme.openai.azure.com',
    'eu.api.openai.com',
    'openrouter.ai',
    'notopenrouter.ai',
    '127.0.0.1',
  ];
  expect(hosts.map((host) => providerOf(host, openaiChat))).toEqual([
    'openai',
    'azure.ai.openai',
    'openai',
    'openrouter',
    'openai',
    'openai',
  ]);
});
