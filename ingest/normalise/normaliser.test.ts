import { beforeAll, describe, expect, it } from 'vitest';
import type { Attribute } from '../otlp/model.ts';
import { batch, event, log, noon, type Plain, random, type SpanFields, span } from './fixtures.ts';
import { createNormaliser, type Normaliser } from './normaliser.ts';

let normaliser: Normaliser;
beforeAll(async () => {
  normaliser = await createNormaliser();
});

function one(fields: SpanFields, resource: { [key: string]: Plain } = {}, scope = 'test') {
  const out = normaliser.normaliseSpans('p', [batch([span(fields)], { scope, resource })]);
  const contents = new Map(out.messages.map((m) => [m.hash, m.content]));
  const row = out.spans[0]!;
  const read = (hashes: readonly bigint[]) => hashes.map((h) => JSON.parse(contents.get(h)!));
  return { ...out, row, read };
}

describe('the span of the article', () => {
  it('is understood: kind, model, tokens, reported cost, iteration, task', () => {
    const { row, models, taskTraces } = one({
      name: 'llm.chat',
      attributes: {
        'llm.model': 'gpt-4o',
        'llm.prompt_tokens': 1842,
        'llm.completion_tokens': 312,
        'llm.cost_usd': 0.0043,
        'agent.iteration': 3,
        'agent.task_id': 'task_abc123',
      },
    });
    expect(row).toMatchObject({
      kind: 'llm',
      request_model: 'gpt-4o',
      provider: 'openai',
      input_tokens: 1842n,
      output_tokens: 312n,
      cost_reported: 0.0043,
      iteration: 3,
      task_id: 'task_abc123',
      task_id_kind: 'declared',
    });
    expect(models).toEqual([{ provider: 'openai', model: 'gpt-4o' }]);
    expect(taskTraces).toMatchObject([{ task_id: 'task_abc123', first: noon, last: noon }]);
  });
});

const question = { role: 'user', parts: [{ type: 'text', content: 'Weather in Paris?' }] };
const answer = {
  role: 'assistant',
  parts: [{ type: 'tool_call', id: 'c1', name: 'weather', arguments: { city: 'Paris' } }],
};

