// How a request to each API is read, and what the fixed answers of the fake server mean in OTel's words.

const textBytes = 12;
const jsonBytes = 14;

const apis = {
  chat: {
    path: /\/chat\/completions$/,
    provider: 'openai',
    asked: (body) => ({
      'openai.api.type': 'chat_completions',
      'gen_ai.output.type': body.response_format && 'json',
      'gen_ai.request.temperature': body.temperature,
      'gen_ai.request.stream': body.stream === true || undefined,
    }),
    json: (body) => Boolean(body.response_format),
    items: (body) => body.messages.length,
    prompted: (body) => body.messages.some(({ role }) => /system|developer/.test(role)),
    stopped: ['stop', 'tool_calls'],
    counted: (body) => !body.stream || body.stream_options?.include_usage === true,
    answered: (model) => ({
      'gen_ai.response.id': 'chatcmpl-1',
      'gen_ai.response.model': `${model}-2026-01-01`,
      'openai.response.service_tier': 'default',
      'openai.response.system_fingerprint': 'fp_1',
    }),
    usage: [120, 25, { cache_read: 64 }, 8],
    failed: { 404: 'model_not_found', 500: 'api_error' },
    callId: 'call_1',
  },
  responses: {
    path: /\/responses$/,
    provider: 'openai',
    asked: (body) => ({
      'openai.api.type': 'responses',
      'gen_ai.output.type': body.text?.format && 'json',
      'gen_ai.request.stream': body.stream === true || undefined,
    }),
    json: (body) => Boolean(body.text?.format),
    items: (body) => (typeof body.input === 'string' ? 1 : body.input.length),
    prompted: (body) => Boolean(body.instructions),
    stopped: ['stop', 'tool_calls'],
    answered: (model) => ({
      'gen_ai.response.id': 'resp_1',
      'gen_ai.response.model': `${model}-2026-01-01`,
      'openai.response.service_tier': 'default',
    }),
    usage: [120, 25, { cache_read: 64 }, 8],
    failed: { 404: 'model_not_found', 500: 'api_error' },
    callId: 'call_1',
  },
  anthropic: {
    path: /\/messages$/,
    provider: 'anthropic',
    asked: (body) => ({
      'gen_ai.request.max_tokens': body.max_tokens,
      'gen_ai.request.stream': body.stream === true || undefined,
    }),
    items: (body) => body.messages.length,
    stopped: ['end_turn', 'tool_use'],
    answered: (model) => ({
      'gen_ai.response.id': 'msg_1',
      'gen_ai.response.model': model,
      'anthropic.usage.cache_creation.ephemeral_5m_input_tokens': 10,
      'anthropic.usage.cache_creation.ephemeral_1h_input_tokens': 20,
      'anthropic.response.service_tier': 'standard',
    }),
    // Its own input count leaves out what was read from and written to the cache: 50 + 200 + 30.
    usage: [280, 25, { cache_read: 200, cache_write: 30 }],
    failed: { 404: 'invalid_request_error', 500: 'api_error' },
    callId: 'toolu_1',
    callBytes: 'Let me check.'.length,
    callParts: [{ type: 'text' }],
  },
  gemini: {
    path: /:(?:stream)?generateContent$/i,
    operation: 'generate_content',
    provider: 'gcp.gemini',
    streams: (_, path) => path.includes('streamGenerateContent'),
    asked: (body, streamed) => ({
      'gen_ai.request.stream': streamed || undefined,
      'gen_ai.output.type': body.generationConfig?.responseMimeType && 'json',
    }),
    json: (body) => Boolean(body.generationConfig?.responseMimeType),
    items: (body) => body.contents.length,
    stopped: ['STOP', 'STOP'],
    answered: (model) => ({
      'gen_ai.response.id': 'gem_1',
      'gen_ai.response.model': `${model}-001`,
    }),
    // Thoughts are counted beside the answer: 17 + 8.
    usage: [120, 25, { cache_read: 64 }, 8],
    failed: { 404: 'NOT_FOUND', 500: 'INTERNAL' },
  },
  cohere: {
    path: /\/v2\/chat$/,
    provider: 'cohere',
    asked: (body) => ({ 'gen_ai.request.stream': body.stream === true || undefined }),
    items: (body) => body.messages.length,
    stopped: ['COMPLETE', 'TOOL_CALL'],
    answered: () => ({ 'gen_ai.response.id': 'co_1' }),
    usage: [120, 25, {}],
    failed: { 404: '404', 500: '500' },
    callId: 'call_1',
    callBytes: 'I look.'.length,
    callParts: [{ type: 'text' }],
  },
  ollama: {
    path: /\/api\/chat$/,
    provider: 'ollama',
    streams: (body) => body.stream !== false,
    asked: (body) => ({ 'gen_ai.request.stream': body.stream !== false || undefined }),
    items: (body) => body.messages.length,
    stopped: ['stop', 'stop'],
    answered: (model) => ({ 'gen_ai.response.model': model }),
    usage: [120, 25, {}],
    failed: { 404: '404', 500: '500' },
  },
};

/** The API that a path belongs to. */
export function apiOf(path) {
  return Object.values(apis).find((api) => api.path.test(path));
}

export function usage({ usage: [input, output, cache, reasoning] }) {
  return {
    'gen_ai.usage.input_tokens': input,
    'gen_ai.usage.output_tokens': output,
    'gen_ai.usage.cache_read.input_tokens': cache.cache_read,
    'gen_ai.usage.cache_write.input_tokens': cache.cache_write,
    'gen_ai.usage.reasoning.output_tokens': reasoning,
  };
}

/** What was said, without its words. */
export function answer(api, body, called) {
  const call = { type: 'tool_call', ...(api.callId && { id: api.callId }), name: 'get_weather' };
  const parts = called ? [...(api.callParts ?? []), call] : [{ type: 'text' }];
  const bytes = called ? (api.callBytes ?? 0) : api.json?.(body) ? jsonBytes : textBytes;
  const finish_reason = called ? 'tool_call' : 'stop';
  return {
    'gen_ai.response.finish_reasons': [api.stopped[called ? 1 : 0]],
    'agent.response.bytes': bytes,
    'gen_ai.output.messages': JSON.stringify([{ role: 'assistant', parts, finish_reason }]),
  };
}
