import { args, calls, data, event, openaiUsage, stream, text } from './fake-frames.mjs';

export function chatCompletions({ seen, body, model, send, response }) {
  const call = calls(
    seen,
    body.messages?.some(({ role }) => role === 'tool'),
  );
  const base = {
    id: 'chatcmpl-1',
    created: 1,
    model: `${model}-2026-01-01`,
    system_fingerprint: 'fp_1',
    service_tier: 'default',
  };
  const toolCall = {
    id: 'call_1',
    type: 'function',
    function: { name: 'get_weather', arguments: JSON.stringify(args) },
  };
  const content = body.response_format ? '{"sunny":true}' : text;
  if (!body.stream) {
    const message = call
      ? { role: 'assistant', content: null, tool_calls: [toolCall] }
      : { role: 'assistant', content, refusal: null };
    const choice = { index: 0, finish_reason: call ? 'tool_calls' : 'stop', message };
    return send({ ...base, object: 'chat.completion', choices: [choice], usage: openaiUsage });
  }
  const delta = (change, finish = null) =>
    data({
      ...base,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta: change, finish_reason: finish }],
    });
  const pieces = call
    ? [delta({ tool_calls: [{ index: 0, ...toolCall }] }), delta({}, 'tool_calls')]
    : [...content.split(/(?<= )/).map((piece) => delta({ content: piece })), delta({}, 'stop')];
  const usage = body.stream_options?.include_usage
    ? [data({ ...base, object: 'chat.completion.chunk', choices: [], usage: openaiUsage })]
    : [];
  return stream(response, [
    delta({ role: 'assistant', content: '' }),
    ...pieces,
    ...usage,
    'data: [DONE]\n\n',
  ]);
}

/** What a response echoes of its request. */
const echoed = {
  parallel_tool_calls: true,
  tools: [],
  tool_choice: 'auto',
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  temperature: 1,
  top_p: 1,
};

const responsesUsage = {
  input_tokens: 120,
  input_tokens_details: { cached_tokens: 64 },
  output_tokens: 25,
  output_tokens_details: { reasoning_tokens: 8 },
  total_tokens: 145,
};

export function responses({ seen, body, model, send, response }) {
  const answered = Array.isArray(body.input)
    ? body.input.some(({ type }) => type === 'function_call_output')
    : false;
  const message = {
    type: 'message',
    id: 'msg_1',
    role: 'assistant',
    status: 'completed',
    content: [
      { type: 'output_text', text: body.text?.format ? '{"sunny":true}' : text, annotations: [] },
    ],
  };
  const call = {
    type: 'function_call',
    id: 'fc_1',
    call_id: 'call_1',
    name: 'get_weather',
    arguments: JSON.stringify(args),
    status: 'completed',
  };
  const output = [calls(seen, answered) ? call : message];
  const whole = {
    id: 'resp_1',
    object: 'response',
    created_at: 1,
    status: 'completed',
    service_tier: 'default',
    model: `${model}-2026-01-01`,
    output,
    usage: responsesUsage,
    ...echoed,
  };
  if (!body.stream) return send(whole);
  const [item] = output;
  const place = { output_index: 0, item_id: item.id };
  const said = item.type === 'message' ? item.content[0].text : '';
  const part = { ...place, content_index: 0 };
  const frames = [
    { type: 'response.created', response: { ...whole, status: 'in_progress', output: [] } },
    { type: 'response.output_item.added', ...place, item: { ...item, content: [], arguments: '' } },
    ...(said
      ? [
          {
            type: 'response.content_part.added',
            ...part,
            part: { type: 'output_text', text: '', annotations: [] },
          },
          ...said
            .split(/(?<= )/)
            .map((delta) => ({ type: 'response.output_text.delta', ...part, delta })),
          { type: 'response.output_text.done', ...part, text: said },
        ]
      : [
          { type: 'response.function_call_arguments.delta', ...place, delta: item.arguments },
          {
            type: 'response.function_call_arguments.done',
            ...place,
            arguments: item.arguments,
          },
        ]),
    { type: 'response.output_item.done', ...place, item },
    { type: 'response.completed', response: whole },
  ];
  return stream(
    response,
    frames.map((frame, index) => event({ ...frame, sequence_number: index })),
  );
}