describe('OpenTelemetry GenAI', () => {
  it('current names: usage, cache, reasoning, finish, first chunk, ids', () => {
    const { row } = one({
      name: 'chat gpt-4o',
      kind: 3,
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.response.model': 'gpt-4o-2024-08-06',
        'gen_ai.response.id': 'resp_1',
        'gen_ai.request.previous_response.id': 'resp_0',
        'gen_ai.usage.input_tokens': 1200,
        'gen_ai.usage.output_tokens': 90,
        'gen_ai.usage.cache_read.input_tokens': 1000,
        'gen_ai.usage.cache_write.input_tokens': 100,
        'gen_ai.usage.reasoning.output_tokens': 40,
        'gen_ai.response.finish_reasons': ['tool_calls'],
        'gen_ai.response.time_to_first_chunk': 0.25,
        'gen_ai.conversation.id': 'conv-1',
        'gen_ai.agent.name': 'support',
        'gen_ai.prompt.name': 'support',
        'gen_ai.prompt.version': 'v8',
        'openai.response.service_tier': 'flex',
        'enduser.id': 'u1',
      },
    });
    expect(row).toMatchObject({
      convention: 'otel_genai',
      kind: 'llm',
      operation: 'chat',
      span_kind: 'client',
      provider: 'openai',
      request_model: 'gpt-4o',
      response_model: 'gpt-4o-2024-08-06',
      response_id: 'resp_1',
      previous_response_id: 'resp_0',
      input_tokens: 1200n,
      output_tokens: 90n,
      cache_read_tokens: 1000n,
      cache_write_tokens: 100n,
      reasoning_tokens: 40n,
      usage_semantics: 'inclusive',
      finish_reason: 'tool_call',
      ttft_ms: 250,
      conversation_id: 'conv-1',
      agent_name: 'support',
      prompt_name: 'support',
      prompt_version: 'v8',
      service_tier: 'flex',
      user_id: 'u1',
      task_id: '',
    });
  });

  it('current content: messages keep their bytes, from text and from values', () => {
    const text = one({
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.system_instructions': '[{"type":"text","content":"Be brief"}]',
        'gen_ai.input.messages': JSON.stringify([question, answer]),
        'gen_ai.output.messages': JSON.stringify([{ ...answer, finish_reason: 'tool_call' }]),
        'gen_ai.tool.definitions': '[{"type":"function","name":"weather","parameters":{}}]',
      },
    });
    expect(text.read(text.row.input_messages)).toEqual([question, answer]);
    expect(text.read(text.row.output_messages)).toEqual([
      { ...answer, finish_reason: 'tool_call' },
    ]);
    expect(text.read(text.row.system_instructions)).toEqual([
      [{ type: 'text', content: 'Be brief' }],
    ]);
    expect(text.read(text.row.tool_definitions)).toMatchObject([{ name: 'weather' }]);
    expect(text.row.finish_reason).toBe('tool_call');
    expect(new Map(text.row.payload).get('gen_ai.input.messages')).toEqual([
      0n,
      ...text.row.input_messages,
    ]);
    const values = one({
      attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.input.messages': [question, answer] },
    });
    expect(values.row.input_messages).toEqual(text.row.input_messages);
    expect(values.row.attribute_types).toEqual([['gen_ai.input.messages', 4]]);
  });

  it('≤ 1.36: system, events of messages', () => {
    const { row, read } = one({
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.system': 'az.ai.openai',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.input_tokens': 5,
      },
      events: [
        event('gen_ai.system.message', { content: 'Be brief' }),
        event('gen_ai.user.message', { content: 'Weather in Paris?' }),
        event('gen_ai.assistant.message', {
          tool_calls:
            '[{"id":"c1","type":"function","function":{"name":"weather","arguments":"{\\"city\\":\\"Paris\\"}"}}]',
        }),
        event('gen_ai.tool.message', { id: 'c1', content: 'rainy' }),
        event('gen_ai.choice', {
          index: 0,
          finish_reason: 'stop',
          message: '{"content":"Rainy."}',
        }),
      ],
    });
    expect(row.provider).toBe('azure.ai.openai');
    expect(read(row.system_instructions)).toEqual([[{ type: 'text', content: 'Be brief' }]]);
    expect(read(row.input_messages)).toEqual([
      question,
      answer,
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: 'rainy' }] },
    ]);
    expect(read(row.output_messages)).toEqual([
      { role: 'assistant', parts: [{ type: 'text', content: 'Rainy.' }], finish_reason: 'stop' },
    ]);
    expect(row.finish_reason).toBe('stop');
  });

  it('≤ 1.27: prompt and completion tokens, content as JSON in attributes or span events', () => {
    const attributes = {
      'gen_ai.system': 'openai',
      'gen_ai.request.model': 'gpt-4',
      'gen_ai.usage.prompt_tokens': 11,
      'gen_ai.usage.completion_tokens': 3,
    };
    const prompt = '[{"role":"system","content":"Be brief"},{"role":"user","content":"Hi"}]';
    const byAttribute = one({
      attributes: { ...attributes, 'gen_ai.prompt': prompt, 'gen_ai.completion': 'Hello' },
    });
    const byEvent = one({
      attributes,
      events: [
        event('gen_ai.content.prompt', { 'gen_ai.prompt': prompt }),
        event('gen_ai.content.completion', { 'gen_ai.completion': 'Hello' }),
      ],
    });
    for (const { row, read } of [byAttribute, byEvent]) {
      expect(row).toMatchObject({ kind: 'llm', input_tokens: 11n, output_tokens: 3n });
      expect(read(row.input_messages)).toEqual([
        { role: 'user', parts: [{ type: 'text', content: 'Hi' }] },
      ]);
      expect(read(row.system_instructions)).toEqual([[{ type: 'text', content: 'Be brief' }]]);
      expect(read(row.output_messages)).toEqual([
        { role: 'assistant', parts: [{ type: 'text', content: 'Hello' }] },
      ]);
    }
  });

  it('a framework named as system is no provider', () => {
    const { row } = one({
      attributes: {
        'gen_ai.operation.name': 'chat',
        'gen_ai.system': 'langchain',
        'gen_ai.request.model': 'claude-sonnet-4',
      },
    });
    expect(row).toMatchObject({ provider: 'anthropic', framework: 'langchain' });
  });

  it('a poll for a stored response counts no tokens', () => {
    const { row, models } = one({
      attributes: {
        'gen_ai.operation.name': 'fetch_response',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.input_tokens': 10,
      },
    });
    expect(row).toMatchObject({ kind: 'llm', input_tokens: null, usage_semantics: '' });
    expect(models).toEqual([]);
  });

  it('redacted values say nothing', () => {
    const { row } = one({
      attributes: {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'x',
        'gen_ai.tool.call.id': '<not specified>',
        'gen_ai.tool.call.arguments': '<REDACTED>',
      },
    });
    expect(row).toMatchObject({ tool_call_id: '', tool_arguments: [] });
  });
});

