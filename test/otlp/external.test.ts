import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { param, query, sql } from '../../store/sql.ts';
import { startReceiver, type TestReceiver } from './receiver.ts';

// Senders that are not of npm. They run where they are installed; where one is missing, the test's name says so and
// what to set, and the test holds us to that answer.
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
const nameOf = (what: string, tool: keyof typeof has, variable: string) =>
  has[tool] ? what : `${what}: NOT RUN, there is none here (set ${variable})`;

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

const program = `
import sys
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
import logging
way, http, grpc, name = sys.argv[1:]
if way == 'http':
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http import Compression
    to = lambda signal: dict(endpoint=http + '/v1/' + signal, compression=Compression.Gzip)
else:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from grpc import Compression
    to = lambda signal: dict(endpoint=grpc, insecure=True, compression=Compression.Gzip)
resource = Resource.create({'service.name': name})
traces = TracerProvider(resource=resource)
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**to('traces'))))
with traces.get_tracer('agent').start_as_current_span('chat', attributes={'answer': 42}):
    pass
metrics = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter(**to('metrics')))], resource)
metrics.get_meter('agent').create_counter('tokens').add(7)
metrics.get_meter('agent').create_histogram('duration').record(0.5)
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**to('logs'))))
logging.getLogger('agent').addHandler(LoggingHandler(logger_provider=logs))
logging.getLogger('agent').warning('hm')
for provider in (traces, metrics, logs):
    provider.shutdown()
`;

/** Rows of each table that a service sent. */
async function countsOf(service: string): Promise<Record<string, number>> {
  await receiver.ingest.drained();
  const mine = sql`countIf(service = ${param('String', service)})`;
  const rows = await query<{ table: string; n: string }>(
    receiver.store,
    sql`
SELECT 'spans' AS table, ${mine} AS n FROM spans FINAL
UNION ALL SELECT 'logs', ${mine} FROM logs FINAL
UNION ALL SELECT 'numbers', ${mine} FROM metrics_number FINAL
UNION ALL SELECT 'histograms', ${mine} FROM metrics_histogram FINAL`,
  );
  return Object.fromEntries(rows.map(({ table, n }) => [table, Number(n)]));
}

describe('the Python SDK', () => {
  it.each(['http', 'grpc'])(nameOf('over %s', 'python', 'PLUMBLINE_TEST_PYTHON'), async (way) => {
    if (!has.python) return expect(runs(python, '-c', 'import opentelemetry.sdk')).toBe(false);
    const name = `python-${way}`;
    await execute(python, ['-c', program, way, receiver.http, receiver.grpc, name]);
    expect(await countsOf(name)).toEqual({ spans: 1, logs: 1, numbers: 1, histograms: 1 });
  });
});

describe('telemetrygen', () => {
  it.each(['http', 'grpc'])(
    nameOf('over %s', 'telemetrygen', 'PLUMBLINE_TEST_TELEMETRYGEN'),
    async (way) => {
      if (!has.telemetrygen) return expect(runs(telemetrygen, '--help')).toBe(false);
      const name = `telemetrygen-${way}`;
      const to =
        way === 'http'
          ? ['--otlp-http', '--otlp-endpoint', new URL(receiver.http).host]
          : ['--otlp-endpoint', receiver.grpc];
      const shared = [...to, '--otlp-insecure', '--service', name, '--workers', '1', '--rate', '0'];
      await execute(telemetrygen, ['traces', ...shared, '--traces', '10', '--child-spans', '2']);
      await execute(telemetrygen, ['logs', ...shared, '--logs', '5']);
      await execute(telemetrygen, ['metrics', ...shared, '--metrics', '3']);
      // A root and two children each.
      expect(await countsOf(name)).toMatchObject({ spans: 30, logs: 5 });
      expect((await countsOf(name))['numbers']).toBeGreaterThan(0);
    },
  );
});

describe('a Collector with collector/agent.yaml', () => {
  it(nameOf('forwards all three signals', 'collector', 'PLUMBLINE_TEST_COLLECTOR'), async () => {
    if (!has.collector) return expect(runs(collector, '--version')).toBe(false);
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
      logs: { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [{ timeUnixNano: time }] }] }] },
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
    await expect
      .poll(() => countsOf('collected'), { timeout: 20_000, interval: 200 })
      .toEqual({ spans: 1, logs: 1, numbers: 1, histograms: 0 });
  });
});
