import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerType, serve } from '@hono/node-server';
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../store/connection.ts';
import { createDeriver } from '../store/derive/deriver.ts';
import { param, query, type Sql, sql } from '../store/sql.ts';
import { openEmbedded } from '../test/clickhouse/backends.ts';
import { noServer, startServer } from '../test/clickhouse/server.ts';
import { createIngest, type Ingest } from './ingest.ts';
import { ingestMetrics } from './metrics.ts';

let store: Store;
let ingest: Ingest;
let server: ServerType;
let url: string;
const directory = mkdtempSync(join(tmpdir(), 'plumbline-ingest-'));
const problems: unknown[] = [];

beforeAll(async () => {
  store = await openEmbedded();
  ingest = await createIngest({
    store,
    derive: createDeriver(store).derive,
    journal: { directory },
    project: () => 'default',
    report: (problem) => problems.push(problem),
  });
  server = serve({ fetch: ingest.app.fetch, hostname: '127.0.0.1', port: 0 });
  await new Promise<void>((resolve) => {
    server.once('listening', () => resolve());
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await ingest.close();
  await store.close();
  rmSync(directory, { recursive: true });
});

/** One task of three spans, sent as an agent would. Returns its trace id. */
async function sendTask(exporter: SpanExporter, taskId: string): Promise<string> {
  const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter })] });
  const tracer = provider.getTracer('agent');
  const own = { 'agent.task.id': taskId, 'agent.task.workflow': 'support' };
  const root = tracer.startSpan('invoke_workflow support', {
    attributes: { ...own, 'gen_ai.operation.name': 'invoke_workflow' },
  });
  const inside = trace.setSpan(ROOT_CONTEXT, root);
  const chat = {
    ...own,
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-4o',
    'gen_ai.usage.input_tokens': 1000,
    'gen_ai.usage.output_tokens': 100,
  };
  tracer.startSpan('chat gpt-4o', { kind: SpanKind.CLIENT, attributes: chat }, inside).end();
  tracer.startSpan('execute_tool search', { attributes: own }, inside).end();
  root.end();
  await provider.forceFlush();
  await provider.shutdown();
  return root.spanContext().traceId;
}

describe('ingest', () => {
  it.each([
    ['JSON', () => new JsonTraceExporter({ url: `${url}/v1/traces` })],
    ['protobuf', () => new ProtoTraceExporter({ url: `${url}/v1/traces` })],
    ['gzip', () => new ProtoTraceExporter({ url: `${url}/v1/traces`, compression: gzip })],
    ['JSON to a doubled path', () => new JsonTraceExporter({ url: `${url}/v1/traces/v1/traces` })],
  ])('stores and derives what the SDK exports as %s', async (name, exporter) => {
    const traceId = await sendTask(exporter(), `task-${name}`);
    await expect
      .poll(() => tasksOf(traceId), { timeout: 10_000, interval: 50 })
      .toEqual([{ task_id: `task-${name}`, llm_calls: 1, input_tokens: '1000' }]);
    expect(await countOf(sql`FROM spans FINAL WHERE trace_id = ${text(traceId)}`)).toBe(3);
  });

  it('stores and derives the log records of the SDK', async () => {
    const exporter = new OTLPLogExporter({ url: `${url}/v1/logs` });
    const provider = new LoggerProvider({
      processors: [new BatchLogRecordProcessor({ exporter })],
    });
    const attributes = { 'agent.task.id': 'logged', 'agent.task.state': 'queued' };
    provider.getLogger('agent').emit({ eventName: 'agent.task.state', attributes });
    await provider.shutdown();
    await ingest.drained();
    expect(await countOf(sql`FROM logs FINAL WHERE task_id = 'logged'`)).toBe(1);
    expect(await countOf(sql`FROM tasks FINAL WHERE task_id = 'logged'`)).toBe(1);
  });

  it('changes no number when the same comes again, whole or re-batched', async () => {
    const spans = Array.from({ length: 60 }, (_, i) => span(i));
    const numbers = async () => {
      await ingest.drained();
      return query(
        store,
        sql`SELECT count() AS tasks, sum(spans) AS spans, sum(input_tokens) AS tokens, sum(llm_calls) AS calls
            FROM tasks FINAL WHERE task_id LIKE 'again-%'`,
      );
    };
    expect(await post(spans)).toEqual([200, {}]);
    const before = await numbers();
    expect(before).toEqual([{ tasks: '6', spans: '60', tokens: '6000', calls: '60' }]);

    await post(spans);
    await Promise.all([0, 1, 2, 3].map((i) => post(spans.filter((_, at) => at % 4 === i))));
    for (const one of spans.slice(0, 20)) await post([one]);
    expect(await numbers()).toEqual(before);
  });

  it('stores the neighbours of a bad span and names it', async () => {
    const traceId = 'ab'.repeat(16);
    const good = { ...span(0), traceId, attributes: [] };
    const [status, body] = await post([good, { ...good, spanId: 'short' }]);
    expect([status, body]).toEqual([
      200,
      {
        partialSuccess: {
          rejectedSpans: '1',
          errorMessage: 'resourceSpans[0].scopeSpans[0].spans[1]: span_id is not 16 hex digits',
        },
      },
    ]);
    await ingest.drained();
    expect(await countOf(sql`FROM spans FINAL WHERE trace_id = ${text(traceId)}`)).toBe(1);
    expect(ingest.stats().rejected).toEqual({ span_id: 1 });
  });

  it('stores spans over 120 days in one request', async () => {
    const day = 86_400_000_000_000n;
    const traceId = 'cd'.repeat(16);
    const spans = Array.from({ length: 120 }, (_, i) => ({
      ...span(i),
      traceId,
      startTimeUnixNano: String(start - BigInt(i) * day),
      attributes: [],
    }));
    expect(await post(spans)).toEqual([200, {}]);
    await ingest.drained();
    expect(await countOf(sql`FROM spans FINAL WHERE trace_id = ${text(traceId)}`)).toBe(120);
  });

  it('answers 413 over a real connection, and the client sees it', async () => {
    const body = Buffer.alloc(65 * 1024 * 1024);
    const response = await fetch(`${url}/v1/traces`, { method: 'POST', headers: json, body });
    expect(response.status).toBe(413);
  });

  it('tells of itself', () => {
    const { requests, accepted, received, courtesy, quarantine, blockedBy } = ingest.stats();
    expect(received.traces).toBe(accepted.traces + 1);
    expect(requests).toMatchObject({ partial: 1, too_large: 1 });
    expect(courtesy).toEqual({ '/v1/traces/v1/traces': 1 });
    expect({ quarantine, blockedBy }).toEqual({
      quarantine: { requests: 0, bytes: 0 },
      blockedBy: null,
    });
    const metrics = ingestMetrics(ingest.stats());
    expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length);
    for (const { name, samples } of metrics) {
      expect(name).toMatch(/^plumbline_ingest_[a-z_]+$/);
      for (const { value } of samples) expect(value).toBeGreaterThanOrEqual(0);
    }
  });
});

