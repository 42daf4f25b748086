import { createHash } from 'node:crypto';
import type { Store } from '../../store/connection.ts';
import { param, query, sql } from '../../store/sql.ts';
import {
  attributes,
  type Data,
  logsRequest,
  type Message,
  metricsRequest,
  traceRequest,
} from './otlp.ts';

/** What a fuzzed signal has to bring; a new signal is one more entry of {@link signals}. */
export interface Signal {
  readonly name: string;
  readonly path: string;
  /** Path of the gRPC method. */
  readonly method: string;
  /** The request's protobuf shape. */
  readonly message: Message;
  /** A request around items, which may be of any quality. */
  readonly request: (items: readonly Data[], resource?: readonly Data[]) => Data;
  /** A sound item; items with different `of` or `i` have different identities. */
  readonly item: (of: string, i: number) => Data;
  /** Names of the item's fields that hold a time. */
  readonly times: readonly string[];
  /** Marks found in the store that begin so, with what else must be exact about their items, once per stored item. */
  readonly stored: (store: Store, prefix: string) => Promise<readonly string[]>;
  /** What {@link stored} must say of an item. */
  readonly expected: (of: string, i: number) => string;
}

const noon = Date.UTC(2026, 2, 2, 12);

/** Nanoseconds of a fixed day, some ms apart, so that a run is the same whenever it runs. */
export function time(ms: number): string {
  return `${noon + ms}000000`;
}

function hex(of: string, length: number): string {
  return createHash('sha256').update(of).digest('hex').slice(0, length);
}

const resource = attributes({ 'service.name': 'fuzz', 'deployment.environment.name': 'test' });

/** Spans per sound request; the first is the task's root, the others model calls. */
export const itemsPerRequest = 3;
const tokens = (i: number) => 100 + i;

const longText = 'All work and no play makes this attribute long. '.repeat(60);

const traces: Signal = {
  name: 'traces',
  path: '/v1/traces',
  method: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  message: traceRequest,
  times: ['startTimeUnixNano', 'endTimeUnixNano'],
  request: (items, own = resource) => ({
    resourceSpans: [
      {
        resource: { attributes: own },
        scopeSpans: [{ scope: { name: 'fuzz', version: '1' }, spans: items }],
      },
    ],
  }),
  item: (of, i) => ({
    traceId: hex(`trace ${of}`, 32),
    spanId: hex(`span ${of} ${i}`, 16),
    parentSpanId: i === 0 ? '' : hex(`span ${of} 0`, 16),
    name: i === 0 ? 'invoke_workflow fuzz' : 'chat gpt-4o',
    kind: 3,
    startTimeUnixNano: time(i * 10),
    endTimeUnixNano: time(i * 10 + 5),
    attributes: attributes({
      'fuzz.mark': `${of} ${i}`,
      'agent.task.id': of,
      'agent.task.workflow': 'fuzz',
      'gen_ai.operation.name': i === 0 ? 'invoke_workflow' : 'chat',
      ...(i > 0 && {
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.input_tokens': tokens(i),
        'gen_ai.usage.output_tokens': 7,
        'gen_ai.input.messages': JSON.stringify([
          { role: 'user', parts: [{ type: 'text', content: `${of}: ${longText}` }] },
        ]),
      }),
    }),
    events: [{ timeUnixNano: time(i * 10 + 1), name: 'note', attributes: attributes({ n: i }) }],
    links: [{ traceId: hex('elsewhere', 32), spanId: hex('elsewhere', 16) }],
    status: { code: 1 },
    flags: 257,
  }),
  expected: (of, i) => `${of} ${i}: ${i === 0 ? '' : tokens(i)} tokens, ${i === 0 ? 0 : 1} message`,
  stored: async (store, prefix) => {
    const rows = await query<{ mark: string; tokens: string | null; messages: number }>(
      store,
      sql`SELECT mark, tokens, toUInt32(countIf(hash IN (
            SELECT hash FROM messages WHERE startsWith(content, '{"role":"user"')))) AS messages
          FROM (
            SELECT trace_id, span_id, attributes['fuzz.mark'] AS mark, input_tokens AS tokens, input_messages
            FROM spans FINAL WHERE startsWith(mark, ${param('String', prefix)}))
          LEFT ARRAY JOIN input_messages AS hash GROUP BY trace_id, span_id, mark, tokens`,
    );
    return rows.map((row) => `${row.mark}: ${row.tokens ?? ''} tokens, ${row.messages} message`);
  },
};

