import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import {
  JsonLogsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  type ReadableLogRecord,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { decodeLogs, decodeTraces, type Encoding } from './decode.ts';
import type { Attribute } from './model.ts';
import { BadRequest } from './refusal.ts';

const encodings: readonly Encoding[] = ['protobuf', 'json'];

// 2025-06-01T12:00:00.123456789Z, which is not exact as a JavaScript number of nanoseconds.
const start: [number, number] = [1_748_779_200, 123_456_789];
const startNanos = 1_748_779_200_123_456_789n;

const attributes = {
  'gen_ai.request.model': 'gpt-4o',
  'a.bool': true,
  'a.int': 42,
  'a.negative': -7,
  'a.large': Number.MAX_SAFE_INTEGER,
  'a.double': 0.1,
  'a.list': ['x', 'y'],
  empty: '',
  'ünï 🜚': 'naïve 🙂\u0000 \ufeff',
  __proto__x: 'kept',
};

const decodedAttributes: Attribute[] = [
  { key: 'gen_ai.request.model', value: 'gpt-4o' },
  { key: 'a.bool', value: true },
  { key: 'a.int', value: 42n },
  { key: 'a.negative', value: -7n },
  { key: 'a.large', value: 9_007_199_254_740_991n },
  { key: 'a.double', value: 0.1 },
  { key: 'a.list', value: ['x', 'y'] },
  { key: 'empty', value: '' },
  { key: 'ünï 🜚', value: 'naïve 🙂\u0000 \ufeff' },
  { key: '__proto__x', value: 'kept' },
];

function recordedSpans(): ReadableSpan[] {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const tracer = provider.getTracer('lib', '1.2.3');
  const parent = tracer.startSpan('invoke_agent', { startTime: start }, ROOT_CONTEXT);
  const child = tracer.startSpan(
    'chat gpt-4o',
    {
      kind: SpanKind.CLIENT,
      startTime: start,
      attributes,
      links: [{ context: parent.spanContext(), attributes: { why: 'resumed' } }],
    },
    trace.setSpan(ROOT_CONTEXT, parent),
  );
  child.addEvent('agent.decision', { 'agent.decision.confidence': 0.5 }, [start[0] + 1, 5]);
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'rate limited' });
  child.end([start[0] + 2, 0]);
  parent.end([start[0] + 3, 0]);
  return exporter.getFinishedSpans();
}

function recordedLogs(span: ReadableSpan): ReadableLogRecord[] {
  const exporter = new InMemoryLogRecordExporter();
  const provider = new LoggerProvider({
    processors: [new SimpleLogRecordProcessor({ exporter })],
  });
  provider.getLogger('agent', '2').emit({
    timestamp: start,
    observedTimestamp: [start[0] + 1, 0],
    eventName: 'agent.task.state',
    severityNumber: SeverityNumber.WARN2,
    severityText: 'WARN2',
    body: { nested: [1, 0.5, null, new Uint8Array([0, 255, 7])], text: 'é' },
    attributes: { 'agent.task.id': 'task-1' },
    context: trace.setSpanContext(ROOT_CONTEXT, span.spanContext()),
  });
  return exporter.getFinishedLogRecords();
}

function traceBody(encoding: Encoding, spans: ReadableSpan[]): Uint8Array {
  const serializer = encoding === 'protobuf' ? ProtobufTraceSerializer : JsonTraceSerializer;
  return serializer.serializeRequest(spans)!;
}

