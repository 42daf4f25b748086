import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BadSetting, readConfig } from '../../config.ts';
import { type Plumbline, type Service, start } from '../../serve/serve.ts';
import { noServer, type Server, startServer } from '../clickhouse/server.ts';

// Both services beside each other on one ClickHouse server, each as a process of its own composes it.

const directory = mkdtempSync(join(tmpdir(), 'plumbline-services-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const configOf = (name: string, url: string) =>
  readConfig({
    PLUMBLINE_DATA: join(directory, name),
    PLUMBLINE_PORT: '0',
    PLUMBLINE_OTLP_PORT: '0',
    PLUMBLINE_GRPC_PORT: '0',
    CLICKHOUSE_URL: url,
  });

const get = async (base: string, path: string) => {
  const response = await fetch(base + path);
  return { status: response.status, body: await response.text() };
};

it.each<Service>(['ingest', 'query'])('%s alone needs a server to share', async (service) => {
  const alone = start(configOf('none', ''), service);
  await expect(alone).rejects.toThrow(BadSetting);
  await expect(alone).rejects.toThrow(/needs CLICKHOUSE_URL/);
});

describe.runIf(noServer() === null)('ingest and query apart', () => {
  let server: Server;
  let ingest: Plumbline<string | null>;
  let query: Plumbline<string | null>;
  beforeAll(async () => {
    server = await startServer();
    ingest = await start(configOf('ingest', server.url), 'ingest');
    query = await start(configOf('query', server.url), 'query');
  });
  afterAll(async () => {
    await query?.close();
    await ingest?.close();
    await server?.stop();
  });

  it('answers in one process what the other took', async () => {
    const now = `${Date.now() - 120_000}000000`;
    const attributes = [
      { key: 'agent.task.id', value: { stringValue: 'apart' } },
      { key: 'gen_ai.operation.name', value: { stringValue: 'chat' } },
      { key: 'gen_ai.request.model', value: { stringValue: 'gpt-4o' } },
    ];
    const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), name: 'chat' };
    const span = { ...ids, startTimeUnixNano: now, endTimeUnixNano: now, attributes };
    const sent = await fetch(`${ingest.urls.otlp}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }),
    });
    expect(sent.status).toBe(200);
    await ingest.drained();
    const { body } = await get(query.urls.api, '/api/v1/tasks/apart');
    expect(JSON.parse(body)).toMatchObject({ task_id: 'apart', state: 'done', llm_calls: 1 });
  });

  it('has each tell of itself alone', async () => {
    expect(query.urls.otlp).toBeNull();
    const both = await Promise.all([ingest, query].map(({ urls }) => get(urls.api, '/readyz')));
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(both.map(({ body }) => JSON.parse(body).checks.map((c: Check) => c.name))).toEqual([
      ['store', 'journal', 'writer'],
      ['store'],
    ]);
    expect((await get(ingest.urls.api, '/metrics')).body).toContain('plumbline_ingest_received');
    expect((await get(ingest.urls.api, '/api/v1/tasks')).status).toBe(404);
    const metrics = await Promise.all([ingest, query].map(({ urls }) => get(urls.api, '/metrics')));
    const judges = metrics.map(({ body }) => body.includes('plumbline_findings_'));
    expect(judges).toEqual([false, true]);
    expect(metrics[1]?.body).not.toContain('plumbline_ingest_');
  });
});

interface Check {
  readonly name: string;
}
