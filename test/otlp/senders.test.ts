import { credentials } from '@grpc/grpc-js';
import { OTLPLogExporter as GrpcLogs } from '@opentelemetry/exporter-logs-otlp-grpc';
import { OTLPLogExporter as JsonLogs } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtoLogs } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as GrpcMetrics } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { OTLPMetricExporter as JsonMetrics } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as ProtoMetrics } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as GrpcTraces } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonTraces } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtoTraces } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  BatchLogRecordProcessor,
  LoggerProvider,
  type LogRecordExporter,
} from '@opentelemetry/sdk-logs';
import {
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { param, query, sql } from '../../store/sql.ts';
import { startReceiver, type TestReceiver } from './receiver.ts';

let receiver: TestReceiver;

beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.close());

interface Exporters {
  readonly traces: SpanExporter;
  readonly logs: LogRecordExporter;
  readonly metrics: PushMetricExporter;
}

type ProtoOptions = NonNullable<ConstructorParameters<typeof ProtoTraces>[0]>;
const gzip = 'gzip' as NonNullable<ProtoOptions['compression']>;

const http = (signal: string) => ({ url: `${receiver.http}/v1/${signal}` });
const grpc = () => ({ url: `http://${receiver.grpc}`, credentials: credentials.createInsecure() });

/** The three exporters of every transport that the JavaScript SDK has. */
const transports: readonly (readonly [string, () => Exporters])[] = [
  [
    'HTTP JSON',
    () => ({
      traces: new JsonTraces(http('traces')),
      logs: new JsonLogs(http('logs')),
      metrics: new JsonMetrics(http('metrics')),
    }),
  ],
  [
    'HTTP protobuf',
    () => ({
      traces: new ProtoTraces(http('traces')),
      logs: new ProtoLogs(http('logs')),
      metrics: new ProtoMetrics(http('metrics')),
    }),
  ],
  [
    'HTTP protobuf with gzip',
    () => ({
      traces: new ProtoTraces({ ...http('traces'), compression: gzip }),
      logs: new ProtoLogs({ ...http('logs'), compression: gzip }),
      metrics: new ProtoMetrics({ ...http('metrics'), compression: gzip }),
    }),
  ],
  [
    'gRPC',
    () => ({
      traces: new GrpcTraces(grpc()),
      logs: new GrpcLogs(grpc()),
      metrics: new GrpcMetrics(grpc()),
    }),
  ],
  [
    'gRPC with gzip',
    () => ({
      traces: new GrpcTraces({ ...grpc(), compression: gzip }),
      logs: new GrpcLogs({ ...grpc(), compression: gzip }),
      metrics: new GrpcMetrics({ ...grpc(), compression: gzip }),
    }),
  ],
];

describe.each(transports)('the JavaScript SDK over %s', (name, exportersOf) => {
  const scope = `agent over ${name}`;
  const mine = sql`FINAL WHERE scope_name = ${param('String', scope)} ORDER BY name`;

  it('gets its spans stored', async () => {
    const provider = new TracerProvider({
      spanProcessors: [new BatchSpanProcessor({ exporter: exportersOf().traces })],
    });
    const span = provider.getTracer(scope).startSpan('chat', { attributes: { answer: 42 } });
    span.end();
    await provider.shutdown();
    await receiver.ingest.drained();
    expect(
      await query(receiver.store, sql`SELECT trace_id, name, attributes FROM spans ${mine}`),
    ).toEqual([
      { trace_id: span.spanContext().traceId, name: 'chat', attributes: { answer: '42' } },
    ]);
  });

  it('gets its log records stored', async () => {
    const provider = new LoggerProvider({
      processors: [new BatchLogRecordProcessor({ exporter: exportersOf().logs })],
    });
    provider.getLogger(scope).emit({ eventName: 'thought', body: 'hm', attributes: { step: 1 } });
    await provider.shutdown();
    await receiver.ingest.drained();
    expect(
      await query(
        receiver.store,
        sql`SELECT event_name AS name, body, attributes FROM logs ${mine}`,
      ),
    ).toEqual([{ name: 'thought', body: 'hm', attributes: { step: '1' } }]);
  });

  it('gets its metrics stored, each kind as what it is', async () => {
    const reader = new PeriodicExportingMetricReader({
      exporter: exportersOf().metrics,
      exportIntervalMillis: 3_600_000,
    });
    const provider = new MeterProvider({
      readers: [reader],
      views: [
        {
          instrumentName: 'size',
          aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 20 } },
        },
      ],
    });
    const meter = provider.getMeter(scope);
    const attributes = { model: 'gpt-4o' };
    meter.createCounter('tokens', { unit: '{token}' }).add(7, attributes);
    meter.createUpDownCounter('running').add(-2, attributes);
    meter.createGauge('temperature').record(0.5, attributes);
    const histogram = meter.createHistogram('duration', {
      unit: 's',
      advice: { explicitBucketBoundaries: [1, 10] },
    });
    for (const value of [0.5, 5, 5, 50]) histogram.record(value, attributes);
    const exponential = meter.createHistogram('size');
    for (const value of [1, 2, 4, 0, 1000]) exponential.record(value, attributes);
    await provider.shutdown();
    await receiver.ingest.drained();

    const common = { temporality: 'cumulative', attributes };
    expect(
      await query(
        receiver.store,
        sql`SELECT name, type, unit, temporality, monotonic, value, attributes
            FROM metrics_number ${mine}`,
      ),
    ).toEqual([
      { ...common, name: 'running', type: 'sum', unit: '', monotonic: 0, value: -2 },
      {
        ...common,
        name: 'temperature',
        type: 'gauge',
        unit: '',
        temporality: 'unspecified',
        monotonic: 0,
        value: 0.5,
      },
      { ...common, name: 'tokens', type: 'sum', unit: '{token}', monotonic: 1, value: 7 },
    ]);
    const distributions = await query(
      receiver.store,
      sql`
      SELECT name, type, unit, temporality, count, sum, min, max, bounds, bucket_counts, zero_count,
        arraySum(positive_counts) AS positive, attributes
      FROM metrics_histogram ${mine}`,
    );
    expect(distributions).toEqual([
      {
        ...common,
        name: 'duration',
        type: 'histogram',
        unit: 's',
        count: '4',
        sum: 60.5,
        min: 0.5,
        max: 50,
        bounds: [1, 10],
        bucket_counts: ['1', '2', '1'],
        zero_count: '0',
        positive: '0',
      },
      {
        ...common,
        name: 'size',
        type: 'exponential_histogram',
        unit: '',
        count: '5',
        sum: 1007,
        min: 0,
        max: 1000,
        bounds: [],
        bucket_counts: [],
        zero_count: '1',
        positive: '4',
      },
    ]);
  });
});