const logs: Signal = {
  name: 'logs',
  path: '/v1/logs',
  method: '/opentelemetry.proto.collector.logs.v1.LogsService/Export',
  message: logsRequest,
  times: ['timeUnixNano', 'observedTimeUnixNano'],
  request: (items, own = resource) => ({
    resourceLogs: [
      {
        resource: { attributes: own },
        scopeLogs: [{ scope: { name: 'fuzz', version: '1' }, logRecords: items }],
      },
    ],
  }),
  item: (of, i) => ({
    timeUnixNano: time(i),
    observedTimeUnixNano: time(i + 1),
    severityNumber: 9,
    severityText: 'INFO',
    eventName: i === 0 ? 'agent.task.state' : '',
    body: { stringValue: `${of} record ${i}` },
    attributes: attributes({
      'fuzz.mark': `${of} ${i}`,
      'agent.task.id': of,
      ...(i === 0 && { 'agent.task.state': 'done' }),
    }),
    traceId: i === 2 ? '' : hex(`trace ${of}`, 32),
    spanId: i === 2 ? '' : hex(`span ${of} 0`, 16),
    flags: 1,
  }),
  expected: (of, i) => `${of} ${i}: ${of} record ${i}`,
  stored: async (store, prefix) => {
    const rows = await query<{ mark: string; body: string }>(
      store,
      sql`SELECT attributes['fuzz.mark'] AS mark, body FROM logs FINAL WHERE startsWith(mark, ${param('String', prefix)})`,
    );
    return rows.map((row) => `${row.mark}: ${row.body}`);
  },
};

const pointKinds = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'] as const;

/** An item is a data point that has the fields of all kinds; its place in the request decides which one it is. */
const metrics: Signal = {
  name: 'metrics',
  path: '/v1/metrics',
  method: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
  message: metricsRequest,
  times: ['startTimeUnixNano', 'timeUnixNano'],
  request: (items, own = resource) => ({
    resourceMetrics: [
      {
        resource: { attributes: own },
        scopeMetrics: [
          {
            scope: { name: 'fuzz', version: '1' },
            metrics: items.map(({ name = 'fuzz.points', ...point }, i) => ({
              name,
              unit: '1',
              [pointKinds[i % pointKinds.length] ?? 'gauge']: {
                dataPoints: [point],
                aggregationTemporality: 2,
                isMonotonic: true,
              },
            })),
          },
        ],
      },
    ],
  }),
  item: (of, i) => ({
    startTimeUnixNano: time(i),
    timeUnixNano: time(i + 1000),
    attributes: attributes({ 'fuzz.mark': `${of} ${i}`, 'agent.task.id': of }),
    asInt: String(i),
    count: '4',
    sum: 10,
    min: 1,
    max: 5,
    bucketCounts: ['1', '3'],
    explicitBounds: [2],
    scale: 3,
    zeroCount: '0',
    positive: { offset: 1, bucketCounts: ['1', '2', '1'] },
    quantileValues: [{ quantile: 0.5, value: 2 }],
    exemplars: [{ timeUnixNano: time(i), asDouble: 1.5, traceId: hex('elsewhere', 32) }],
  }),
  expected: (of, i) => `${of} ${i}: ${i === 2 ? '4 in 1,3' : i}`,
  stored: async (store, prefix) => {
    const rows = await query<{ mark: string; value: string }>(
      store,
      sql`SELECT attributes['fuzz.mark'] AS mark, toString(value_int) AS value
          FROM metrics_number FINAL WHERE startsWith(mark, ${param('String', prefix)})
          UNION ALL
          SELECT attributes['fuzz.mark'] AS mark, concat(toString(count), ' in ', arrayStringConcat(bucket_counts, ','))
          FROM metrics_histogram FINAL WHERE startsWith(mark, ${param('String', prefix)})`,
    );
    return rows.map((row) => `${row.mark}: ${row.value}`);
  },
};

export const signals: readonly Signal[] = [traces, logs, metrics];

/** Tasks of sound trace requests: id and tokens, once per task in the store. */
export async function storedTasks(store: Store): Promise<readonly string[]> {
  const rows = await query<{ task_id: string; tokens: string | null; calls: number }>(
    store,
    sql`SELECT task_id, input_tokens AS tokens, llm_calls AS calls FROM tasks FINAL
        WHERE deleted = 0 AND startsWith(task_id, 'good traces')`,
  );
  return rows.map((row) => `${row.task_id}: ${row.calls} calls, ${row.tokens} tokens`);
}

export function expectedTask(of: string): string {
  let sum = 0;
  for (let i = 1; i < itemsPerRequest; i += 1) sum += tokens(i);
  return `${of}: ${itemsPerRequest - 1} calls, ${sum} tokens`;
}
