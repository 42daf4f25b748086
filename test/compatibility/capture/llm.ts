import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Turn, turnOf } from './script.ts';

/** A running fake. `url` has no path. */
export interface FakeLlm {
  readonly url: string;
  close(): Promise<void>;
}

interface Answer {
  readonly id: number;
  readonly model: string;
  readonly turn: Turn;
}

type Body = Record<string, unknown>;

/** Time before the first piece of a stream, in milliseconds; long enough to be told from zero. */
const firstPieceMs = 30;

/**
 * Starts a server that speaks OpenAI chat completions, responses and embeddings, Anthropic messages and Gemini, plain
 * and streamed. It answers by the script alone: the same requests get the same words and token counts.
 */
export async function startFakeLlm(): Promise<FakeLlm> {
  let answers = 0;
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    answer(url, request, response, () => ++answers).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else json(response, { error: { message: String(error) } }, 500);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => closeServer(server) };
}

/** Closes a server and the connections that clients keep open. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answer(
  url: string,
  request: IncomingMessage,
  response: ServerResponse,
  next: () => number,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  const body: Body = text === '' ? {} : (JSON.parse(text) as Body);
  const turn = turnOf(body);
  const reply = { id: next(), model: datedModel(String(body['model'])), turn };
  if (url.includes('/chat/completions')) await chat(response, body, reply);
  else if (url.includes('/responses')) await responses(response, body, reply);
  else if (url.includes('/embeddings')) embeddings(response, body);
  else if (url.includes('/messages')) await messages(response, body, reply);
  else if (url.includes('GenerateContent') || url.includes(':generateContent')) {
    const model = /models\/([^:]+)/.exec(url)?.[1] ?? '';
    await gemini(response, url.includes('stream'), { ...reply, model });
  } else json(response, { error: { message: `no route ${request.method} ${url}` } }, 404);
}

/** Providers answer with the dated name of the model that was asked for. */
function datedModel(model: string): string {
  const dates: Record<string, string> = {
    'gpt-5-mini': '-2025-08-07',
    'claude-sonnet-4-5': '-20250929',
  };
  return model + (dates[model] ?? '');
}

function json(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function stream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
}

/** A text in three pieces, as a stream delivers it. */
function pieces(text: string): string[] {
  const size = Math.ceil(text.length / 3);
  return [text.slice(0, size), text.slice(size, 2 * size), text.slice(2 * size)];
}

async function chat(response: ServerResponse, body: Body, { id, model, turn }: Answer) {
  const { usage, call, text } = turn;
  const calls = call && [
    {
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: JSON.stringify(call.arguments) },
    },
  ];
  const reported = {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cacheRead, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: usage.reasoning, audio_tokens: 0 },
  };
  const finish_reason = call ? 'tool_calls' : 'stop';
  const head = { id: `chatcmpl-${id}`, created: 1_795_176_000, model, service_tier: 'default' };
  if (body['stream'] !== true) {
    const message = call
      ? { role: 'assistant', content: null, tool_calls: calls, refusal: null }
      : { role: 'assistant', content: text, refusal: null };
    const choices = [{ index: 0, finish_reason, message, logprobs: null }];
    json(response, { ...head, object: 'chat.completion', choices, usage: reported });
    return;
  }
  stream(response);
  const send = (rest: object) =>
    response.write(
      `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...rest })}\n\n`,
    );
  const delta = (part: object, finish: string | null = null) =>
    send({ choices: [{ index: 0, delta: part, finish_reason: finish }] });
  await sleep(firstPieceMs);
  delta({ role: 'assistant', content: call ? null : '' });
  if (calls) delta({ tool_calls: calls.map((one) => ({ index: 0, ...one })) });
  else for (const piece of pieces(text)) delta({ content: piece });
  delta({}, finish_reason);
  const options = body['stream_options'] as { include_usage?: boolean } | undefined;
  if (options?.include_usage === true) send({ choices: [], usage: reported });
  response.end('data: [DONE]\n\n');
}

