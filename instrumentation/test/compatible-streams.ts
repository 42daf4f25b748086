import { type ProviderStream, sse, weather } from './provider-stream.ts';

const delta = (change: object, finish: string | null = null): object[] => [
  { index: 0, delta: change, finish_reason: finish },
];

const chat = (model: string, choices: object[], more: object = {}): object => ({
  id: 'cmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model,
  choices,
  ...more,
});
const calling = (...pieces: string[]): object[][] =>
  pieces.map((written, index) =>
    delta({
      tool_calls: [
        {
          index: 0,
          ...(index === 0 && { id: 'call_9', type: 'function' }),
          function: { ...(index === 0 && { name: 'get_weather' }), arguments: written },
        },
      ],
    }),
  );

const mistral: ProviderStream = {
  provider: 'mistral',
  path: '/v1/chat/completions',
  body: sse(
    chat(
      'magistral-medium-2509',
      delta({
        role: 'assistant',
        content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Voyons… ' }] }],
      }),
    ),
    chat('magistral-medium-2509', delta({ content: 'Ça va ☀' })),
    // The call comes whole here, with usage in the same chunk.
    chat(
      'magistral-medium-2509',
      [
        {
          index: 0,
          finish_reason: 'tool_calls',
          delta: {
            content: '',
            tool_calls: [
              { id: 'aB3dE6gH9', index: 0, function: { name: 'get_weather', arguments: weather } },
            ],
          },
        },
      ],
      { usage: { prompt_tokens: 70, completion_tokens: 18, total_tokens: 88 } },
    ),
    '[DONE]',
  ),
  attributes: {
    'gen_ai.response.id': 'cmpl-1',
    'gen_ai.response.model': 'magistral-medium-2509',
    'gen_ai.response.finish_reasons': ['tool_calls'],
    'gen_ai.usage.input_tokens': 70,
    'gen_ai.usage.output_tokens': 18,
  },
  said: 'Ça va ☀',
  thought: 'Voyons… ',
  calls: [{ id: 'aB3dE6gH9', name: 'get_weather', arguments: weather }],
};

const groq: ProviderStream = {
  provider: 'groq',
  path: '/openai/v1/chat/completions',
  body: sse(
    chat('qwen/qwen3-32b', delta({ role: 'assistant', reasoning: 'Mmh… ⏱' }), {
      x_groq: { id: 'req_01' },
    }),
    chat('qwen/qwen3-32b', delta({ content: 'Ja, ' })),
    chat('qwen/qwen3-32b', delta({ content: 'schön ☀' })),
    chat('qwen/qwen3-32b', delta({}, 'stop'), {
      service_tier: 'flex',
      x_groq: {
        id: 'req_01',
        usage: {
          prompt_tokens: 44,
          completion_tokens: 15,
          total_tokens: 59,
          prompt_tokens_details: { cached_tokens: 32 },
          completion_tokens_details: { reasoning_tokens: 6 },
          queue_time: 0.01,
        },
      },
    }),
    '[DONE]',
  ),
  attributes: {
    'gen_ai.response.id': 'cmpl-1',
    'gen_ai.response.model': 'qwen/qwen3-32b',
    'gen_ai.response.finish_reasons': ['stop'],
    'openai.response.service_tier': 'flex',
    'gen_ai.usage.input_tokens': 44,
    'gen_ai.usage.output_tokens': 15,
    'gen_ai.usage.cache_read.input_tokens': 32,
    'gen_ai.usage.reasoning.output_tokens': 6,
  },
  said: 'Ja, schön ☀',
  thought: 'Mmh… ⏱',
  calls: [],
};

const azure: ProviderStream = {
  provider: 'azure',
  path: '/openai/deployments/prod-gpt/chat/completions',
  body: sse(
    // The filter's verdict on the prompt comes first, under no model.
    { ...chat('', []), id: '', prompt_filter_results: [{ prompt_index: 0 }] },
    chat('gpt-5-mini-2025-08-07', delta({ role: 'assistant', content: '' })),
    chat('gpt-5-mini-2025-08-07', delta({ content: 'Grüße 🇨🇭' })),
    chat('gpt-5-mini-2025-08-07', [
      {
        index: 0,
        delta: {},
        finish_reason: 'content_filter',
        content_filter_results: { hate: { filtered: true } },
      },
    ]),
    chat('gpt-5-mini-2025-08-07', [], {
      system_fingerprint: 'fp_az',
      usage: {
        prompt_tokens: 10,
        completion_tokens: 3,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
    }),
    '[DONE]',
  ),
  attributes: {
    'gen_ai.response.id': 'cmpl-1',
    'gen_ai.response.model': 'gpt-5-mini-2025-08-07',
    'gen_ai.response.finish_reasons': ['content_filter'],
    'openai.response.system_fingerprint': 'fp_az',
    'gen_ai.usage.input_tokens': 10,
    'gen_ai.usage.output_tokens': 3,
    'gen_ai.usage.cache_read.input_tokens': 0,
    'gen_ai.usage.reasoning.output_tokens': 0,
  },
  said: 'Grüße 🇨🇭',
  thought: '',
  calls: [],
};

const openrouter: ProviderStream = {
  provider: 'openrouter',
  path: '/api/v1/chat/completions',
  body: [
    ': OPENROUTER PROCESSING\n\n',
    sse(chat('anthropic/claude-sonnet-4.5', delta({ role: 'assistant', reasoning: 'Öhm ' }))),
    ': OPENROUTER PROCESSING\n\n',
    sse(
      ...calling('', weather.slice(0, 9), weather.slice(9)).map((choices) =>
        chat('anthropic/claude-sonnet-4.5', choices),
      ),
      chat('anthropic/claude-sonnet-4.5', delta({}, 'tool_calls')),
      chat('anthropic/claude-sonnet-4.5', [], {
        usage: {
          prompt_tokens: 210,
          completion_tokens: 33,
          cost: 0.00123,
          prompt_tokens_details: { cached_tokens: 128, cache_write_tokens: 40 },
          completion_tokens_details: { reasoning_tokens: 5 },
        },
      }),
      '[DONE]',
    ),
  ].join(''),
  attributes: {
    'gen_ai.response.id': 'cmpl-1',
    'gen_ai.response.model': 'anthropic/claude-sonnet-4.5',
    'gen_ai.response.finish_reasons': ['tool_calls'],
    'gen_ai.usage.input_tokens': 210,
    'gen_ai.usage.output_tokens': 33,
    'gen_ai.usage.cache_read.input_tokens': 128,
    'gen_ai.usage.cache_write.input_tokens': 40,
    'gen_ai.usage.reasoning.output_tokens': 5,
    'gen_ai.usage.cost': 0.00123,
  },
  said: '',
  thought: 'Öhm ',
  calls: [{ id: 'call_9', name: 'get_weather', arguments: weather }],
};

/** Of OpenAI's chat completions as others speak it. */
export const compatibleStreams: readonly ProviderStream[] = [mistral, groq, azure, openrouter];
