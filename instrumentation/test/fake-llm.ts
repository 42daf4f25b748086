import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A local server that answers as OpenAI's chat completions do, on loopback only. */
export interface FakeLlm {
  readonly url: string;
  /** Raw request bodies and headers, in order. */
  readonly requests: { readonly body: string; readonly headers: IncomingMessage['headers'] }[];
  close(): Promise<void>;
}

const usage = {
  prompt_tokens: 120,
  completion_tokens: 25,
  total_tokens: 145,
  prompt_tokens_details: { cached_tokens: 64 },
  completion_tokens_details: { reasoning_tokens: 8 },
};
const weatherCall = {
  id: 'call_1',
  type: 'function',
  function: { name: 'get_weather', arguments: '{"city":"Paris"}' },
};

interface ChatBody {
  readonly model: string;
  readonly stream?: boolean;
  readonly messages?: { role: string }[];
  readonly tools?: unknown[];
  readonly stream_options?: { include_usage?: boolean };
  readonly response_format?: unknown;
}

export async function startFakeLlm(): Promise<FakeLlm> {
  const requests: FakeLlm['requests'] = [];
  const server = createServer((request, response) => {
    void read(request).then(async (body) => {
      requests.push({ body, headers: request.headers });
      await answer(chatBody(body), request, response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function chatBody(text: string): ChatBody | undefined {
  try {
    const body = JSON.parse(text) as Partial<ChatBody> | null;
    return typeof body?.model === 'string' ? (body as ChatBody) : undefined;
  } catch {
    return undefined;
  }
}

async function answer(
  body: ChatBody | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const retry = Number(request.headers['x-stainless-retry-count'] ?? 0);
  if (!body) {
    json(response, 400, { error: { message: 'not a chat request' } });
  } else if (body.model === 'bad-model') {
    json(response, 404, { error: { message: 'no such model', code: 'model_not_found' } });
  } else if (body.model === 'flaky' && retry === 0) {
    const error = { message: 'try again', type: 'server_error' };
    json(response, 500, { error }, { 'retry-after-ms': '1' });
  } else if (body.model === 'slow') {
    await sleep(200);
    json(response, 200, completion(body));
  } else if (body.stream) {
    await stream(body, response);
  } else {
    json(response, 200, completion(body), { 'x-request-id': 'req_1' });
  }
}

function json(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function callsTool(body: ChatBody): boolean {
  return Boolean(body.tools?.length) && !body.messages?.some(({ role }) => role === 'tool');
}

function completion(body: ChatBody): object {
  const content = body.response_format ? '{"sunny":true}' : 'It is sunny.';
  const message = callsTool(body)
    ? { role: 'assistant', content: null, tool_calls: [weatherCall] }
    : { role: 'assistant', content };
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: `${body.model}-2026-01-01`,
    service_tier: 'default',
    choices: [{ index: 0, finish_reason: callsTool(body) ? 'tool_calls' : 'stop', message }],
    usage,
  };
}

async function stream(body: ChatBody, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (data: object | string): boolean =>
    response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
  const base = {
    id: 'chatcmpl-2',
    object: 'chat.completion.chunk',
    created: 1,
    model: `${body.model}-2026-01-01`,
  };
  const delta = (change: object, finish: string | null = null): boolean =>
    send({ ...base, choices: [{ index: 0, delta: change, finish_reason: finish }] });
  delta({ role: 'assistant', content: '' });
  await sleep(2);
  if (callsTool(body)) {
    const { arguments: written, ...named } = weatherCall.function;
    delta({ tool_calls: [{ index: 0, ...weatherCall, function: { ...named, arguments: '' } }] });
    for (const piece of [written.slice(0, 5), written.slice(5)]) {
      delta({ tool_calls: [{ index: 0, function: { arguments: piece } }] });
    }
    delta({}, 'tool_calls');
  } else {
    for (const word of ['It ', 'is ', 'sunny.']) {
      delta({ content: word });
      await sleep(2);
    }
    if (body.model === 'cut') {
      response.destroy();
      return;
    }
    delta({}, 'stop');
  }
  if (body.stream_options?.include_usage) send({ ...base, choices: [], usage });
  send('[DONE]');
  response.end();
}