async function responses(response: ServerResponse, body: Body, { id, model, turn }: Answer) {
  const { usage, call, text } = turn;
  const item = call
    ? {
        type: 'function_call',
        id: `fc_${id}`,
        call_id: call.id,
        name: call.name,
        arguments: JSON.stringify(call.arguments),
        status: 'completed',
      }
    : {
        type: 'message',
        id: `msg_${id}`,
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
      };
  const whole = {
    id: `resp_${id}`,
    object: 'response',
    created_at: 1_795_176_000,
    status: 'completed',
    model,
    output: [item],
    parallel_tool_calls: true,
    tools: body['tools'] ?? [],
    tool_choice: 'auto',
    error: null,
    incomplete_details: null,
    instructions: body['instructions'] ?? null,
    metadata: {},
    temperature: 1,
    top_p: 1,
    service_tier: 'default',
    usage: {
      input_tokens: usage.input,
      input_tokens_details: { cached_tokens: usage.cacheRead },
      output_tokens: usage.output,
      output_tokens_details: { reasoning_tokens: usage.reasoning },
      total_tokens: usage.input + usage.output,
    },
  };
  if (body['stream'] !== true) {
    json(response, whole);
    return;
  }
  stream(response);
  let sequence = 0;
  const send = (type: string, rest: object) =>
    response.write(
      `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...rest })}\n\n`,
    );
  send('response.created', {
    response: { ...whole, status: 'in_progress', output: [], usage: null },
  });
  await sleep(firstPieceMs);
  const at = { item_id: item.id, output_index: 0 };
  send('response.output_item.added', {
    output_index: 0,
    item: call ? { ...item, arguments: '', status: 'in_progress' } : { ...item, content: [] },
  });
  if (call) {
    const arguments_ = JSON.stringify(call.arguments);
    send('response.function_call_arguments.delta', { ...at, delta: arguments_ });
    send('response.function_call_arguments.done', { ...at, arguments: arguments_ });
  } else {
    const part = { type: 'output_text', annotations: [] };
    const content = { ...at, content_index: 0 };
    send('response.content_part.added', { ...content, part: { ...part, text: '' } });
    for (const piece of pieces(text)) {
      send('response.output_text.delta', { ...content, delta: piece, logprobs: [] });
    }
    send('response.output_text.done', { ...content, text, logprobs: [] });
    send('response.content_part.done', { ...content, part: { ...part, text } });
  }
  send('response.output_item.done', { output_index: 0, item });
  send('response.completed', { response: whole });
  response.end();
}

function embeddings(response: ServerResponse, body: Body): void {
  json(response, {
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2] }],
    model: body['model'],
    usage: { prompt_tokens: 700, total_tokens: 700 },
  });
}

async function messages(response: ServerResponse, body: Body, { id, model, turn }: Answer) {
  const { usage, call, text } = turn;
  const reported = {
    input_tokens: usage.input - usage.cacheRead - usage.cacheWrite,
    cache_creation_input_tokens: usage.cacheWrite,
    cache_read_input_tokens: usage.cacheRead,
    cache_creation: {
      ephemeral_5m_input_tokens: usage.cacheWrite - usage.cacheWrite1h,
      ephemeral_1h_input_tokens: usage.cacheWrite1h,
    },
    output_tokens: usage.output,
    service_tier: 'standard',
  };
  const block = call
    ? { type: 'tool_use', id: call.id, name: call.name, input: call.arguments }
    : { type: 'text', text };
  const stop_reason = call ? 'tool_use' : 'end_turn';
  const whole = {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [block],
    stop_reason,
    stop_sequence: null,
    usage: reported,
  };
  if (body['stream'] !== true) {
    json(response, whole);
    return;
  }
  stream(response);
  const send = (type: string, rest: object) =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`);
  await sleep(firstPieceMs);
  const begun = {
    ...whole,
    content: [],
    stop_reason: null,
    usage: { ...reported, output_tokens: 1 },
  };
  send('message_start', { message: begun });
  const empty = call ? { ...block, input: {} } : { type: 'text', text: '' };
  send('content_block_start', { index: 0, content_block: empty });
  const deltas = call
    ? [{ type: 'input_json_delta', partial_json: JSON.stringify(call.arguments) }]
    : pieces(text).map((piece) => ({ type: 'text_delta', text: piece }));
  for (const delta of deltas) send('content_block_delta', { index: 0, delta });
  send('content_block_stop', { index: 0 });
  send('message_delta', {
    delta: { stop_reason, stop_sequence: null },
    usage: reported,
  });
  send('message_stop', {});
  response.end();
}

async function gemini(response: ServerResponse, streamed: boolean, { id, model, turn }: Answer) {
  const { usage, call, text } = turn;
  const part = call ? { functionCall: { name: call.name, args: call.arguments } } : { text };
  const usageMetadata = {
    promptTokenCount: usage.input,
    cachedContentTokenCount: usage.cacheRead,
    candidatesTokenCount: usage.output - usage.reasoning,
    thoughtsTokenCount: usage.reasoning,
    totalTokenCount: usage.input + usage.output,
  };
  const whole = (parts: readonly object[], finishReason?: string) => ({
    candidates: [
      { content: { role: 'model', parts }, index: 0, ...(finishReason && { finishReason }) },
    ],
    modelVersion: model,
    responseId: `gen-${id}`,
    ...(finishReason && { usageMetadata }),
  });
  if (!streamed) {
    json(response, whole([part], 'STOP'));
    return;
  }
  stream(response);
  await sleep(firstPieceMs);
  const parts = call ? [part] : pieces(text).map((piece) => ({ text: piece }));
  for (const [i, one] of parts.entries()) {
    const last = i === parts.length - 1 ? 'STOP' : undefined;
    response.write(`data: ${JSON.stringify(whole([one], last))}\r\n\r\n`);
  }
  response.end();
}