function logsBody(encoding: Encoding, logs: ReadableLogRecord[]): Uint8Array {
  const serializer = encoding === 'protobuf' ? ProtobufLogsSerializer : JsonLogsSerializer;
  return serializer.serializeRequest(logs)!;
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

const good = {
  traceId: '5b8efff798038103d269b633813fc60c',
  spanId: 'eee19b7ec3c1b174',
  name: 'good',
  startTimeUnixNano: String(startNanos),
};

function spansJson(...spans: unknown[]): Uint8Array {
  return json({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
}

for (const encoding of encodings) {
  describe(`OTLP ${encoding} written by the JavaScript SDK`, () => {
    it('decodes a span with everything on it', () => {
      const spans = recordedSpans();
      const [child, parent] = spans as [ReadableSpan, ReadableSpan];
      const decoded = decodeTraces(traceBody(encoding, spans), encoding);

      expect(decoded).toMatchObject({ items: 2, rejected: 0, reasons: [] });
      expect(decoded.batches).toHaveLength(1);
      const [batch] = decoded.batches;
      expect(batch!.resource).toContainEqual({ key: 'telemetry.sdk.language', value: 'nodejs' });
      expect(batch!.scope).toEqual({ name: 'lib', version: '1.2.3', attributes: [] });
      expect(batch!.items[0]).toEqual({
        traceId: child.spanContext().traceId,
        spanId: child.spanContext().spanId,
        parentSpanId: parent.spanContext().spanId,
        traceState: '',
        flags: 0x101,
        name: 'chat gpt-4o',
        kind: 3,
        start: startNanos,
        end: BigInt(start[0] + 2) * 1_000_000_000n,
        attributes: decodedAttributes,
        events: [
          {
            time: BigInt(start[0] + 1) * 1_000_000_000n + 5n,
            name: 'agent.decision',
            attributes: [{ key: 'agent.decision.confidence', value: 0.5 }],
          },
        ],
        links: [
          {
            traceId: parent.spanContext().traceId,
            spanId: parent.spanContext().spanId,
            attributes: [{ key: 'why', value: 'resumed' }],
          },
        ],
        statusCode: 2,
        statusMessage: 'rate limited',
      });
      expect(batch!.items[1]).toMatchObject({ parentSpanId: '', kind: 1, statusCode: 0 });
    });

    it('decodes a log record with a structured body', () => {
      const [span] = recordedSpans();
      const decoded = decodeLogs(logsBody(encoding, recordedLogs(span!)), encoding);

      expect(decoded).toMatchObject({ items: 1, rejected: 0 });
      expect(decoded.batches[0]!.items).toEqual([
        {
          time: startNanos,
          observedTime: BigInt(start[0] + 1) * 1_000_000_000n,
          traceId: span!.spanContext().traceId,
          spanId: span!.spanContext().spanId,
          flags: 1,
          severityNumber: 14,
          severityText: 'WARN2',
          eventName: 'agent.task.state',
          body: {
            entries: [
              { key: 'nested', value: [1n, 0.5, null, new Uint8Array([0, 255, 7])] },
              { key: 'text', value: 'é' },
            ],
          },
          attributes: [{ key: 'agent.task.id', value: 'task-1' }],
        },
      ]);
    });

    it('reads a view into a larger buffer', () => {
      const body = traceBody(encoding, recordedSpans());
      const padded = Buffer.concat([Buffer.from('xxx'), body, Buffer.from('xxx')]);
      const view = padded.subarray(3, 3 + body.length);
      expect(decodeTraces(view, encoding)).toEqual(decodeTraces(body, encoding));
    });

    it('answers any truncation and any flipped byte with a result or BadRequest', () => {
      const spans = recordedSpans();
      const cases = [
        { body: traceBody(encoding, spans), decode: decodeTraces },
        { body: logsBody(encoding, recordedLogs(spans[0]!)), decode: decodeLogs },
      ];
      const random = seeded(7);
      let refused = 0;
      for (const { body, decode } of cases) {
        for (const damaged of damages(body, random)) {
          try {
            const { items, batches } = decode(damaged, encoding);
            expect(batches.reduce((sum, batch) => sum + batch.items.length, 0)).toBe(items);
          } catch (error) {
            if (!(error instanceof BadRequest)) throw error;
            refused += 1;
          }
        }
      }
      expect(refused).toBeGreaterThan(500);
    });
  });
}

describe('OTLP of one set of spans', () => {
  it('decodes the same from protobuf and from JSON', () => {
    const spans = recordedSpans();
    expect(decodeTraces(traceBody('json', spans), 'json')).toEqual(
      decodeTraces(traceBody('protobuf', spans), 'protobuf'),
    );
  });

  it('takes an empty request as nothing', () => {
    expect(decodeTraces(new Uint8Array(), 'protobuf').items).toBe(0);
    expect(decodeTraces(json({}), 'json').items).toBe(0);
    expect(decodeLogs(json({ resourceLogs: [] }), 'json').items).toBe(0);
  });
});

describe('a refused span', () => {
  const cases: readonly [string, Record<string, unknown>][] = [
    ['trace_id', { traceId: '' }],
    ['trace_id', { traceId: '0'.repeat(32) }],
    ['trace_id', { traceId: good.traceId.slice(2) }],
    ['trace_id', { traceId: 'W47/95gDgQPSabYzgT/GDA==' }],
    ['span_id', { spanId: '0'.repeat(16) }],
    ['span_id', { spanId: `${good.spanId}00` }],
    ['parent_span_id', { parentSpanId: 'abc' }],
    ['link_id', { links: [{ traceId: 'abc', spanId: good.spanId }] }],
    ['time', { startTimeUnixNano: '0' }],
    ['time', { startTimeUnixNano: '1748779200' }],
    ['time', { startTimeUnixNano: '9999999999999999999' }],
    ['time', { endTimeUnixNano: '18446744073709551615' }],
    ['time', { startTimeUnixNano: '-5' }],
    ['time', { events: [{ timeUnixNano: '10000000000000000000' }] }],
    ['depth', { attributes: [{ key: 'deep', value: nested(33) }] }],
    ['type', { name: 5 }],
    ['type', { attributes: { a: 1 } }],
    ['type', { startTimeUnixNano: 'yesterday' }],
  ];

  it.each(cases)('(%s: %j) leaves its neighbours alone', (rule, fault) => {
    const decoded = decodeTraces(spansJson(good, { ...good, ...fault }, good), 'json');
    expect(decoded).toMatchObject({ items: 2, rejected: 1 });
    expect([...decoded.rules]).toEqual([[rule, 1]]);
    expect(decoded.reasons[0]).toMatch(/^resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[1\]: /);
  });

  it('leaves its neighbours alone in protobuf', () => {
    const [child, parent] = recordedSpans() as [ReadableSpan, ReadableSpan];
    const zero = { ...child.spanContext(), spanId: '0'.repeat(16) };
    const short = { ...child.spanContext(), traceId: 'abcd' };
    const broken = [zero, short].map((context) =>
      Object.assign(Object.create(child), { spanContext: () => context }),
    );
    const body = traceBody('protobuf', [child, ...broken, parent]);
    const decoded = decodeTraces(body, 'protobuf');
    expect(decoded.batches[0]!.items.map((span) => span.name)).toEqual([
      'chat gpt-4o',
      'invoke_agent',
    ]);
    expect(decoded.rejected).toBe(2);
    expect(new Map(decoded.rules)).toEqual(
      new Map([
        ['span_id', 1],
        ['trace_id', 1],
      ]),
    );
  });

  it('is explained five times at most, and never with content', () => {
    const bad = { ...good, spanId: 'secret prompt text' };
    const decoded = decodeTraces(spansJson(...Array(20).fill(bad)), 'json');
    expect(decoded.rejected).toBe(20);
    expect(decoded.reasons).toHaveLength(5);
    expect(decoded.reasons.join()).not.toContain('secret');
  });
});

describe('a kept span', () => {
  it('may end before it starts, have no end, an all-zero parent, values 32 deep', () => {
    const decoded = decodeTraces(
      spansJson(
        { ...good, endTimeUnixNano: '1748779200000000000' },
        { ...good, parentSpanId: '0'.repeat(16) },
        { ...good, attributes: [{ key: 'deep', value: nested(32) }] },
      ),
      'json',
    );
    expect(decoded).toMatchObject({ items: 3, rejected: 0 });
    expect(decoded.batches[0]!.items[1]!.parentSpanId).toBe('');
    expect(decoded.batches[0]!.items[1]!.end).toBe(0n);
  });
});

describe('a log record', () => {
  const log = { timeUnixNano: String(startNanos), body: { stringValue: 'hi' } };
  const decode = (...logRecords: unknown[]) =>
    decodeLogs(json({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }), 'json');

  it('needs no ids, and observed time is time enough', () => {
    const observed = { observedTimeUnixNano: String(startNanos) };
    const decoded = decode(log, observed, { ...log, traceId: '0'.repeat(32), spanId: '' });
    expect(decoded).toMatchObject({ items: 3, rejected: 0 });
    expect(decoded.batches[0]!.items[2]!.traceId).toBe('');
  });

  it('is refused with a broken id or without any time', () => {
    const decoded = decode({ ...log, traceId: 'abc' }, log, { body: { stringValue: 'when?' } });
    expect(decoded).toMatchObject({ items: 1, rejected: 2 });
  });
});

/** `levels` AnyValues, one in the other. */
function nested(levels: number): unknown {
  let value: unknown = { stringValue: 'bottom' };
  for (let i = 1; i < levels; i += 1) value = { arrayValue: { values: [value] } };
  return value;
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Every truncation, each byte flipped once at random, and a thousand bodies with several bytes flipped. */
function* damages(body: Uint8Array, random: () => number): Generator<Uint8Array> {
  for (let length = 0; length < body.length; length += 1) yield body.slice(0, length);
  for (let at = 0; at < body.length; at += 1) {
    const damaged = body.slice();
    damaged[at] = Math.floor(random() * 256);
    yield damaged;
  }
  for (let i = 0; i < 1000; i += 1) {
    const damaged = body.slice();
    for (let flips = 0; flips < 4; flips += 1) {
      damaged[Math.floor(random() * damaged.length)] = Math.floor(random() * 256);
    }
    yield damaged;
  }
}
