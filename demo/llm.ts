import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** One function call of an assistant message, in OpenAI's shape. */
export interface ToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

/** A message of a chat request. `tool_calls` only on assistants, `tool_call_id` only on tool results. */
export interface ChatMessage {
  readonly role: string;
  readonly content?: string | null;
  readonly tool_calls?: readonly ToolCall[];
  readonly tool_call_id?: string;
}

/** What the server understood of a chat completions request. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly unknown[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
}

/** Token counts as OpenAI counts them: `cached` is part of `input`, `reasoning` is part of `output`. */
export interface Usage {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly reasoning: number;
}

/** A scripted answer. `ttftMs` is the wait for the first token, `latencyMs` for the whole answer. */
export interface Reply {
  readonly message: { readonly content: string | null; readonly tool_calls?: readonly ToolCall[] };
  readonly finish_reason: 'stop' | 'length' | 'tool_calls' | 'content_filter';
  readonly usage: Usage;
  readonly latencyMs: number;
  readonly ttftMs: number;
  /** The model that answers, if it is not the one that was asked for. */
  readonly model?: string;
}

/** A scripted refusal by the provider, such as 429 or 500. `retryAfterMs` tells the SDK when to try again. */
export interface Failure {
  readonly status: number;
  readonly message: string;
  readonly retryAfterMs?: number;
}

export type Responder = (request: ChatRequest, headers: IncomingHttpHeaders) => Reply | Failure;

/** A running server. `url` is the base URL for an SDK, ending in `/v1`. */
export interface LlmServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Starts a local server that speaks OpenAI chat completions, plain and streamed, and answers what `reply` says.
 * Nothing is generated: text, token counts and latencies are the script's.
 *
 * @example
 * const llm = await startLlm(() => ({ message: { content: 'Hello' }, finish_reason: 'stop',
 *   usage: { input: 9, cached: 0, output: 2, reasoning: 0 }, latencyMs: 20, ttftMs: 5 }));
 * const client = new OpenAI({ baseURL: llm.url, apiKey: 'none' });
 */
export async function startLlm(reply: Responder, port = 0): Promise<LlmServer> {
  const server = createServer((request, response) => {
    answer(reply, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, problem(String(error), 'script_error'));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  reply: Responder,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('x-request-id', `req_${randomUUID().replaceAll('-', '')}`);
  if (request.method !== 'POST' || request.url !== '/v1/chat/completions') {
    sendJson(response, 404, problem(`no route ${request.method} ${request.url}`, 'not_found'));
    return;
  }
  const chat = await readChat(request);
  if (chat === undefined) {
    sendJson(response, 400, problem('the body is no chat completions request', 'invalid_request'));
    return;
  }
  const scripted = reply(chat, request.headers);
  if ('status' in scripted) {
    if (scripted.retryAfterMs !== undefined) {
      response.setHeader('retry-after-ms', String(scripted.retryAfterMs));
    }
    const code = scripted.status === 429 ? 'rate_limit_exceeded' : 'server_error';
    sendJson(response, scripted.status, problem(scripted.message, code));
  } else if (chat.stream === true) {
    await sendStream(response, chat, scripted);
  } else {
    await wait(scripted.latencyMs);
    sendJson(response, 200, completion(chat, scripted));
  }
}

async function readChat(request: IncomingMessage): Promise<ChatRequest | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Partial<ChatRequest>;
    return typeof body.model === 'string' && Array.isArray(body.messages)
      ? (body as ChatRequest)
      : undefined;
  } catch {
    return undefined;
  }
}

function completion(chat: ChatRequest, reply: Reply): object {
  return {
    ...envelope(chat, reply, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', refusal: null, ...reply.message },
        logprobs: null,
        finish_reason: reply.finish_reason,
      },
    ],
    usage: usageOf(reply.usage),
  };
}

/** Enough pieces that a client must join them, few enough that a long answer is no flood of events. */
const STREAM_PIECES = 8;

async function sendStream(
  response: ServerResponse,
  chat: ChatRequest,
  reply: Reply,
): Promise<void> {
  const head = envelope(chat, reply, 'chat.completion.chunk');
  const send = (choices: readonly object[], extra?: object) =>
    response.write(`data: ${JSON.stringify({ ...head, choices, ...extra })}\n\n`);
  const piece = (delta: object, finish: string | null = null) =>
    send([{ index: 0, delta, finish_reason: finish }]);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const deltas = [...deltasOf(reply)];
  const pause = Math.max(0, reply.latencyMs - reply.ttftMs) / Math.max(1, deltas.length);
  await wait(reply.ttftMs);
  piece({ role: 'assistant', content: reply.message.content === null ? null : '' });
  for (const delta of deltas) {
    piece(delta);
    await wait(pause);
  }
  piece({}, reply.finish_reason);
  if (chat.stream_options?.include_usage === true) send([], { usage: usageOf(reply.usage) });
  response.end('data: [DONE]\n\n');
}

function* deltasOf(reply: Reply): Generator<object> {
  const { content, tool_calls: calls = [] } = reply.message;
  if (content !== null) for (const text of pieces(content)) yield { content: text };
  for (const [index, call] of calls.entries()) {
    const { name, arguments: text } = call.function;
    yield {
      tool_calls: [{ index, id: call.id, type: 'function', function: { name, arguments: '' } }],
    };
    for (const part of pieces(text)) {
      yield { tool_calls: [{ index, function: { arguments: part } }] };
    }
  }
}

function* pieces(text: string): Generator<string> {
  // By code point: half of a surrogate pair would not survive the UTF-8 of its event.
  const points = [...text];
  const size = Math.max(1, Math.ceil(points.length / STREAM_PIECES));
  for (let at = 0; at < points.length; at += size) yield points.slice(at, at + size).join('');
}

function envelope(chat: ChatRequest, reply: Reply, object: string): object {
  return {
    id: `chatcmpl-${randomUUID().replaceAll('-', '')}`,
    object,
    created: Math.floor(Date.now() / 1000),
    model: reply.model ?? chat.model,
    service_tier: 'default',
    system_fingerprint: 'fp_scripted',
  };
}

function usageOf(usage: Usage): object {
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cached },
    completion_tokens_details: { reasoning_tokens: usage.reasoning },
  };
}

function problem(message: string, code: string): object {
  return { error: { message, type: code, param: null, code } };
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** A zero wait skips the timer: its minimum of 1 ms would add seconds to a replay of thousands of calls. */
async function wait(ms: number): Promise<void> {
  if (ms > 0) await sleep(ms);
}