describe('our own attributes', () => {
  it.each([
    [' Eval', 'eval'],
    ['canary', 'unknown'],
    ['', ''],
  ])('read the traffic "%s" as "%s"', (written, traffic) => {
    const { row } = one({ attributes: { 'agent.task.traffic': written } });
    expect(row.task_traffic).toBe(traffic);
  });

  it('name task, attempt, workflow, reference, parent, traffic and fingerprints', () => {
    const { row } = one({
      name: 'invoke_workflow support',
      attributes: {
        'gen_ai.operation.name': 'invoke_workflow',
        'gen_ai.workflow.name': 'support',
        'agent.task.id': 't1',
        'agent.task.workflow': 'support',
        'agent.task.attempt': 2,
        'agent.task.ref': 'ticket-9',
        'agent.task.parent_id': 't0',
        'agent.task.traffic': 'shadow',
        'agent.task.idempotency_key': 'k',
        'agent.prompt.fingerprint': 'pf',
        'agent.toolset.fingerprint': 'tf',
        'agent.request.hash': 'rh',
      },
    });
    expect(row).toMatchObject({
      kind: 'workflow',
      workflow: 'support',
      task_id: 't1',
      task_attempt: 2,
      task_ref: 'ticket-9',
      task_parent_id: 't0',
      task_traffic: 'shadow',
      task_idempotency_key: 'k',
      prompt_fingerprint: 'pf',
      toolset_fingerprint: 'tf',
      request_hash: 'rh',
    });
    expect(row.agent_version_hash).toMatch(/^[0-9a-f]{16}$/);
  });

  it('tell of a handoff by event', () => {
    const { row } = one({
      events: [
        event('agent.handoff', { 'agent.handoff.from': 'triage', 'agent.handoff.to': 'human' }),
      ],
    });
    expect(row).toMatchObject({ handoff_from: 'triage', handoff_to: 'human' });
  });

  it('give verdicts by span event and by log, under a key that repeats', () => {
    const attributes = {
      'agent.outcome': 'failure',
      'agent.outcome.score': 0.2,
      'agent.outcome.reason': 'wrong flight',
      'agent.outcome.source': 'evaluation',
      'agent.outcome.by': 'judge',
    };
    const { outcomes } = one({
      attributes: { 'agent.task.id': 't1' },
      events: [event('agent.outcome', attributes)],
    });
    const verdict = {
      project: 'p',
      task_id: 't1',
      ref: '',
      trace_id: '',
      outcome: 'failure',
      score: 0.2,
      reason: 'wrong flight',
      source: 'evaluation',
      by: 'judge',
      at: (noon + 1_000_000_000n) / 1000n,
    };
    expect(outcomes).toMatchObject([verdict]);
    const time = noon + 1_000_000_000n;
    const fields = {
      eventName: 'agent.outcome',
      time,
      attributes: { ...attributes, 'agent.task.id': 't1' },
    };
    const again = normaliser.normaliseLogs('p', [batch([log(fields)])]);
    expect(again.outcomes).toEqual(outcomes);
  });

  it('let a verdict without a task name its reference, else its trace', () => {
    const verdict = { 'agent.outcome': 'success' };
    const { outcomes } = normaliser.normaliseLogs('p', [
      batch([
        log({ eventName: 'agent.outcome', attributes: { ...verdict, 'agent.task.ref': 'pr-1' } }),
        log({ eventName: 'agent.outcome', attributes: verdict }),
        log({ eventName: 'agent.outcome', attributes: { 'agent.outcome': 'great!' } }),
      ]),
    ]);
    expect(outcomes.map((o) => [o.ref, o.trace_id, o.outcome, o.source])).toEqual([
      ['pr-1', '', 'success', 'explicit'],
      ['', '5b8efff798038103d269b633813fc60c', 'success', 'explicit'],
      ['', '5b8efff798038103d269b633813fc60c', 'unknown', 'explicit'],
    ]);
  });
});

