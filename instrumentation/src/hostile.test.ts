import { diag } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type FakeLlm, startFakeLlm } from '../test/fake-llm.ts';
import { type Recorder, record } from '../test/recorder.ts';
import { approval, decision, handoff, outcome, tool, withTask } from './index.ts';

let llm: FakeLlm;
let recorder: Recorder;
beforeAll(async () => {
  llm = await startFakeLlm();
});
afterAll(() => llm.close());
afterEach(() => recorder.handle.shutdown());

async function chat(body: string | object): Promise<unknown> {
  const response = await fetch(`${llm.url}/v1/chat/completions`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return response.json();
}

const secret = 'my card is 4111';
const ask = { model: 'm', messages: [{ role: 'user', content: secret }] };

describe('the redact hook', () => {
  it('sees every text before it is recorded, with the attribute it is for', async () => {
    const asked = new Set<string>();
    recorder = record({
      content: 'full',
      redact: (text, attribute) => {
        asked.add(attribute);
        return text.replace(/\d{4}/g, '####');
      },
    });
    const pay = tool({ name: 'pay' }, (args: { card: string }) => `charged ${args.card}`);
    withTask({ workflow: 'w' }, () => {
      pay({ card: '4111' });
      decision({ name: 'd', chosen: '4111', alternatives: [{ value: '4111' }], reason: '4111' });
      handoff({ to: 'human', reason: '4111' });
      outcome({ outcome: 'success', reason: '4111' });
      approval.request({ action: 'pay 4111' });
    });
    await chat(ask);
    const sent = [
      recorder.spans().map(({ attributes, events }) => [attributes, events]),
      ...['agent.outcome', 'agent.approval'].map(recorder.logs),
    ];
    expect(JSON.stringify(sent)).not.toContain('4111');
    expect([...asked].sort()).toEqual([
      'agent.approval.action',
      'agent.decision.alternatives',
      'agent.decision.chosen',
      'agent.decision.reason',
      'agent.handoff.reason',
      'agent.outcome.reason',
      'gen_ai.input.messages',
      'gen_ai.output.messages',
      'gen_ai.tool.call.arguments',
      'gen_ai.tool.call.result',
    ]);
  });

  it('that throws costs the content and nothing else', async () => {
    recorder = record({
      content: 'full',
      redact: () => {
        throw new Error('bug');
      },
    });
    const fail = tool({ name: 'fail' }, (_: { card: string }) => {
      throw new Error(secret);
    });
    expect(() => fail({ card: '4111' })).toThrow(secret);
    expect(await chat(ask)).toMatchObject({ id: 'chatcmpl-1' });
    expect(
      JSON.stringify(
        recorder.spans().map(({ attributes, events, status }) => [attributes, events, status]),
      ),
    ).not.toContain('4111');
    expect(recorder.span('chat m').attributes['gen_ai.usage.input_tokens']).toBe(120);
    expect(recorder.handle.stats().failures['redact']).toBeGreaterThan(2);
  });
});

it('hostile values pass through a tool unchanged', () => {
  recorder = record({ content: 'full' });
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  const trap = {
    get x(): never {
      throw new Error('never read');
    },
  };
  const frozen = Object.freeze({ a: Object.freeze([1]) });
  const echo = tool({ name: 'echo' }, (value: unknown) => value);
  for (const value of [cyclic, trap, frozen, Symbol('s'), () => 1, 10n, null, new Map()]) {
    expect(echo(value)).toBe(value);
  }
  expect(recorder.spans()).toHaveLength(8);
  expect(recorder.handle.stats().failures).toEqual({});
});

it('a task whose options throw still runs', () => {
  recorder = record();
  const options = {
    workflow: 'w',
    get ref(): never {
      throw new Error('no');
    },
  };
  expect(withTask(options, (task) => [task.suspend(), 1])).toEqual(['', 1]);
  expect(recorder.handle.stats().failures).toMatchObject({ 'task.identity': 1 });
});

it.each(['not json', '[]', 'null', '{"model":5,"messages":{}}', ''])(
  'the body %j is passed on as it is',
  async (body) => {
    recorder = record({ content: 'full' });
    const before = llm.requests.length;
    expect(await chat(body)).toHaveProperty('error');
    expect(llm.requests[before]?.body).toBe(body);
    expect(recorder.handle.stats().failures).toEqual({});
  },
);

it('a Request keeps its body for fetch, and its answer is recorded', async () => {
  recorder = record();
  const before = llm.requests.length;
  const request = new Request(`${llm.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(ask),
  });
  expect(await (await fetch(request)).json()).toMatchObject({ id: 'chatcmpl-1' });
  expect(llm.requests[before]?.body).toBe(JSON.stringify(ask));
  expect(recorder.span('chat m').attributes['gen_ai.response.id']).toBe('chatcmpl-1');
});

it('cuts the oldest messages first and says so', async () => {
  recorder = record({ content: 'full', maxContentChars: 2_000 });
  const messages = [
    { role: 'system', content: 'rules' },
    ...Array.from({ length: 30 }, (_, index) => ({
      role: 'user',
      content: `${index} ${'x'.repeat(200)}`,
    })),
  ];
  await chat({ model: 'm', messages });
  const { attributes } = recorder.span('chat m');
  const kept = JSON.parse(String(attributes['gen_ai.input.messages'])) as {
    parts: { content: string }[];
  }[];
  expect(kept[0]?.parts[0]?.content).toBe('rules');
  expect(kept.at(-1)?.parts[0]?.content).toMatch(/^29 /);
  expect(attributes['agent.content.dropped_messages']).toBe(31 - kept.length);
  expect(String(attributes['gen_ai.input.messages']).length).toBeLessThanOrEqual(2_000);

  recorder.clear();
  await chat({ model: 'm', messages: [{ role: 'user', content: 'y'.repeat(9_000) }] });
  const cut = recorder.span('chat m').attributes;
  expect(cut['agent.content.truncated']).toBe(true);
  expect(String(cut['gen_ai.input.messages']).length).toBeLessThan(2_500);
});

it('tells diag once about a step that keeps failing', () => {
  const warnings: unknown[] = [];
  const silent = () => undefined;
  diag.setLogger({
    error: silent,
    info: silent,
    debug: silent,
    verbose: silent,
    warn: (...words) => warnings.push(words[1]),
  });
  recorder = record({
    redact: () => {
      throw new Error('bug');
    },
  });
  for (let count = 0; count < 5; count += 1) outcome({ outcome: 'success', reason: 'x' });
  diag.disable();
  expect(recorder.handle.stats().failures['redact']).toBeGreaterThanOrEqual(5);
  expect(warnings.filter((text) => String(text).startsWith('redact')).length).toBe(1);
});
