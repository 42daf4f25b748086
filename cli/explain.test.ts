import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { builtInMapping } from '../ingest/normalise/mapping.ts';
import { parseOwnMapping } from '../ingest/normalise/own-mapping.ts';
import { explainFile, NotOtlp, renderExplanations } from './explain.ts';

const trace_id = '5b8efff798038103d269b633813fc60c';
const span_id = 'eee19b7ec3c1b174';

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const span = {
  traceId: trace_id,
  spanId: span_id,
  name: 'chat gpt-4o',
  kind: 3,
  startTimeUnixNano: '1795176000000000000',
  endTimeUnixNano: '1795176001000000000',
  attributes: [
    text('gen_ai.operation.name', 'chat'),
    text('gen_ai.request.model', 'gpt-4o\u001b[31m'),
    text('gen_ai.usage.input_tokens', '12'),
    text('gen_ai.usage.prompt_tokens', '11'),
    text('gen_ai.input.messages', '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]'),
    text('acme.customer', 'c-7'),
  ],
};
const traces = JSON.stringify({
  resourceSpans: [
    {
      resource: { attributes: [text('service.name', 's'), text('deployment.environment', 'prod')] },
      scopeSpans: [{ scope: { name: 'acme' }, spans: [span] }],
    },
  ],
});
const record = {
  timeUnixNano: '1795176000000000000',
  traceId: trace_id,
  spanId: span_id,
  eventName: 'agent.task.state',
  attributes: [text('agent.task.id', 't-1')],
};
const logs = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] });

describe('explainFile', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plumbline-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const explain = async (body: string | Uint8Array, own = '') => {
    const file = join(folder, 'request');
    await writeFile(file, body);
    return explainFile(file, own === '' ? builtInMapping() : parseOwnMapping(own));
  };

  it('says which source gave each field and what stayed raw', async () => {
    const [one] = await explain(traces);
    expect(one).toMatchObject({
      item: 'span',
      trace_id,
      span_id,
      kind: 'llm',
      kind_by: 'an attribute that states it',
    });
    expect(one?.conventions).toEqual(expect.arrayContaining(['otel_genai']));
    const of = (name: string) => one?.fields.find(({ field }) => field === name);
    expect(of('request_model')).toMatchObject({
      from: 'attribute',
      key: 'gen_ai.request.model',
      convention: 'otel_genai',
    });
    expect(of('environment')).toMatchObject({ from: 'resource', value: 'prod' });
    expect(of('input_messages')).toMatchObject({ key: 'gen_ai.input.messages' });
    expect(of('provider')).toMatchObject({ from: 'rule', value: 'openai' });
    expect(one?.raw).toEqual([
      { key: 'gen_ai.usage.prompt_tokens', could: ['input_tokens'] },
      { key: 'acme.customer', could: [] },
    ]);
  });

  it('follows the rules of one’s own', async () => {
    const [one] = await explain(traces, 'fields: { user_id: [acme.customer] }');
    const user = { field: 'user_id', value: 'c-7', from: 'attribute', key: 'acme.customer' };
    expect(one?.fields).toContainEqual({ ...user, convention: 'own' });
  });

  it('reads gzip, lines of JSON, and log records', async () => {
    expect(await explain(gzipSync(traces))).toHaveLength(1);
    const both = await explain(`${traces}\n${logs}\n`);
    expect(both.map(({ item }) => item)).toEqual(['span', 'log']);
    expect(both[1]?.fields).toContainEqual({
      field: 'task_id',
      value: 't-1',
      from: 'attribute',
      key: 'agent.task.id',
      convention: 'plumbline',
    });
  });

  it('says what a record tells of its span’s messages', async () => {
    const said = { timeUnixNano: '1795176000000000000', traceId: trace_id, spanId: span_id };
    const body = { kvlistValue: { values: [text('content', 'hi')] } };
    const told = [{ ...said, eventName: 'gen_ai.user.message', body, attributes: [] }];
    const [one] = await explain(
      JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: told }] }] }),
    );
    expect(one?.fields).toContainEqual(
      expect.objectContaining({ field: 'input_messages', from: 'event', value: 'hi' }),
    );
  });

  it.each(['span', 'log'])('tells by itself that protobuf holds a %s', async (item) => {
    const captures = new URL('../test/fixtures/captures/pypi/', import.meta.url);
    const ending = item === 'span' ? '.traces.pb.gz' : '.logs.pb.gz';
    const names = (await readdir(captures)).filter((name) => name.endsWith(ending));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names.slice(0, 5)) {
      const file = fileURLToPath(new URL(name, captures));
      const found = await explainFile(file, builtInMapping());
      expect(new Set(found.map((one) => one.item))).toEqual(new Set([item]));
    }
  });

  it('writes text in which telemetry cannot steer the terminal', async () => {
    const shown = renderExplanations(await explain(traces));
    expect(shown).toContain('kind llm, by an attribute that states it');
    expect(shown).toContain('← attribute gen_ai.request.model (otel_genai)');
    expect(shown).toContain(
      'gen_ai.usage.prompt_tokens  (input_tokens: another source came first)',
    );
    expect(shown).toContain('attributes that no rule reads:\n  acme.customer  once\n');
    expect(shown).not.toContain('\u001b');
  });

  it('refuses what is no OTLP', async () => {
    await expect(explain('{"hello": 1}')).rejects.toThrow(NotOtlp);
    await expect(explain(Uint8Array.of(9, 9, 9))).rejects.toThrow(NotOtlp);
  });
});
