import { describe, expect, it } from 'vitest';
import { foldIndexed } from './indexed.ts';
import { builtInMapping } from './mapping.ts';
import { toMessages, toTool } from './messages.ts';
import type { Json } from './values.ts';

const roles = builtInMapping().role_aliases;
const messages = (value: Json, role = 'user') => toMessages(value, role, roles);
const limits = { max_index: 10_000, max_messages: 2000, max_depth: 12 };
const text = (content: string) => ({ type: 'text', content });

describe('messages of', () => {
  it('OpenAI chat completions', () => {
    const request: Json = {
      messages: [
        { role: 'developer', content: 'Be brief' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'See' },
            { type: 'image_url', image_url: { url: 'https://x/y.png' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'ok' },
      ],
    };
    expect(messages(request)).toEqual([
      { role: 'system', parts: [text('Be brief')] },
      {
        role: 'user',
        parts: [text('See'), { type: 'uri', modality: 'image', uri: 'https://x/y.png' }],
      },
      {
        role: 'assistant',
        parts: [{ type: 'tool_call', id: 'c1', name: 'f', arguments: { a: 1 } }],
      },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: 'ok' }] },
    ]);
    const response: Json = {
      choices: [{ finish_reason: 'stop', message: { role: 'assistant', content: 'Hi' } }],
    };
    expect(messages(response, 'assistant')).toEqual([
      { role: 'assistant', parts: [text('Hi')], finish_reason: 'stop' },
    ]);
  });

  it('OpenAI responses', () => {
    expect(
      messages([
        { role: 'user', content: [{ type: 'input_text', text: 'Hi' }] },
        { type: 'reasoning', summary: [{ type: 'summary_text', text: 'thinking' }] },
        { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1', output: 'ok' },
      ]),
    ).toEqual([
      { role: 'user', parts: [text('Hi')] },
      { role: 'assistant', parts: [{ type: 'reasoning', content: 'thinking' }] },
      { role: 'assistant', parts: [{ type: 'tool_call', id: 'c1', name: 'f', arguments: {} }] },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: 'ok' }] },
    ]);
  });

  it('Anthropic, whose tool results come from the user', () => {
    expect(
      messages([
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 's' },
            { type: 'tool_use', id: 'u1', name: 'f', input: { a: 1 } },
          ],
        },
        {
          role: 'user',
          content: [
            {
              type: 'tool_result',
              tool_use_id: 'u1',
              content: [{ type: 'text', text: 'no' }],
              is_error: true,
            },
          ],
        },
      ]),
    ).toEqual([
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', content: 'hm', signature: 's' },
          { type: 'tool_call', id: 'u1', name: 'f', arguments: { a: 1 } },
        ],
      },
      {
        role: 'tool',
        parts: [{ type: 'tool_call_response', id: 'u1', response: 'no', is_error: true }],
      },
    ]);
  });

  it('Gemini', () => {
    expect(
      messages([
        { role: 'user', parts: [{ text: 'Hi' }] },
        {
          role: 'model',
          parts: [{ text: 'hm', thought: true }, { functionCall: { name: 'f', args: { a: 1 } } }],
        },
        { role: 'user', parts: [{ functionResponse: { name: 'f', response: { ok: 1 } } }] },
      ]),
    ).toEqual([
      { role: 'user', parts: [text('Hi')] },
      {
        role: 'assistant',
        parts: [
          { type: 'reasoning', content: 'hm' },
          { type: 'tool_call', name: 'f', arguments: { a: 1 } },
        ],
      },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'f', response: { ok: 1 } }] },
    ]);
  });

  it('LangChain dumps', () => {
    const lc = (name: string, kwargs: Json): Json => ({
      lc: 1,
      type: 'constructor',
      id: ['langchain_core', 'messages', name],
      kwargs,
    });
    expect(
      messages({
        messages: [
          [
            lc('HumanMessage', { content: 'Hi' }),
            lc('AIMessageChunk', {
              content: '',
              tool_calls: [{ name: 'f', args: { a: 1 }, id: 'c1', type: 'tool_call' }],
            }),
            lc('ToolMessage', { content: 'ok', tool_call_id: 'c1' }),
          ],
        ],
      }),
    ).toEqual([
      { role: 'user', parts: [text('Hi')] },
      {
        role: 'assistant',
        parts: [{ type: 'tool_call', id: 'c1', name: 'f', arguments: { a: 1 } }],
      },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: 'ok' }] },
    ]);
  });

  it('the AI SDK', () => {
    expect(
      messages([
        {
          role: 'assistant',
          content: [{ type: 'tool-call', toolCallId: 'c1', toolName: 'f', input: { a: 1 } }],
        },
        {
          role: 'tool',
          content: [
            {
              type: 'tool-result',
              toolCallId: 'c1',
              toolName: 'f',
              output: { type: 'text', value: 'ok' },
            },
          ],
        },
      ]),
    ).toEqual([
      {
        role: 'assistant',
        parts: [{ type: 'tool_call', id: 'c1', name: 'f', arguments: { a: 1 } }],
      },
      {
        role: 'tool',
        parts: [{ type: 'tool_call_response', id: 'c1', response: { type: 'text', value: 'ok' } }],
      },
    ]);
  });

  it('unknown data keep all of it', () => {
    expect(messages({ query: 'x', k: 3 })).toEqual([
      { role: 'user', parts: [{ type: 'json', content: { query: 'x', k: 3 } }] },
    ]);
    expect(messages('plain', 'assistant')).toEqual([{ role: 'assistant', parts: [text('plain')] }]);
    expect(messages(null)).toEqual([]);
  });
});

