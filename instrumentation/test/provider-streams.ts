import { compatibleStreams } from './compatible-streams.ts';
import { type ProviderStream, sse, typed, weather } from './provider-stream.ts';

const anthropic: ProviderStream = {
  provider: 'anthropic',
  path: '/v1/messages',
  body: typed(
    {
      type: 'message_start',
      message: {
        id: 'msg_01',
        type: 'message',
        role: 'assistant',
        model: 'claude-sonnet-4-5-20250929',
        content: [],
        usage: {
          input_tokens: 12,
          cache_creation_input_tokens: 300,
          cache_read_input_tokens: 2_000,
          cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
          output_tokens: 1,
          service_tier: 'priority',
        },
      },
    },
    { type: 'ping' },
    ...[
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } },
      {
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'thinking_delta', thinking: 'Hä? 🤔' },
      },
      { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'x' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Moment – ' } },
      {
        type: 'content_block_delta',
        index: 1,
        delta: { type: 'text_delta', text: 'ich schaü 👀' },
      },
      {
        type: 'content_block_start',
        index: 2,
        content_block: { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: {} },
      },
      ...[weather.slice(0, 9), weather.slice(9)].map((partial_json) => ({
        type: 'content_block_delta',
        index: 2,
        delta: { type: 'input_json_delta', partial_json },
      })),
      {
        type: 'message_delta',
        delta: { stop_reason: 'tool_use', stop_sequence: null },
        usage: { output_tokens: 57, output_tokens_details: { thinking_tokens: 20 } },
      },
      { type: 'message_stop' },
    ],
  ),
  attributes: {
    'gen_ai.response.id': 'msg_01',
    'gen_ai.response.model': 'claude-sonnet-4-5-20250929',
    'gen_ai.response.finish_reasons': ['tool_use'],
    'gen_ai.usage.input_tokens': 2_312,
    'gen_ai.usage.output_tokens': 57,
    'gen_ai.usage.cache_read.input_tokens': 2_000,
    'gen_ai.usage.cache_write.input_tokens': 300,
    'gen_ai.usage.reasoning.output_tokens': 20,
    'anthropic.usage.cache_creation.ephemeral_5m_input_tokens': 100,
    'anthropic.usage.cache_creation.ephemeral_1h_input_tokens': 200,
    'anthropic.response.service_tier': 'priority',
  },
  said: 'Moment – ich schaü 👀',
  thought: 'Hä? 🤔',
  calls: [{ id: 'toolu_1', name: 'get_weather', arguments: weather }],
};

const anthropicOverloaded: ProviderStream = {
  ...anthropic,
  provider: 'anthropic, overloaded',
  body: typed(
    { type: 'message_start', message: { id: 'msg_02', model: 'claude', usage: {} } },
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
  ),
  attributes: { 'gen_ai.response.id': 'msg_02', 'gen_ai.response.model': 'claude' },
  said: '',
  thought: '',
  calls: [],
  error: { type: 'overloaded_error', message: 'Overloaded' },
};

const geminiChunk = (parts: object[], more: object = {}, candidate: object = {}): object => ({
  candidates: [{ index: 0, content: { role: 'model', parts }, ...candidate }],
  modelVersion: 'gemini-2.5-pro-002',
  responseId: 'resp-7',
  ...more,
});
const gemini: ProviderStream = {
  provider: 'gemini',
  path: '/v1beta/models/gemini-2.5-pro:streamGenerateContent',
  body: sse(
    geminiChunk([{ text: 'Überlegen…', thought: true }]),
    geminiChunk([{ text: 'Ich ' }]),
    geminiChunk([{ text: 'prüfe 🌦' }]),
    geminiChunk(
      [{ functionCall: { id: 'fc-1', name: 'get_weather', args: JSON.parse(weather) } }],
      {
        usageMetadata: {
          promptTokenCount: 100,
          toolUsePromptTokenCount: 20,
          cachedContentTokenCount: 64,
          candidatesTokenCount: 30,
          thoughtsTokenCount: 11,
        },
      },
      { finishReason: 'STOP' },
    ),
  ),
  attributes: {
    'gen_ai.response.id': 'resp-7',
    'gen_ai.response.model': 'gemini-2.5-pro-002',
    'gen_ai.response.finish_reasons': ['STOP'],
    'gen_ai.usage.input_tokens': 120,
    'gen_ai.usage.output_tokens': 41,
    'gen_ai.usage.cache_read.input_tokens': 64,
    'gen_ai.usage.reasoning.output_tokens': 11,
  },
  said: 'Ich prüfe 🌦',
  thought: 'Überlegen…',
  calls: [{ id: 'fc-1', name: 'get_weather', arguments: weather }],
};

