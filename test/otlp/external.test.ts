import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { param, query, sql } from '../../store/sql.ts';
import { startReceiver, type TestReceiver } from './receiver.ts';

// Senders that are not of npm: `npm run test:senders` installs them. Elsewhere they run where they are found; where one
// is missing, the test's name says so and what to set.
const python = process.env['PLUMBLINE_TEST_PYTHON'] ?? 'python3';
const telemetrygen = process.env['PLUMBLINE_TEST_TELEMETRYGEN'] ?? 'telemetrygen';
const collector = process.env['PLUMBLINE_TEST_COLLECTOR'] ?? 'otelcol-plumbline';

// Never the synchronous form for a sender: it would stop the receiver, which is in this process.
const execute = promisify(execFile);

const runs = (command: string, ...args: readonly string[]) =>
  spawnSync(command, args, { stdio: 'ignore', timeout: 20_000 }).status === 0;
const modules = ['http', 'grpc'].map((way) => `opentelemetry.exporter.otlp.proto.${way}`);
const has = {
  python: runs(python, '-c', `import opentelemetry.sdk, ${modules.join(', ')}`),
  telemetrygen: runs(telemetrygen, '--help'),
  collector: runs(collector, '--version'),
};
/** Set by `npm run test:senders`, to what it has just installed. */
const required = (process.env['PLUMBLINE_TEST_SENDERS'] ?? '').split(',');

/** Specs of a tool, or one that says that it is not here, which fails where it has to be. */
function withTool(tool: keyof typeof has, variable: string, specs: () => void): void {
  if (has[tool]) specs();
  else {
    it(`NOT RUN: no ${tool} here (npm run test:senders installs it, ${variable} names it)`, () => {
      expect(required).not.toContain(tool);
    });
  }
}

let receiver: TestReceiver;
const children: ChildProcess[] = [];
const directory = mkdtempSync(join(tmpdir(), 'plumbline-external-'));
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await receiver.close();
  rmSync(directory, { recursive: true });
});

const program = new URL('./python-sender.py', import.meta.url).pathname;

/** What the store has of a service, after everything that it sent is stored. */
async function stored(service: string) {
  await receiver.ingest.drained();
  const mine = sql`FINAL WHERE service = ${param('String', service)}`;
  const { store } = receiver;
  return {
    spans: await query(
      store,
      sql`
SELECT trace_id AS trace, span_id AS span, name, span_kind AS kind, status, status_message AS message, attributes,
  scope_name AS scope, scope_version AS version, events.name AS events, events.attributes AS details
FROM spans ${mine}`,
    ),
    logs: await query(
      store,
      sql`
SELECT trace_id AS trace, span_id AS span, body, severity_number AS severity, severity_text AS text
FROM logs ${mine}`,
    ),
    numbers: await query(
      store,
      sql`
SELECT name, type, unit, temporality, monotonic, value, attributes FROM metrics_number ${mine} ORDER BY name, time`,
    ),
    histograms: await query(
      store,
      sql`SELECT name, unit, temporality, count, sum, min, max, attributes FROM metrics_histogram ${mine} ORDER BY time`,
    ),
  };
}

describe('the Python SDK', () =>
  withTool('python', 'PLUMBLINE_TEST_PYTHON', () => {
    it.each(['http', 'grpc'])(`over %s gets everything stored as it is`, async (way) => {
      const service = `python-${way}`;
      const sent = await execute(python, [program, way, receiver.http, receiver.grpc, service]);
      const ids: unknown = JSON.parse(sent.stdout);
      const model = { model: 'gpt-4o' };
      expect(await stored(service)).toEqual({
        spans: [
          {
            ...(ids as object),
            name: 'chat',
            kind: 'client',
            status: 'error',
            message: 'too long',
            attributes: { answer: '42', ratio: '0.5', fine: 'true', tags: '["a","b"]' },
            scope: 'agent',
            version: '1.2.3',
            events: ['thought'],
            details: [{ step: '1' }],
          },
        ],
        logs: [{ ...(ids as object), body: 'hm', severity: 13, text: 'WARN' }],
        numbers: [
          {
            name: 'temperature',
            type: 'gauge',
            unit: '',
            temporality: 'unspecified',
            monotonic: 0,
            value: 0.25,
            attributes: {},
          },
          {
            name: 'tokens',
            type: 'sum',
            unit: '{token}',
            temporality: 'cumulative',
            monotonic: 1,
            value: 7,
            attributes: model,
          },
        ],
        histograms: [
          {
            name: 'duration',
            unit: 's',
            temporality: 'cumulative',
            count: '1',
            sum: 0.5,
            min: 0.5,
            max: 0.5,
            attributes: model,
          },
        ],
      });
    });
  }));

