import { describe, expect, it } from 'vitest';
import { recordedExchanges } from '../../test/openai-http.ts';
import { bodyOf } from '../../test/request-body.ts';
import { readSse } from '../sse.ts';
import { type Json, number, record, records, text } from './json.ts';
import { openaiResponses } from './openai-responses.ts';
import { wireFor } from './registry.ts';
import type { ModelResponse, Wire } from './wire.ts';

function read(wire: Wire, response: unknown): ModelResponse {
  if (typeof response !== 'string') return wire.response(response as Json);
  const assembler = wire.stream({ maxChars: 1_000_000 });
  const events = readSse(assembler.push);
  events.feed(Buffer.from(response));
  events.end();
  expect(assembler.complete()).toBe(true);
  return assembler.result();
}

/** The last whole object of an exchange: the body, or the one that closes a stream of responses. */
function wholeOf(response: unknown): Json | undefined {
  if (typeof response !== 'string') return record(response);
  const completed = /^data: (\{"type":"response\.completed".*\})$/m.exec(response);
  return completed ? record((JSON.parse(completed[1] ?? '{}') as Json)['response']) : undefined;
}

const exchanges = recordedExchanges();

// Without the recorded data the table is empty; the specs below have fixtures of their own.
describe.runIf(exchanges.length > 0)('exchanges that were recorded with OpenAI', () => {
  it.each(exchanges.map((exchange) => [exchange.name, exchange] as const))('%s', (_, exchange) => {
    const wire = wireFor(exchange.path);
    if (!wire) throw new Error(`no wire for ${exchange.path}`);
    const body = bodyOf(exchange.request);
    expect(wire.accepts?.(body) ?? true).toBe(true);
    const request = wire.request(body, exchange.path);
    expect(request.model).toBe(exchange.request['model']);
    expect(request.tools()).toHaveLength(records(exchange.request['tools']).length);
    const { attributes, calls } = read(wire, exchange.response);
    const whole = wholeOf(exchange.response);
    if (!whole) return;
    const usage = record(whole['usage']) ?? {};
    const tokens = (...keys: string[]) =>
      keys.map((key) => number(usage[key])).find(Number.isFinite);
    expect(attributes['gen_ai.usage.input_tokens']).toBe(tokens('input_tokens', 'prompt_tokens'));
    expect(attributes['gen_ai.usage.output_tokens']).toBe(
      tokens('output_tokens', 'completion_tokens'),
    );
    expect(attributes['gen_ai.response.model']).toBe(whole['model']);
    const messages = records(whole['choices']).map((choice) => record(choice['message']) ?? {});
    const asked = [
      ...messages.flatMap((message) => records(message['tool_calls'])),
      ...records(whole['output']).filter(({ type }) =>
        /^(function|custom_tool|computer|local_shell)_call$/.test(text(type) ?? ''),
      ),
    ];
    expect(calls.map(({ id }) => id)).toEqual(asked.map((call) => call['call_id'] ?? call['id']));
  });
});

describe('a streamed response', () => {
  const push = (...events: object[]): ModelResponse => {
    const assembler = openaiResponses.stream({ maxChars: 1_000 });
    for (const event of events) assembler.push(JSON.stringify(event));
    return assembler.result();
  };
  const created = {
    type: 'response.created',
    response: { id: 'r1', model: 'm-1', status: 'in_progress', output: [] },
  };
  const item = { type: 'function_call', call_id: 'c1', name: 'look', arguments: '' };

  it('that breaks off keeps what came', () => {
    const { attributes, calls } = push(
      created,
      { type: 'response.output_item.added', output_index: 0, item },
      { type: 'response.function_call_arguments.delta', output_index: 0, delta: '{"q":' },
      { type: 'response.function_call_arguments.delta', output_index: 0, delta: '1}' },
    );
    expect(calls).toEqual([{ id: 'c1', name: 'look', arguments: '{"q":1}' }]);
    expect(attributes).toMatchObject({
      'gen_ai.response.id': 'r1',
      'gen_ai.response.status': 'in_progress',
    });
  });

  it('that fails says why', () => {
    const error = { code: 'server_error', message: 'overloaded' };
    const { attributes, error: seen } = push(created, {
      type: 'response.failed',
      response: { id: 'r1', model: 'm-1', status: 'failed', output: [], error },
    });
    expect(seen).toEqual({ type: 'server_error', message: 'overloaded' });
    expect(attributes['gen_ai.response.finish_reasons']).toEqual(['error']);
  });
});