const cohere: ProviderStream = {
  provider: 'cohere',
  path: '/v2/chat',
  body: typed(
    ...[
      { type: 'message-start', id: 'co-1', delta: { message: { role: 'assistant' } } },
      { type: 'tool-plan-delta', delta: { message: { tool_plan: 'Ich schaue nach ☂' } } },
      {
        type: 'tool-call-start',
        index: 0,
        delta: {
          message: {
            tool_calls: {
              id: 'c1',
              type: 'function',
              function: { name: 'get_weather', arguments: '' },
            },
          },
        },
      },
      ...[weather.slice(0, 9), weather.slice(9)].map((written) => ({
        type: 'tool-call-delta',
        index: 0,
        delta: { message: { tool_calls: { function: { arguments: written } } } },
      })),
      { type: 'tool-call-end', index: 0 },
      {
        type: 'message-end',
        delta: {
          finish_reason: 'TOOL_CALL',
          usage: {
            billed_units: { input_tokens: 50, output_tokens: 9 },
            tokens: { input_tokens: 900, output_tokens: 40 },
            cached_tokens: 512,
          },
        },
      },
    ],
  ),
  attributes: {
    'gen_ai.response.id': 'co-1',
    'gen_ai.response.finish_reasons': ['TOOL_CALL'],
    'gen_ai.usage.input_tokens': 900,
    'gen_ai.usage.output_tokens': 40,
    'gen_ai.usage.cache_read.input_tokens': 512,
  },
  said: 'Ich schaue nach ☂',
  thought: '',
  calls: [{ id: 'c1', name: 'get_weather', arguments: weather }],
};

const lines = (...values: object[]): string =>
  values.map((value) => `${JSON.stringify({ model: 'qwen3:8b', ...value })}\n`).join('');
const ollama: ProviderStream = {
  provider: 'ollama',
  path: '/api/chat',
  body: lines(
    { message: { role: 'assistant', content: '', thinking: 'Höm… 💭' }, done: false },
    { message: { role: 'assistant', content: 'Kälte ❄' }, done: false },
    {
      message: {
        role: 'assistant',
        content: '',
        tool_calls: [{ function: { name: 'get_weather', arguments: JSON.parse(weather) } }],
      },
      done: false,
    },
    {
      message: { role: 'assistant', content: '' },
      done: true,
      done_reason: 'stop',
      total_duration: 5_000_000_000,
      prompt_eval_count: 33,
      eval_count: 21,
    },
  ),
  attributes: {
    'gen_ai.response.model': 'qwen3:8b',
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.usage.input_tokens': 33,
    'gen_ai.usage.output_tokens': 21,
  },
  said: 'Kälte ❄',
  thought: 'Höm… 💭',
  calls: [{ id: '', name: 'get_weather', arguments: weather }],
};

const ollamaStopped: ProviderStream = {
  ...ollama,
  provider: 'ollama, stopped',
  body: lines(
    { message: { role: 'assistant', content: 'Käl' }, done: false },
    { error: 'model runner has unexpectedly stopped' },
  ),
  attributes: { 'gen_ai.response.model': 'qwen3:8b' },
  said: 'Käl',
  thought: '',
  calls: [],
  error: { type: undefined, message: 'model runner has unexpectedly stopped' },
};

export const providerStreams: readonly ProviderStream[] = [
  anthropic,
  anthropicOverloaded,
  gemini,
  cohere,
  ollama,
  ollamaStopped,
  ...compatibleStreams,
];
