import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a provider answers: JSON with a status. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: object;
}

/** The providers of the world, on loopback: whatever host is asked, the next reply of the scenario is given. */
export interface ScriptedModel {
  /** What the requests to one scenario are answered with, in order; the header `x-scenario` names it. */
  script(scenario: string, replies: readonly Reply[]): void;
  /** Headers of the requests that were received. */
  readonly headers: Record<string, string | string[] | undefined>[];
  close(): Promise<void>;
}

const hosts = ['api.openai.com', 'api.groq.com', 'api.anthropic.com'];

/** Takes the place of the network under `globalThis.fetch`; call it before the instrumentation is registered. */
export async function startScriptedModel(): Promise<ScriptedModel> {
  const scripts = new Map<string, Reply[]>();
  const headers: ScriptedModel['headers'] = [];
  const server = createServer(async (request, response) => {
    for await (const _ of request) {
      // Only that it was sent matters.
    }
    headers.push(request.headers);
    const scenario = String(request.headers['x-scenario']);
    const reply = scripts.get(scenario)?.shift();
    // Two calls never end in the same millisecond, so that their order can be told.
    await sleep(2);
    const missing = { error: { message: `no more replies for ${scenario}` } };
    const status = reply?.status ?? (reply ? 200 : 400);
    response.writeHead(status, { 'content-type': 'application/json', ...reply?.headers });
    response.end(JSON.stringify(reply?.body ?? missing));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const native = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    if (!hosts.includes(url.host)) return native(input, init);
    return native(`http://127.0.0.1:${port}${url.pathname}`, init);
  };
  return {
    script: (scenario, replies) => void scripts.set(scenario, [...replies]),
    headers,
    close: async () => {
      globalThis.fetch = native;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

const usage = { prompt_tokens: 120, completion_tokens: 25, total_tokens: 145 };

interface Answer {
  readonly model?: string;
  readonly finish?: string;
  readonly refusal?: string;
  readonly usage?: object;
}

let count = 0;

/** A chat completion with a text. */
export function says(content: string, answer: Answer = {}): Reply {
  return completion({ role: 'assistant', content, refusal: answer.refusal ?? null }, answer);
}

/** A chat completion that calls tools, each with a value, or with text as the model wrote it. */
export function calls(...asked: readonly (readonly [tool: string, input: unknown])[]): Reply {
  const tool_calls = asked.map(([name, input]) => {
    count += 1;
    const written = typeof input === 'string' ? input : JSON.stringify(input);
    return { id: `call_${count}`, type: 'function', function: { name, arguments: written } };
  });
  return completion({ role: 'assistant', content: null, tool_calls }, { finish: 'tool_calls' });
}

function completion(message: object, answer: Answer): Reply {
  count += 1;
  return {
    body: {
      id: `chatcmpl-${count}`,
      object: 'chat.completion',
      created: 1,
      model: answer.model ?? 'gpt-4o-2024-08-06',
      choices: [{ index: 0, finish_reason: answer.finish ?? 'stop', message }],
      usage: answer.usage ?? usage,
    },
  };
}

/** A model call refused for its rate; the SDK waits this long and tries again. */
export function tooMany(waitMs: number): Reply {
  return {
    status: 429,
    headers: { 'retry-after-ms': String(waitMs) },
    body: { error: { message: 'slow down', type: 'rate_limit_exceeded', code: 'rate_limited' } },
  };
}

/** An answer of Anthropic's messages API. */
export function anthropicSays(text: string, cacheWrite: number): Reply {
  return {
    body: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-sonnet-4-5',
      content: [{ type: 'text', text }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 10, output_tokens: 5, cache_creation_input_tokens: cacheWrite },
    },
  };
}
