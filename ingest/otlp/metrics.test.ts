import { JsonMetricsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import {
  AggregationTemporality,
  AggregationType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { describe, expect, it } from 'vitest';
import { decodeMetrics } from './decode.ts';
import type { OtlpPoint } from './model.ts';
import { BadRequest } from './refusal.ts';

/** One of each kind that the JavaScript SDK has; it has no summary. */
async function recorded(): Promise<ResourceMetrics> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  const provider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
    views: [
      {
        instrumentName: 'size',
        aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM, options: { maxSize: 20 } },
      },
    ],
  });
  const meter = provider.getMeter('agent', '2');
  const attributes = { model: 'gpt-4o', retried: true };
  meter.createCounter('tokens', { unit: '{token}', description: 'T' }).add(7, attributes);
  meter.createUpDownCounter('balance').add(-2.5, attributes);
  const histogram = meter.createHistogram('duration', {
    advice: { explicitBucketBoundaries: [1, 10] },
  });
  for (const value of [0.5, 5, 5, 50]) histogram.record(value, attributes);
  const exponential = meter.createHistogram('size');
  for (const value of [0.25, 1, 4, 0]) exponential.record(value, attributes);
  await provider.forceFlush();
  const [metrics] = exporter.getMetrics();
  await provider.shutdown();
  return metrics!;
}

const metrics = await recorded();
const bodies = {
  protobuf: ProtobufMetricsSerializer.serializeRequest(metrics)!,
  json: JsonMetricsSerializer.serializeRequest(metrics)!,
};

/** Metric { 1 name 'm', `data` { 1 point } } inside its envelope. */
function request(dataTag: number, ...point: readonly number[]): Uint8Array {
  const metric = [10, 1, 109, dataTag, point.length + 2, 10, point.length, ...point];
  const scope = [18, metric.length, ...metric];
  return Uint8Array.from([10, scope.length + 2, 18, scope.length, ...scope]);
}

const [two, half] = [
  [0, 0, 0, 0, 0, 0, 0, 64],
  [0, 0, 0, 0, 0, 0, 224, 63],
];
/** time_unix_nano of 2025, in every kind of point. */
const time = [25, 0, 0, 0x80, 0x9b, 0x3c, 0xd7, 0x44, 0x18];

const pointsOf = (body: Uint8Array, encoding: 'protobuf' | 'json'): OtlpPoint[] =>
  decodeMetrics(body, encoding).batches.flatMap(({ items }) => [...items]);

describe('metrics', () => {
  it('decode the same from protobuf and from JSON', () => {
    const decoded = decodeMetrics(bodies.protobuf, 'protobuf');
    expect(decoded).toEqual(decodeMetrics(bodies.json, 'json'));
    expect([decoded.items, decoded.rejected]).toEqual([4, 0]);
  });

  it('say what each kind says', () => {
    const points = new Map(
      pointsOf(bodies.protobuf, 'protobuf').map((point) => [point.metric.name, point]),
    );
    const [tokens, balance, duration, size] = ['tokens', 'balance', 'duration', 'size'].map(
      (name) => points.get(name),
    );
    const shared = { unit: '', description: '', temporality: 1, monotonic: false };
    expect(tokens).toMatchObject({
      metric: { name: 'tokens', unit: '{token}', description: 'T', type: 'sum', monotonic: true },
      attributes: [
        { key: 'model', value: 'gpt-4o' },
        { key: 'retried', value: true },
      ],
      distribution: null,
    });
    expect(Number(tokens!.value)).toBe(7);
    expect(balance).toMatchObject({ metric: { ...shared, name: 'balance' }, value: -2.5 });
    expect(duration).toMatchObject({
      metric: { ...shared, type: 'histogram' },
      value: null,
      distribution: {
        ...{ count: 4n, sum: 60.5, min: 0.5, max: 50 },
        ...{ bounds: [1, 10], bucketCounts: [1n, 2n, 1n] },
      },
    });
    const exponential = size!.distribution!;
    expect(exponential).toMatchObject({ count: 4n, sum: 5.25, min: 0, max: 4, zeroCount: 1n });
    // Bucket i holds (2^(i·2^-scale), 2^((i+1)·2^-scale)]: 0.25 = 2^-2 lies in the first, 4 = 2^2 in the last.
    const { scale, positive } = exponential;
    const bound = (i: number) => 2 ** (i * 2 ** -scale);
    expect(bound(positive.offset + 1)).toBeCloseTo(0.25);
    expect(bound(positive.offset + positive.counts.length)).toBeCloseTo(4);
    expect(positive.counts.reduce((sum, count) => sum + count, 0n)).toBe(3n);
  });

  it('have summaries, and lists packed or not', () => {
    // SummaryDataPoint { 3 time, 4 count 2, 6 { 1 quantile 0.5, 2 value 2 } }
    const quantile = [50, 18, 9, ...half!, 17, ...two!];
    const summary = request(90, ...time, 33, 2, 0, 0, 0, 0, 0, 0, 0, ...quantile);
    expect(pointsOf(summary, 'protobuf')[0]).toMatchObject({
      metric: { name: 'm', type: 'summary' },
      distribution: { count: 2n, quantiles: [{ quantile: 0.5, value: 2 }] },
    });
    const packed = request(74, ...time, 58, 16, ...half!, ...two!);
    const unpacked = request(74, ...time, 57, ...half!, 57, ...two!);
    for (const body of [packed, unpacked]) {
      expect(pointsOf(body, 'protobuf')[0]?.distribution?.bounds).toEqual([0.5, 2]);
    }
    // Buckets { 1 offset: sint32 -3 (zigzag 5), 2 counts: uint64 1, 300 }
    const exponential = request(82, ...time, 66, 7, 8, 5, 18, 3, 1, 0xac, 0x02);
    expect(pointsOf(exponential, 'protobuf')[0]?.distribution?.positive).toEqual({
      offset: -3,
      counts: [1n, 300n],
    });
  });

  it('refuse a point of too many buckets before they are read', () => {
    const bucketCounts = Array.from({ length: 5000 }, () => 1);
    const dataPoints = [{ timeUnixNano: '1748779200000000000', bucketCounts }];
    const body = {
      resourceMetrics: [
        { scopeMetrics: [{ metrics: [{ name: 'm', histogram: { dataPoints } }] }] },
      ],
    };
    const decoded = decodeMetrics(Buffer.from(JSON.stringify(body)), 'json');
    expect([decoded.items, [...decoded.rules]]).toEqual([0, [['buckets', 1]]]);
    expect(decoded.reasons).toEqual([
      'resourceMetrics[0].scopeMetrics[0].metrics[0].dataPoints[0]: more than 4096 buckets, quantiles or exemplars',
    ]);
  });

  it('answer any truncation and any flipped byte with a result or BadRequest', () => {
    for (const [encoding, body] of Object.entries(bodies) as [keyof typeof bodies, Uint8Array][]) {
      for (let at = 0; at < body.length; at += 1) {
        const flipped = new Uint8Array(body);
        flipped[at] = (flipped[at] ?? 0) ^ 0x55;
        for (const damaged of [body.subarray(0, at), flipped]) {
          try {
            decodeMetrics(damaged, encoding);
          } catch (error) {
            expect(error).toBeInstanceOf(BadRequest);
          }
        }
      }
    }
  });
});
