import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { batch, type Plain, span } from '../../ingest/normalise/fixtures.ts';
import { createNormaliser } from '../../ingest/normalise/normaliser.ts';
import { readSse } from '../../instrumentation/src/sse.ts';
import { wireFor } from '../../instrumentation/src/wire/registry.ts';
import type { ModelResponse, Wire } from '../../instrumentation/src/wire/wire.ts';
import { bodyOf } from '../../instrumentation/test/request-body.ts';

type Json = Record<string, unknown>;

/** A recorded exchange with OpenAI. A streamed response is its text. */
interface Exchange {
  readonly path: string;
  readonly body: Json;
  readonly status: number;
  readonly response: Json | string;
}

const usage = {
  input_tokens: 21,
  input_tokens_details: { cached_tokens: 8 },
  output_tokens: 9,
  output_tokens_details: { reasoning_tokens: 4 },
  total_tokens: 30,
};

// So that the parsers are held to something where the recordings are absent.
const sample: Exchange = {
  path: '/v1/responses',
  body: { model: 'gpt-5-mini', input: 'Weather?' },
  status: 200,
  response: {
    id: 'resp_1',
    model: 'gpt-5-mini-2025-08-07',
    status: 'completed',
    output: [
      { type: 'function_call', call_id: 'c1', name: 'get_weather', arguments: '{"city":"Paris"}' },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Sunny.' }] },
    ],
    usage,
  },
};

const root =
  process.env['PLUMBLINE_TEST_DATA'] ?? join(import.meta.dirname, '../../../shared/data');

function recorded(): [string, Exchange][] {
  const folder = join(root, 'openai-http');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const exchanges = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Exchange[];
      return exchanges.map((one, i): [string, Exchange] => [`${name} ${i}`, one]);
    })
    .filter(([, { status }]) => status === 200);
}

function parse(wire: Wire, response: Json | string): ModelResponse {
  if (typeof response !== 'string') return wire.response(response as never);
  const assembler = wire.stream({ maxChars: 1_000_000 });
  const events = readSse(assembler.push);
  events.feed(Buffer.from(response));
  events.end();
  return assembler.result();
}

/** Everything a response says, whatever its API: read from the raw JSON by what the members are called. */
function facts(response: Json | string) {
  const documents = typeof response === 'string' ? streamed(response) : [response];
  const found = { ids: new Set<string>(), texts: [] as string[], names: [] as string[], usage: {} };
  for (const document of documents) {
    if (typeof document['id'] === 'string') found.ids.add(document['id']);
    if (document['usage']) found.usage = document['usage'] as Json;
    const choices = (document['choices'] ?? []) as Json[];
    for (const choice of choices) {
      const message = (choice['message'] ?? {}) as Json;
      if (typeof message['content'] === 'string') found.texts.push(message['content']);
      for (const call of (message['tool_calls'] ?? []) as Json[]) {
        found.names.push(String((call['function'] as Json)['name']));
      }
    }
    for (const item of (document['output'] ?? []) as Json[]) {
      if (typeof item['name'] === 'string') found.names.push(item['name']);
      for (const part of (item['content'] ?? []) as Json[]) {
        if (typeof part['text'] === 'string') found.texts.push(part['text']);
      }
    }
  }
  return { ...found, items: documents.flatMap((one) => (one['output'] ?? []) as Json[]) };
}

/** The events of a stream; of the responses API the completed response only, which repeats all. */
function streamed(text: string): Json[] {
  const events = text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => JSON.parse(line.slice('data: '.length)) as Json);
  const completed = events.find(({ type }) => type === 'response.completed');
  return completed === undefined ? events : [completed['response'] as Json];
}

const count = (source: Json, ...path: string[]) =>
  path.reduce<unknown>((at, key) => (at as Json | undefined)?.[key], source);

const normaliser = await createNormaliser();

const exchanges: [string, Exchange][] = [['sample', sample], ...recorded()];

describe('a recorded exchange with OpenAI', () => {
  it.each(exchanges)('is read without losing a field: %s', (_name, { path, body, response }) => {
    const wire = wireFor(path);
    if (wire === undefined) throw new Error(`no wire for ${path}`);
    expect(wire.request(bodyOf(body), path).model).toBe(body['model']);
    const read = parse(wire, response);
    const { ids, texts, names, items, usage: reported } = facts(response);
    const said = JSON.stringify(read.messages);
    const { attributes } = read;

    const id = attributes['gen_ai.response.id'];
    if (ids.size > 0) expect([...ids]).toContain(id);
    const tokens: [string, unknown][] = [
      ['input_tokens', count(reported, 'input_tokens') ?? count(reported, 'prompt_tokens')],
      ['output_tokens', count(reported, 'output_tokens') ?? count(reported, 'completion_tokens')],
      [
        'cache_read.input_tokens',
        count(reported, 'input_tokens_details', 'cached_tokens') ??
          count(reported, 'prompt_tokens_details', 'cached_tokens'),
      ],
      [
        'reasoning.output_tokens',
        count(reported, 'output_tokens_details', 'reasoning_tokens') ??
          count(reported, 'completion_tokens_details', 'reasoning_tokens'),
      ],
    ];
    for (const [name, value] of tokens) {
      if (typeof value === 'number') expect(attributes[`gen_ai.usage.${name}`] ?? 0).toBe(value);
    }
    // And nothing of it gets lost in the span that the server stores.
    const sent = Object.entries(attributes).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value] as const],
    );
    const { spans } = normaliser.normaliseSpans('p', [
      batch([
        span({
          name: `chat ${String(body['model'])}`,
          attributes: {
            'gen_ai.operation.name': 'chat',
            'gen_ai.provider.name': 'openai',
            'gen_ai.request.model': String(body['model']),
            ...(Object.fromEntries(sent) as Record<string, Plain>),
          },
        }),
      ]),
    ]);
    const [row] = spans;
    expect(row).toMatchObject({ kind: 'llm', request_model: body['model'], response_id: id ?? '' });
    const stored = [
      row?.input_tokens,
      row?.output_tokens,
      row?.cache_read_tokens,
      row?.reasoning_tokens,
    ];
    tokens.forEach(([name, value], i) => {
      if (typeof value === 'number') expect(Number(stored[i] ?? 0n), name).toBe(value);
    });
    for (const text of texts) expect(said).toContain(JSON.stringify(text).slice(1, -1));
    for (const name of names) expect(said).toContain(JSON.stringify(name));
    // Every item of an answer is in the messages: a call, a result, a text, or a part of its own.
    const parts = read.messages.reduce((sum, message) => sum + message.parts.length, 0);
    const own = items.filter((item) => !isEmpty(item));
    expect(parts).toBeGreaterThanOrEqual(own.length);
  });
});

/** A message or a piece of reasoning that says nothing. */
function isEmpty(item: Json): boolean {
  const content = (item['content'] ?? item['summary']) as unknown[] | undefined;
  return content !== undefined && content.length === 0;
}
