import { args, calls, data, event, stream, text } from './fake-frames.mjs';

export function messages({ seen, body, model, send, response }) {
  const call = calls(seen, JSON.stringify(body.messages).includes('tool_result'));
  const usage = {
    input_tokens: 50,
    cache_creation_input_tokens: 30,
    cache_read_input_tokens: 200,
    cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
    output_tokens: 25,
    service_tier: 'standard',
  };
  const content = call
    ? [
        { type: 'text', text: 'Let me check.' },
        { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: args },
      ]
    : [{ type: 'text', text }];
  const base = { id: 'msg_1', type: 'message', role: 'assistant', model, stop_sequence: null };
  const stop = call ? 'tool_use' : 'end_turn';
  if (!body.stream) return send({ ...base, content, stop_reason: stop, usage });
  const blocks = content.flatMap((block, index) => [
    {
      type: 'content_block_start',
      index,
      content_block: block.type === 'text' ? { type: 'text', text: '' } : { ...block, input: {} },
    },
    {
      type: 'content_block_delta',
      index,
      delta:
        block.type === 'text'
          ? { type: 'text_delta', text: block.text }
          : { type: 'input_json_delta', partial_json: JSON.stringify(block.input) },
    },
    { type: 'content_block_stop', index },
  ]);
  const started = {
    ...base,
    content: [],
    stop_reason: null,
    usage: { ...usage, output_tokens: 1 },
  };
  const delta = { stop_reason: stop, stop_sequence: null };
  return stream(
    response,
    [
      { type: 'message_start', message: started },
      ...blocks,
      { type: 'message_delta', delta, usage: { output_tokens: 25 } },
      { type: 'message_stop' },
    ].map(event),
  );
}

export function gemini({ seen, body, model, send, response, pathname }) {
  const call = calls(seen, JSON.stringify(body.contents).includes('functionResponse'));
  const json = body.generationConfig?.responseMimeType === 'application/json';
  const said = json ? '{"sunny":true}' : text;
  const base = { modelVersion: `${model}-001`, responseId: 'gem_1' };
  const usageMetadata = {
    promptTokenCount: 120,
    cachedContentTokenCount: 64,
    candidatesTokenCount: 17,
    thoughtsTokenCount: 8,
    totalTokenCount: 145,
  };
  const parts = call ? [{ functionCall: { name: 'get_weather', args } }] : [{ text: said }];
  const whole = (candidate) => ({ ...base, candidates: [{ index: 0, ...candidate }] });
  const end = { content: { role: 'model', parts }, finishReason: 'STOP' };
  if (pathname.endsWith(':generateContent')) return send({ ...whole(end), usageMetadata });
  const pieces = call ? [] : said.split(/(?<= )/);
  const last = call
    ? end
    : { content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'STOP' };
  return stream(response, [
    ...pieces.map((piece) => data(whole({ content: { role: 'model', parts: [{ text: piece }] } }))),
    data({ ...whole(last), usageMetadata }),
  ]);
}

export function cohere({ seen, body, send, response }) {
  const call = calls(
    seen,
    body.messages?.some(({ role }) => role === 'tool'),
  );
  const usage = {
    billed_units: { input_tokens: 100, output_tokens: 20 },
    tokens: { input_tokens: 120, output_tokens: 25 },
  };
  const target = { name: 'get_weather', arguments: JSON.stringify(args) };
  const reason = call ? 'TOOL_CALL' : 'COMPLETE';
  const toolCall = { id: 'call_1', type: 'function', function: target };
  if (!body.stream) {
    const message = call
      ? { role: 'assistant', tool_plan: 'I look.', tool_calls: [toolCall] }
      : { role: 'assistant', content: [{ type: 'text', text }] };
    return send({ id: 'co_1', finish_reason: reason, message, usage });
  }
  const delta = (type, message) => event({ type, index: 0, delta: { message } });
  const said = call
    ? [
        delta('tool-call-start', { tool_calls: toolCall }),
        event({ type: 'tool-call-end', index: 0 }),
      ]
    : [
        delta('content-start', { content: { type: 'text', text: '' } }),
        ...text
          .split(/(?<= )/)
          .map((piece) => delta('content-delta', { content: { text: piece } })),
        event({ type: 'content-end', index: 0 }),
      ];
  return stream(response, [
    event({ type: 'message-start', id: 'co_1', delta: { message: { role: 'assistant' } } }),
    ...said,
    event({ type: 'message-end', id: 'co_1', delta: { finish_reason: reason, usage } }),
    'data: [DONE]\n\n',
  ]);
}

export function ollama({ seen, body, model, send, response }) {
  const call = calls(
    seen,
    body.messages?.some(({ role }) => role === 'tool'),
  );
  const base = { model, created_at: '2026-01-01T00:00:00Z' };
  const tool_calls = [{ function: { name: 'get_weather', arguments: args } }];
  const end = { done: true, done_reason: 'stop', prompt_eval_count: 120, eval_count: 25 };
  const message = call
    ? { role: 'assistant', content: '', tool_calls }
    : { role: 'assistant', content: text };
  if (body.stream === false) return send({ ...base, message, ...end });
  const line = (value) => `${JSON.stringify({ ...base, ...value })}\n`;
  const pieces = call
    ? [line({ message, done: false })]
    : text
        .split(/(?<= )/)
        .map((content) => line({ message: { role: 'assistant', content }, done: false }));
  return stream(
    response,
    [...pieces, line({ message: { role: 'assistant', content: '' }, ...end })],
    'application/x-ndjson',
  );
}

export function embeddings({ model, send }) {
  send({
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2] }],
    model,
    usage: { prompt_tokens: 5, total_tokens: 5 },
  });
}
