import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { context, diag, propagation } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type FakeLlm, startFakeLlm } from '../test/fake-llm.ts';
import { type Recorder, record } from '../test/recorder.ts';
import { approval, decision, handoff, injectTask, outcome, tool, withTask } from './index.ts';

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

describe('a body', () => {
  const json = JSON.stringify(ask);
  const bytes = new TextEncoder().encode(json);
  const kinds: Record<string, () => RequestInit['body']> = {
    bytes: () => bytes,
    'an ArrayBuffer': () => bytes.slice().buffer,
    'a DataView': () => new DataView(bytes.slice().buffer),
    'a Blob': () => new Blob([json]),
    'a stream': () => new Blob([json]).stream(),
  };
  const readable = ['bytes', 'an ArrayBuffer', 'a DataView'];

  it.each(Object.keys(kinds))(
    'that is %s arrives as it is, and its call is recorded',
    async (kind) => {
      recorder = record();
      const before = llm.requests.length;
      const init = { method: 'POST', body: kinds[kind]?.(), duplex: 'half' } as RequestInit;
      const response = await fetch(`${llm.url}/v1/chat/completions`, init);
      expect(await response.json()).toMatchObject({ id: 'chatcmpl-1' });
      expect(llm.requests[before]?.body).toBe(json);
      const span = recorder.span(readable.includes(kind) ? 'chat m' : 'chat');
      expect(span.attributes['gen_ai.usage.input_tokens']).toBe(120);
      expect(recorder.handle.stats().failures).toEqual({});
    },
  );

  it.each([
    ['a form', () => new FormData()],
    ['search parameters', () => new URLSearchParams({ a: '1' })],
  ])('that is %s is refused by the server, not by us', async (_, body) => {
    recorder = record();
    const response = await fetch(`${llm.url}/v1/chat/completions`, {
      method: 'POST',
      body: body(),
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    await response.text();
    expect(recorder.span('chat').attributes['error.type']).toBeDefined();
    expect(recorder.handle.stats().failures).toEqual({});
  });
});

it('a response that nobody reads ends its call when nobody comes', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  recorder = record();
  await fetch(`${llm.url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(ask) });
  expect(recorder.spans()).toEqual([]);
  vi.advanceTimersByTime(60_000);
  vi.useRealTimers();
  expect(recorder.span('chat m').attributes['gen_ai.response.status']).toBe('cancelled');
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

/** An agent's work: a model call and a tool, both of which must go on whatever becomes of their telemetry. */
async function work(id: string): Promise<unknown> {
  const look = tool({ name: 'look' }, async (q: number) => q * 2);
  return withTask({ workflow: 'w', id }, async () => [await chat(ask), await look(21)]);
}
const worked = [expect.objectContaining({ id: 'chatcmpl-1' }), 42];

describe('an exporter', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('that is dead costs what it should have sent, counted, and nothing else', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => {
      closed.listen(0, '127.0.0.1', resolve);
    });
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => {
      closed.close(resolve);
    });
    // Retries would take ten seconds.
    vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '20');
    recorder = record({ otlp: true, endpoint: `http://127.0.0.1:${port}` });
    expect(await work('dead')).toEqual(worked);
    await recorder.handle.flush();
    expect(recorder.handle.stats()).toMatchObject({ unsentSpans: 3, unsentLogs: 2, failures: {} });
  });

  it('whose queue is full loses what does not fit, counted, and nothing else', async () => {
    const hung = createServer(() => undefined);
    await new Promise<void>((resolve) => {
      hung.listen(0, '127.0.0.1', resolve);
    });
    vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '20');
    const { port } = hung.address() as AddressInfo;
    recorder = record({ otlp: true, endpoint: `http://127.0.0.1:${port}`, maxQueueSize: 2 });
    const runs = ['a', 'b', 'c'].map(work);
    expect(await Promise.all(runs)).toEqual([worked, worked, worked]);
    const { droppedSpans, droppedLogs, failures } = recorder.handle.stats();
    expect(recorder.spans()).toHaveLength(9);
    expect(droppedSpans).toBeGreaterThanOrEqual(1);
    expect(droppedLogs).toBeGreaterThanOrEqual(1);
    expect(failures).toEqual({});
    await recorder.handle.shutdown();
    const lost = recorder.handle.stats();
    expect(lost.droppedSpans + lost.unsentSpans).toBe(9);
    expect(lost.droppedLogs + lost.unsentLogs).toBe(6);
    hung.closeAllConnections();
    hung.close();
  });

  it('or processor that throws is nothing to the agent', async () => {
    const trip = (): never => {
      throw new Error('bug');
    };
    const done = (): Promise<void> => Promise.resolve();
    const broken = { onStart: trip, onEnd: trip, onEmit: trip, forceFlush: done, shutdown: done };
    recorder = record({ spanProcessors: [broken], logRecordProcessors: [broken] });
    expect(await work('broken')).toEqual(worked);
    const { failures } = recorder.handle.stats();
    expect(Object.keys(failures)).toEqual(expect.arrayContaining(['task.start', 'fetch.start']));
  });
});

describe('what a third party is sent', () => {
  const told = {
    workflow: 'refund-workflow',
    id: 'task-1',
    ref: 'ticket-42',
    sessionId: 'session-9',
    userId: 'mia@example.com',
    idempotencyKey: 'key-7',
    agent: 'helper',
  };

  it('is the request as the application made it, and no header more', async () => {
    recorder = record();
    const before = llm.requests.length;
    await withTask(told, () => chat(ask));
    await recorder.handle.shutdown();
    await chat(ask);
    const [instrumented, plain] = llm.requests.slice(before);
    expect(instrumented).toEqual(plain);
    expect(JSON.stringify(instrumented)).not.toMatch(/mia|ticket-42|session-9|key-7|traceparent/);
  });

  it('has no baggage of ours, whoever instruments HTTP and injects it', async () => {
    recorder = record();
    const carrier: Record<string, string> = {};
    // Traceparent and baggage are what the SDK registers.
    expect(propagation.fields()).toContain('baggage');
    withTask(told, () => {
      expect(propagation.getBaggage(context.active())).toBeUndefined();
      propagation.inject(context.active(), carrier);
    });
    // The ids of a trace identify nobody.
    expect(Object.keys(carrier)).toEqual(['traceparent']);
  });

  it('has none from SDKs that instrument themselves', () => {
    vi.stubEnv('ANTHROPIC_OPEN_TELEMETRY_PROPAGATION', undefined);
    recorder = record();
    expect(process.env['ANTHROPIC_OPEN_TELEMETRY_PROPAGATION']).toBe('false');
    vi.unstubAllEnvs();
  });

  it('what injectTask writes for a process of your own names no person, session or ticket', () => {
    recorder = record();
    const headers = withTask(told, () => injectTask({}));
    expect(Object.keys(headers)).toEqual(['traceparent', 'baggage']);
    const written = decodeURIComponent(JSON.stringify(headers));
    expect(written).toContain('agent.task.id=task-1');
    expect(written).not.toMatch(/mia|ticket-42|session-9|key-7/);
  });
});