describe('task ids', () => {
  const idOf = (attributes: { [key: string]: Plain }, scope?: string) => {
    const { row } = one({ attributes }, {}, scope);
    return [row.task_id, row.task_id_kind];
  };

  it.each([
    'agent.task.id',
    'agent.task_id',
    'app.task.id',
    'task.id',
    'metadata.task_id',
    'langfuse.trace.metadata.task_id',
    'ai.telemetry.metadata.taskId',
    'traceloop.association.properties.job_id',
    'prompt.id',
  ])('%s is declared', (key) => {
    expect(idOf({ [key]: 'x1' })).toEqual(['x1', 'declared']);
  });

  it('metadata as JSON declares one', () => {
    expect(idOf({ metadata: '{"taskId":"x2"}' })).toEqual(['x2', 'declared']);
  });

  it.each([
    'gen_ai.task.id',
    'gen_ai.agent.call.id',
    'gcp.vertex.agent.invocation_id',
    'langsmith.metadata.run_id',
  ])('%s is a run id', (key) => {
    expect(idOf({ [key]: 'r1' })).toEqual(['r1', 'run']);
  });

  it('a declared id wins over a run id, in any order', () => {
    expect(idOf({ 'gen_ai.task.id': 'r', 'prompt.id': 'd' })).toEqual(['d', 'declared']);
    expect(idOf({ 'prompt.id': 'd', 'gen_ai.task.id': 'r' })).toEqual(['d', 'declared']);
  });

  it('task.id of Traceloop is a run id', () => {
    expect(idOf({ 'task.id': 'u', 'traceloop.span.kind': 'task' })).toEqual(['u', 'run']);
  });

  it('a conversation is never a task', () => {
    const ids = { 'gen_ai.conversation.id': 'c', 'session.id': 's', 'mcp.session.id': 'm' };
    expect(idOf({ ...ids, 'langsmith.trace.session_id': 'p' })).toEqual(['', '']);
  });

  it('text too long for an id is none', () => {
    expect(idOf({ 'agent.task.id': 'x'.repeat(513) })).toEqual(['', '']);
    expect(idOf({ 'agent.task.id': 42 })).toEqual(['42', 'declared']);
  });
});

