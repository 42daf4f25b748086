import { beforeAll, describe, expect, it } from 'vitest';
import { batch, event, log, noon, span } from './fixtures.ts';
import { createNormaliser, type Normaliser } from './normaliser.ts';
import { restoreLog } from './restore.ts';

let normaliser: Normaliser;
beforeAll(async () => {
  normaliser = await createNormaliser();
});

const chat = [{ role: 'user', parts: [{ type: 'text', content: 'hello' }] }];
const answer = [
  { role: 'assistant', parts: [{ type: 'text', content: 'hi' }], finish_reason: 'stop' },
];

function read(...records: Parameters<typeof log>[0][]) {
  const { logs, messages, evaluations } = normaliser.normaliseLogs('p', [batch(records.map(log))]);
  const contents = new Map(messages.map((row) => [row.hash, JSON.parse(row.content) as unknown]));
  const texts = (hashes: readonly bigint[]) => hashes.map((hash) => contents.get(hash));
  return { logs, messages, evaluations, texts };
}

describe('content of log records', () => {
  it('takes messages from operation details, the same blobs as from a span event', () => {
    const name = 'gen_ai.client.inference.operation.details';
    const attributes = {
      'gen_ai.input.messages': JSON.stringify(chat),
      'gen_ai.output.messages': JSON.stringify(answer),
      'gen_ai.system_instructions': '[{"type":"text","content":"be kind"}]',
    };
    const { logs, messages, texts } = read({ eventName: name, attributes });
    expect(texts(logs[0]?.input_messages ?? [])).toEqual(chat);
    expect(texts(logs[0]?.output_messages ?? [])).toEqual(answer);
    expect(texts(logs[0]?.system_instructions ?? [])).toEqual([
      [{ type: 'text', content: 'be kind' }],
    ]);
    const { spans } = normaliser.normaliseSpans('p', [
      batch([span({ events: [event(name, attributes)] })]),
    ]);
    expect(spans[0]?.input_messages).toEqual(logs[0]?.input_messages);
    expect(spans[0]?.output_messages).toEqual(logs[0]?.output_messages);
    expect(messages.every((row) => row.trace_id === spans[0]?.trace_id)).toBe(true);
  });

  it.each([
    ['an object', (body: object) => body],
    ['JSON text', (body: object) => JSON.stringify(body)],
  ])('takes older events whose body is %s', (_, form) => {
    const say = (eventName: string, body: object) =>
      ({ eventName, body: form(body), attributes: {} }) as Parameters<typeof log>[0];
    const { logs, texts } = read(
      say('gen_ai.system.message', { content: 'be kind' }),
      say('gen_ai.user.message', { content: 'hello' }),
      say('gen_ai.choice', {
        index: 0,
        finish_reason: 'stop',
        message: { role: 'assistant', content: 'hi' },
      }),
    );
    expect(texts(logs[0]?.system_instructions ?? [])).toEqual([
      [{ type: 'text', content: 'be kind' }],
    ]);
    expect(texts(logs[1]?.input_messages ?? [])).toEqual(chat);
    expect(texts(logs[2]?.output_messages ?? [])).toEqual(answer);
    const again = normaliser.normaliseLogs('p', [batch(logs.map(restoreLog))]).logs;
    expect(again).toEqual(logs);
  });

  it('leaves other records, those of no span, and broken bodies alone', () => {
    const { messages } = read(
      { eventName: 'other', body: { content: 'x' } },
      { eventName: 'gen_ai.user.message', body: { content: 'x' }, spanId: '' },
      { eventName: 'gen_ai.user.message', body: '{"content": ' },
    );
    expect(messages.map(({ content }) => content).filter((text) => text.includes('"x"'))).toEqual(
      [],
    );
  });
});

describe('evaluation results', () => {
  it('become evaluations, the same row however often they are sent', () => {
    const record = {
      eventName: 'gen_ai.evaluation.result',
      attributes: {
        'gen_ai.evaluation.name': 'Relevance',
        'gen_ai.evaluation.score.value': 0.75,
        'gen_ai.evaluation.score.label': 'pass',
        'gen_ai.evaluation.explanation': 'on topic',
        'gen_ai.response.id': 'resp_1',
      },
    };
    const { evaluations } = read(record, record);
    expect(evaluations[0]).toMatchObject({
      name: 'Relevance',
      score: 0.75,
      label: 'pass',
      explanation: 'on topic',
      response_id: 'resp_1',
      span_id: 'eee19b7ec3c1b174',
      evaluator: 'shop',
      at: noon / 1000n,
    });
    expect(evaluations[1]).toEqual(evaluations[0]);
  });
});