describe('indexed keys', () => {
  const fold = (keys: { [path: string]: string }) =>
    foldIndexed(
      Object.entries(keys).map(([path, value]) => ({ path, value })),
      limits,
    );

  it('fold in numeric order and close gaps', () => {
    expect(
      fold({ '10.a': 'z', '9.a': 'y', '2.a': 'x' }).map((item) => (item as { a: string }).a),
    ).toEqual(['x', 'y', 'z']);
  });

  it('drop hostile, deep and far paths', () => {
    expect(
      fold({ '0.__proto__.x': '1', '10001.a': '1', [`0.${'a.'.repeat(12)}a`]: '1', '0.b': '2' }),
    ).toEqual([expect.objectContaining({ b: '2' })]);
  });

  it('prefer the deeper of a key and its prefix, in any order', () => {
    expect(fold({ '0.a': 'x', '0.a.b': 'y' })).toEqual(fold({ '0.a.b': 'y', '0.a': 'x' }));
  });
});

describe('tools of', () => {
  const tool = { type: 'function', name: 'f', description: 'd', parameters: { type: 'object' } };

  it.each<[string, Json]>([
    [
      'OpenAI',
      {
        type: 'function',
        function: { name: 'f', description: 'd', parameters: { type: 'object' } },
      },
    ],
    ['Anthropic', { name: 'f', description: 'd', input_schema: { type: 'object' } }],
    [
      'Gemini',
      { function_declarations: [{ name: 'f', description: 'd', parameters: { type: 'object' } }] },
    ],
    [
      'the AI SDK',
      '{"type":"function","name":"f","description":"d","inputSchema":{"type":"object"}}',
    ],
    [
      'OpenInference',
      {
        tool: {
          json_schema:
            '{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object"}}}',
        },
      },
    ],
    ['Traceloop', { name: 'f', description: 'd', parameters: '{"type":"object"}' }],
  ])('%s', (_vendor, data) => {
    expect(toTool(data)).toEqual([tool]);
  });

  it('names alone', () => {
    expect(toTool('f')).toEqual([{ type: 'function', name: 'f' }]);
    expect(toTool({ description: 'nameless' })).toEqual([]);
  });
});