describe('hostile keys', () => {
  it('are only data', () => {
    const attributes = Object.create(null) as { [key: string]: Plain };
    for (const key of ['__proto__', 'constructor', 'gen_ai.prompt.__proto__.x', 'toString']) {
      attributes[key] = 'polluted';
    }
    attributes['gen_ai.prompt.0.__proto__.x'] = 'polluted';
    attributes['gen_ai.prompt.0.content'] = 'hi';
    attributes['gen_ai.completion.99999999999.content'] = 'far';
    attributes['gen_ai.input.messages'] = '{"__proto__":{"role":"system"}}';
    attributes['metadata'] = '{"__proto__":{"task_id":"x"}}';
    attributes['gen_ai.operation.name'] = 'constructor';
    attributes['gen_ai.response.finish_reasons'] = ['__proto__'];
    attributes['gen_ai.provider.name'] = 'toString';
    const { row } = one({ name: '__proto__', attributes });
    expect(row).toMatchObject({ task_id: '', kind: 'other', provider: 'tostring' });
    expect(({} as { x?: string }).x).toBeUndefined();
    expect([...row.attributes, ...row.payload]).toHaveLength(Object.keys(attributes).length);
  });

  it('and hostile nesting cost one attribute, not the span', () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const { row } = one({
      attributes: {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.input.messages': `[{"role":"user","content":${deep}}]`,
        'gen_ai.tool.call.arguments': deep,
        'gen_ai.tool.call.result': `{"error":${deep}}`,
        metadata: `{"task_id":${deep}}`,
        'gen_ai.tool.name': 'x',
      },
    });
    expect(row).toMatchObject({ kind: 'tool', tool_name: 'x' });
    expect(new Map(row.payload).get('gen_ai.tool.call.arguments')).toBeDefined();
  });
});