describe('telemetrygen', () =>
  withTool('telemetrygen', 'PLUMBLINE_TEST_TELEMETRYGEN', () => {
    const generate = (way: string, service: string) => {
      const to =
        way === 'http'
          ? ['--otlp-http', '--otlp-endpoint', new URL(receiver.http).host]
          : ['--otlp-endpoint', receiver.grpc];
      const shared = [...to, '--otlp-insecure', '--service', service, '--rate', '0'];
      return (signal: string, ...more: readonly string[]) =>
        execute(telemetrygen, [
          signal,
          ...shared,
          '--telemetry-attributes',
          'answer=42',
          '--otlp-attributes',
          'region="north"',
          ...more,
        ]);
    };

    it.each(['http', 'grpc'])(`over %s gets every trace stored whole`, async (way) => {
      const service = `traces-${way}`;
      const spans = ['--child-spans', '2', '--span-duration', '2ms', '--status-code', 'Error'];
      await generate(way, service)('traces', '--workers', '2', '--traces', '100', ...spans);
      await receiver.ingest.drained();
      // Per trace a root over two children of 2 ms, one after the other.
      const mine = sql`spans FINAL WHERE service = ${param('String', service)}`;
      const rows = await query<Record<string, unknown>>(
        receiver.store,
        sql`
SELECT name, span_kind AS kind, if(parent_id = '', '', parent.name) AS under, count() AS spans, uniqExact(trace_id) AS traces,
  groupUniqArray(toUnixTimestamp64Milli(end) - toUnixTimestamp64Milli(start)) AS ms
FROM (SELECT * FROM ${mine} AND status = 'error' AND attributes['answer'] = '42' AND resource['region'] = 'north') AS child
LEFT JOIN (SELECT trace_id, span_id, name FROM ${mine}) AS parent
  ON parent.trace_id = child.trace_id AND parent.span_id = child.parent_id
GROUP BY name, kind, under ORDER BY name`,
      );
      const child = { kind: 'server', under: 'lets-go', spans: '200', traces: '200', ms: ['2'] };
      expect(rows).toEqual([
        { name: 'lets-go', kind: 'client', under: '', spans: '200', traces: '200', ms: ['4'] },
        { name: 'okey-dokey-0', ...child },
        { name: 'okey-dokey-1', ...child },
      ]);
    });

    it.each(['http', 'grpc'])(`over %s gets log records and metrics stored`, async (way) => {
      const service = `generated-${way}`;
      const send = generate(way, service);
      const text = ['--body', 'hm', '--severity-number', '17', '--severity-text', 'Error'];
      await send('logs', '--logs', '3', '--trace-id', 'ab'.repeat(16), ...text);
      await send('metrics', '--metrics', '3', '--metric-type', 'Sum', '--otlp-metric-name', 'sum');
      await send(
        'metrics',
        '--metrics',
        '3',
        '--metric-type',
        'Gauge',
        '--otlp-metric-name',
        'now',
      );
      await send('metrics', '--metrics', '3', '--metric-type', 'Histogram');
      const found = await stored(service);
      const record = { trace: 'ab'.repeat(16), body: 'hm', severity: 17, text: 'Error' };
      expect(found.logs).toMatchObject([record, record, record]);
      const answer = { answer: '42' };
      expect(found.numbers).toMatchObject([
        ...[0, 1, 2].map((value) => ({ name: 'now', type: 'gauge', value, attributes: answer })),
        ...[0, 1, 2].map((value) => ({ name: 'sum', type: 'sum', monotonic: 1, value })),
      ]);
      // The samples that it has built in.
      expect(found.histograms).toMatchObject([
        { name: 'gen', count: '10', sum: 3940, attributes: answer },
        { name: 'gen', count: '10', sum: 4455 },
        { name: 'gen', count: '10', sum: 5337 },
      ]);
    });
  }));

describe('a Collector with collector/agent.yaml', () =>
  withTool('collector', 'PLUMBLINE_TEST_COLLECTOR', () => {
    it(`forwards all three signals`, async () => {
      const ports = { http: 14_918, grpc: 14_917 };
      const config = new URL('../../collector/agent.yaml', import.meta.url).pathname;
      const child = spawn(collector, [`--config=${config}`], {
        stdio: 'ignore',
        env: {
          ...process.env,
          COLLECTOR_HTTP: `127.0.0.1:${ports.http}`,
          COLLECTOR_GRPC: `127.0.0.1:${ports.grpc}`,
          COLLECTOR_QUEUE: join(directory, 'queue'),
          PLUMBLINE_ENDPOINT: receiver.http,
        },
      });
      children.push(child);
      const resource = {
        attributes: [{ key: 'service.name', value: { stringValue: 'collected' } }],
      };
      const time = '1748779200000000000';
      const ids = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) };
      const span = { ...ids, name: 'chat', startTimeUnixNano: time, endTimeUnixNano: time };
      const gauge = { dataPoints: [{ timeUnixNano: time, asDouble: 0.5 }] };
      const bodies = {
        traces: { resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] },
        logs: {
          resourceLogs: [{ resource, scopeLogs: [{ logRecords: [{ timeUnixNano: time }] }] }],
        },
        metrics: {
          resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [{ name: 'g', gauge }] }] }],
        },
      };
      for (const [signal, body] of Object.entries(bodies)) {
        const send = async () => {
          const request = {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          };
          const to = `http://127.0.0.1:${ports.http}/v1/${signal}`;
          return (await fetch(to, request).catch(() => undefined))?.status;
        };
        await expect.poll(send, { timeout: 20_000, interval: 200 }).toBe(200);
      }
      const count = async () => {
        const { spans, logs, numbers } = await stored('collected');
        return [spans, logs, numbers].map((rows) => rows.length);
      };
      await expect.poll(count, { timeout: 20_000, interval: 200 }).toEqual([1, 1, 1]);
      const { spans, logs, numbers } = await stored('collected');
      expect(spans).toMatchObject([{ trace: ids.traceId, span: ids.spanId, name: 'chat' }]);
      expect(logs).toHaveLength(1);
      expect(numbers).toMatchObject([{ name: 'g', value: 0.5 }]);
    });
  }));