type ExporterOptions = NonNullable<ConstructorParameters<typeof ProtoTraceExporter>[0]>;
const gzip = 'gzip' as NonNullable<ExporterOptions['compression']>;
const json = { 'content-type': 'application/json' };
const start = 1_748_779_200_000_000_000n;

/** One chat span of 100 input tokens; ten per trace and task. */
function span(i: number) {
  const task = Math.floor(i / 10);
  const attributes = {
    'agent.task.id': { stringValue: `again-${task}` },
    'gen_ai.operation.name': { stringValue: 'chat' },
    'gen_ai.request.model': { stringValue: 'gpt-4o' },
    'gen_ai.usage.input_tokens': { intValue: '100' },
  };
  return {
    traceId: String(task + 1).padStart(32, '0'),
    spanId: String(i + 1).padStart(16, '0'),
    name: 'chat gpt-4o',
    startTimeUnixNano: String(start + BigInt(i)),
    endTimeUnixNano: String(start + BigInt(i) + 1000n),
    attributes: Object.entries(attributes).map(([key, value]) => ({ key, value })),
  };
}

async function post(spans: readonly unknown[]): Promise<[number, unknown]> {
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
  const response = await fetch(`${url}/v1/traces`, { method: 'POST', headers: json, body });
  return [response.status, await response.json()];
}

function text(value: string) {
  return param('String', value);
}

function tasksOf(traceId: string) {
  return query(
    store,
    sql`SELECT task_id, llm_calls, input_tokens FROM tasks FINAL WHERE has(trace_ids, ${text(traceId)})`,
  );
}

async function countOf(from: Sql): Promise<number> {
  const [row] = await query<{ n: string }>(store, sql`SELECT count() AS n ${from}`);
  return Number(row!.n);
}

// Where no server can be built, the embedded engine is all there is, and it cannot be away.
if (noServer() === null) {
  describe('ingest into a ClickHouse server', () => {
    it('acks while the server is away, says so, and catches up', async () => {
      const clickhouse = await startServer();
      const link = await createLink(Number(new URL(clickhouse.url).port));
      const away = mkdtempSync(join(tmpdir(), 'plumbline-away-'));
      const remote = await openStore({ url: link.url, database: 'plumbline_away' });
      const other = await createIngest({
        store: remote,
        derive: createDeriver(remote).derive,
        journal: { directory: away },
        project: () => 'default',
        report: () => undefined,
      });
      const send = async (spans: readonly unknown[]) => {
        const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
        return (await other.app.request('/v1/traces', { method: 'POST', headers: json, body }))
          .status;
      };
      expect(await send([0, 1, 2].map(span))).toBe(200);
      await other.drained();

      link.cut();
      expect(await send([3, 4, 5].map(span))).toBe(200);
      expect(await send([5, 6].map(span))).toBe(200);
      await expect.poll(() => other.stats().blockedBy, { timeout: 10_000 }).not.toBeNull();
      expect(other.stats().journal.bytes).toBeGreaterThan(0);

      await link.mend();
      await other.drained();
      expect(other.stats().blockedBy).toBeNull();
      expect(await query(remote, sql`SELECT spans FROM tasks FINAL`)).toEqual([{ spans: 7 }]);

      await other.close();
      await remote.close();
      link.cut();
      await clickhouse.stop();
      rmSync(away, { recursive: true });
    });
  });
}

/** A wire to a local port that can be cut. */
async function createLink(target: number) {
  const sockets = new Set<Socket>();
  const wire = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const [socket, peer] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => peer.destroy());
      socket.on('close', () => sockets.delete(socket));
      socket.pipe(peer);
    }
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => {
      wire.listen(port, '127.0.0.1', () => resolve());
    });
  await listen(0);
  const { port } = wire.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    cut() {
      wire.close();
      for (const socket of sockets) socket.destroy();
    },
    mend: () => listen(port),
  };
}