describe('a row', () => {
  const shuffled = <T>(list: readonly T[], next: () => number): T[] =>
    list
      .map((item) => ({ item, key: next() }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item);

  it('does not depend on the order of attributes', () => {
    const next = random(3);
    const attributes: { [key: string]: Plain } = {
      'gen_ai.operation.name': 'chat',
      'gen_ai.system': 'openai',
      'gen_ai.provider.name': 'azure.ai.openai',
      'gen_ai.usage.input_tokens': 7,
      'gen_ai.usage.prompt_tokens': 8,
      'llm.token_count.prompt': 9,
      'openinference.span.kind': 'LLM',
      'llm.input_messages.0.message.role': 'user',
      'llm.input_messages.0.message.content': 'a',
      'llm.input_messages.1.message.role': 'assistant',
      'llm.input_messages.1.message.content': 'b',
      'llm.input_messages.10.message.role': 'user',
      'llm.input_messages.10.message.content': 'c',
      'task.id': 'd1',
      'agent.task.id': 'd2',
      'session.id': 's',
    };
    const given = span({ attributes });
    const unordered = (attributes: readonly Attribute[]) => {
      const out = normaliser.normaliseSpans('p', [batch([{ ...given, attributes }])]);
      const { ver: _, attributes: kept, attribute_types, payload, ...row } = out.spans[0]!;
      const sorted = (list: readonly (readonly [string, unknown])[]) =>
        list.toSorted(([a], [b]) => (a < b ? -1 : 1));
      return {
        ...row,
        kept: sorted(kept),
        types: sorted(attribute_types),
        payload: sorted(payload),
      };
    };
    const expected = unordered(given.attributes);
    expect(expected).toMatchObject({
      input_tokens: 7n,
      task_id: 'd2',
      provider: 'azure.ai.openai',
    });
    expect(expected.input_messages).toHaveLength(3);
    for (let i = 0; i < 50; i++) {
      expect(unordered(shuffled(given.attributes, next))).toEqual(expected);
    }
  });

  it('has the greater version when the span is complete, ends later or is mapped anew', () => {
    const ver = (fields: SpanFields) => one(fields).row.ver;
    const done = ver({});
    expect(done >> 63n).toBe(1n);
    expect((done >> 52n) & 2047n).toBe(1n);
    expect((done >> 10n) & ((1n << 42n) - 1n)).toBe((noon + 2_000_000_000n) / 1_000_000n);
    expect(ver({ end: 0n, attributes: { late: 'x' } })).toBeLessThan(done);
    expect(ver({ end: noon + 9_000_000_000n })).toBeGreaterThan(done);
    expect(ver({})).toBe(done);
    expect(ver({ attributes: { other: 1 } }) >> 10n).toBe(done >> 10n);
  });

  it('clamps times that ClickHouse cannot hold', () => {
    const { row } = one({ start: 2n ** 64n - 1n, end: 2n ** 64n - 1n });
    expect(row.start).toBe(9_223_372_036_000_000_000n);
  });

  it('takes environment and release from the resource, and the span goes first', () => {
    const resource = {
      'deployment.environment': 'prod',
      'service.version': '1.2',
      'session.id': 'r',
    };
    expect(one({}, resource).row).toMatchObject({
      service: 'shop',
      environment: 'prod',
      release: '1.2',
      conversation_id: 'r',
    });
    const attributes = { 'deployment.environment.name': 'stage', 'gen_ai.conversation.id': 's' };
    expect(one({ attributes }, resource).row).toMatchObject({
      environment: 'stage',
      conversation_id: 's',
    });
  });

  it('says what went wrong', () => {
    const exception = event('exception', {
      'exception.type': 'Timeout',
      'exception.message': 'late',
    });
    expect(one({ statusCode: 2, statusMessage: 'boom', events: [exception] }).row).toMatchObject({
      status: 'error',
      error_type: 'Timeout',
      error_message: 'boom',
    });
    expect(one({ statusCode: 2 }).row.error_type).toBe('_OTHER');
    expect(one({ attributes: { 'error.message': 'x' } }).row.error_type).toBe('');
  });
});

describe('logs', () => {
  it('carry their task, also without a trace', () => {
    const { logs, taskTraces, bounds } = normaliser.normaliseLogs('p', [
      batch([
        log({
          eventName: 'agent.task.state',
          attributes: { 'agent.task.id': 't1', 'agent.task.state': 'running' },
        }),
        log({ traceId: '', spanId: '', time: 0n, attributes: { 'prompt.id': 't2' } }),
      ]),
    ]);
    expect(logs[0]).toMatchObject({ event_name: 'agent.task.state', task_id: 't1', time: noon });
    expect(logs[1]).toMatchObject({ task_id: 't2', task_id_kind: 'declared', time: noon });
    expect(taskTraces.map((t) => [t.task_id, t.trace_id])).toEqual([
      ['t1', '5b8efff798038103d269b633813fc60c'],
      ['t2', ''],
    ]);
    expect(bounds).toHaveLength(1);
  });

  it('find their event name in the field, the attribute or the body', () => {
    const { logs } = normaliser.normaliseLogs('p', [
      batch([
        log({ eventName: 'a' }),
        log({ attributes: { 'event.name': 'b' } }),
        log({ body: { 'event.name': 'c' } }),
        log({ body: 'claude_code.user_prompt', attributes: { 'event.name': 'user_prompt' } }),
        log({ body: 'just text' }),
      ]),
    ]);
    expect(logs.map((l) => l.event_name)).toEqual(['a', 'b', 'c', 'claude_code.user_prompt', '']);
  });

  it('are told apart by body and attributes', () => {
    const { logs } = normaliser.normaliseLogs('p', [
      batch([log({ body: 'a' }), log({ body: 'b' }), log({ body: 'a' })]),
    ]);
    expect(logs[0]?.hash).toBe(logs[2]?.hash);
    expect(logs[0]?.hash).not.toBe(logs[1]?.hash);
    expect(logs[0]?.ver).toBe(logs[2]?.ver);
  });
});

describe('what a request touches', () => {
  it('is one row per task and trace and one per trace, from first to last start', () => {
    const own = { attributes: { 'agent.task.id': 't1' } };
    const { taskTraces, bounds } = normaliser.normaliseSpans('p', [
      batch([
        span({ ...own, start: noon + 5n }),
        span({ ...own, start: noon + 1n }),
        span({ start: noon + 9n }),
        span({ ...own, traceId: 'a'.repeat(32), start: noon }),
      ]),
    ]);
    expect(taskTraces).toMatchObject([
      { task_id: 't1', first: noon + 1n, last: noon + 5n },
      { task_id: 't1', trace_id: 'a'.repeat(32), first: noon, last: noon },
    ]);
    expect(bounds).toMatchObject([
      { first: noon + 1n, last: noon + 9n },
      { first: noon, last: noon },
    ]);
  });
});
