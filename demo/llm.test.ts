import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { type LlmServer, type Reply, type Responder, startLlm } from './llm.ts';

const usage = { input: 120, cached: 64, output: 25, reasoning: 8 };
const told: Reply = {
  message: { content: 'Größe M 👍 is in stock.' },
  finish_reason: 'stop',
  usage,
  latencyMs: 0,
  ttftMs: 0,
};
const called: Reply = {
  ...told,
  message: {
    content: null,
    tool_calls: [
      { id: 'call_a', type: 'function', function: { name: 'lookup', arguments: '{"id":"1"}' } },
      { id: 'call_b', type: 'function', function: { name: 'lookup', arguments: '{}' } },
    ],
  },
  finish_reason: 'tool_calls',
};
const body = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'Hi' }] };

let server: LlmServer | undefined;
afterEach(() => server?.close());

async function clientFor(reply: Responder): Promise<OpenAI> {
  server = await startLlm(reply);
  return new OpenAI({ baseURL: server.url, apiKey: 'none' });
}

describe('the scripted LLM server, read by the real SDK', () => {
  it('answers a plain request with the scripted message, usage and a request id', async () => {
    const client = await clientFor(() => told);
    const answer = await client.chat.completions.create(body);
    expect(answer.choices[0]?.message.content).toBe('Größe M 👍 is in stock.');
    expect(answer.usage?.prompt_tokens_details?.cached_tokens).toBe(64);
    expect(answer.usage?.completion_tokens_details?.reasoning_tokens).toBe(8);
    expect(answer._request_id).toMatch(/^req_/);
  });

  it.each([
    ['text', told],
    ['tool calls', called],
  ])('streams %s that join to the plain answer', async (_name, reply) => {
    const client = await clientFor(() => reply);
    const stream = client.chat.completions.stream({
      ...body,
      stream_options: { include_usage: true },
    });
    const answer = await stream.finalChatCompletion();
    expect(answer.choices[0]?.message.content).toBe(reply.message.content);
    expect(answer.choices[0]?.finish_reason).toBe(reply.finish_reason);
    expect(answer.choices[0]?.message.tool_calls ?? []).toMatchObject(
      reply.message.tool_calls ?? [],
    );
    expect(answer.usage?.total_tokens).toBe(145);
  });

  it('fails on script and lets the SDK retry after the told wait', async () => {
    let asked = 0;
    const client = await clientFor(() => {
      asked += 1;
      return asked === 1 ? { status: 429, message: 'slow down', retryAfterMs: 1 } : told;
    });
    const answer = await client.chat.completions.create(body);
    expect(asked).toBe(2);
    expect(answer.choices[0]?.finish_reason).toBe('stop');
  });

  it('refuses what is no chat completions request', async () => {
    await clientFor(() => told);
    const post = (path: string, text: string) =>
      fetch(`${server?.url}${path}`, { method: 'POST', body: text });
    expect((await post('/chat/completions', '{')).status).toBe(400);
    expect((await post('/chat/completions', '{"model":"x"}')).status).toBe(400);
    expect((await post('/embeddings', '{}')).status).toBe(404);
  });
});
