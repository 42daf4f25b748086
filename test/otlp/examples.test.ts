import { afterAll, beforeAll, expect, it } from 'vitest';
import { query, sql } from '../../store/sql.ts';
import { startReceiver, type TestReceiver } from './receiver.ts';

// Requests as the examples of opentelemetry-proto write them, which its own encoders would not: ids in upper case, 64-bit
// integers as bare numbers, a histogram whose bounds end before its buckets do, a body whose kvlist is a bare list.

let receiver: TestReceiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.close());

const nanos = '1544712660300000000';
/** JSON text whose 64-bit times are bare numbers, which JavaScript itself could not write. */
const bare = (json: object) => JSON.stringify(json).replaceAll(`"${nanos}"`, nanos);

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const around = (service: string) => ({
  resource: { attributes: [text('service.name', service)] },
  scope: {
    name: 'a.library',
    version: '1.0.0',
    attributes: [text('scope.attribute', 'of the scope')],
  },
});

async function send(signal: string, body: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${receiver.http}/v1/${signal}`, { method: 'POST', headers, body });
  await receiver.ingest.drained();
  return [answer.status, await answer.json()];
}

const trace = '5b8efff798038103d269b633813fc60c';
const span = 'eee19b7ec3c1b174';
const ids = { traceId: trace.toUpperCase(), spanId: span.toUpperCase() };

it('a span with upper-case ids and times as numbers', async () => {
  const { resource, scope } = around('example traces');
  const one = {
    ...ids,
    parentSpanId: 'EEE19B7EC3C1B173',
    name: "it's a server span",
    startTimeUnixNano: nanos,
    endTimeUnixNano: nanos,
    kind: 2,
    attributes: [text('span.attribute', 'of the span')],
  };
  const body = bare({ resourceSpans: [{ resource, scopeSpans: [{ scope, spans: [one] }] }] });
  expect(body).toContain(`"startTimeUnixNano":${nanos},`);
  expect(await send('traces', body)).toEqual([200, {}]);
  expect(
    await query(
      receiver.store,
      sql`
SELECT trace_id, span_id, parent_id, name, span_kind, toUnixTimestamp64Nano(start) AS start, attributes, scope_name
FROM spans FINAL WHERE service = 'example traces'`,
    ),
  ).toEqual([
    {
      trace_id: trace,
      span_id: span,
      parent_id: 'eee19b7ec3c1b173',
      name: "it's a server span",
      span_kind: 'server',
      start: nanos,
      attributes: { 'span.attribute': 'of the span' },
      scope_name: 'a.library',
    },
  ]);
});

it('a log record with an attribute of every kind, and integers as numbers', async () => {
  const { resource, scope } = around('example logs');
  const record = {
    ...ids,
    timeUnixNano: nanos,
    observedTimeUnixNano: nanos,
    severityText: 'Information',
    body: { stringValue: 'an example' },
    attributes: [
      text('string', 'some string'),
      { key: 'boolean', value: { boolValue: true } },
      { key: 'int', value: { intValue: 10 } },
      { key: 'double', value: { doubleValue: 637.704 } },
      {
        key: 'array',
        value: { arrayValue: { values: [{ stringValue: 'many' }, { intValue: 2 }] } },
      },
      { key: 'map', value: { kvlistValue: { values: [text('key', 'some value')] } } },
    ],
  };
  const body = bare({ resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: [record] }] }] });
  expect(await send('logs', body)).toEqual([200, {}]);
  expect(
    await query(
      receiver.store,
      sql`
SELECT trace_id, span_id, body, severity_text, attributes, attribute_types FROM logs FINAL WHERE service = 'example logs'`,
    ),
  ).toEqual([
    {
      trace_id: trace,
      span_id: span,
      body: 'an example',
      severity_text: 'Information',
      attributes: {
        string: 'some string',
        boolean: 'true',
        int: '10',
        double: '637.704',
        array: '["many",2]',
        map: '{"key":"some value"}',
      },
      attribute_types: { boolean: 1, int: 2, double: 3, array: 4, map: 5 },
    },
  ]);
});

it('an event whose body is a bare list of pairs', async () => {
  const { resource, scope } = around('example events');
  const event = {
    timeUnixNano: nanos,
    observedTimeUnixNano: nanos,
    severityNumber: 9,
    attributes: [text('event.name', 'browser.page_view')],
    body: { kvlistValue: [{ key: 'type', value: { intValue: '0' } }, text('title', 'A page')] },
  };
  const body = bare({ resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: [event] }] }] });
  expect(await send('logs', body)).toEqual([200, {}]);
  expect(
    await query(
      receiver.store,
      sql`SELECT event_name, body, severity_number FROM logs FINAL WHERE service = 'example events'`,
    ),
  ).toEqual([
    {
      event_name: 'browser.page_view',
      body: '{"type":0,"title":"A page"}',
      severity_number: 9,
    },
  ]);
});

it('a counter, a gauge without a start, and a histogram, in doubles and bare integers', async () => {
  const { resource, scope } = around('example metrics');
  const times = { startTimeUnixNano: nanos, timeUnixNano: nanos };
  const attributes = [text('point.attribute', 'of the point')];
  const metrics = [
    {
      name: 'counter',
      unit: '1',
      description: "it's a counter",
      sum: {
        aggregationTemporality: 1,
        isMonotonic: true,
        dataPoints: [{ ...times, asDouble: 5, attributes }],
      },
    },
    { name: 'gauge', gauge: { dataPoints: [{ timeUnixNano: nanos, asDouble: 10, attributes }] } },
    {
      name: 'histogram',
      histogram: {
        aggregationTemporality: 1,
        dataPoints: [
          {
            ...times,
            count: 3,
            sum: 3,
            bucketCounts: [1, 1, 1],
            explicitBounds: [1],
            min: 1,
            max: 1,
            attributes,
          },
        ],
      },
    },
  ];
  const body = bare({ resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics }] }] });
  expect(await send('metrics', body)).toEqual([200, {}]);
  const point = { attributes: { 'point.attribute': 'of the point' } };
  expect(
    await query(
      receiver.store,
      sql`
SELECT name, type, temporality, monotonic, value, attributes FROM metrics_number FINAL
WHERE service = 'example metrics' ORDER BY name`,
    ),
  ).toEqual([
    { name: 'counter', type: 'sum', temporality: 'delta', monotonic: 1, value: 5, ...point },
    { name: 'gauge', type: 'gauge', temporality: 'unspecified', monotonic: 0, value: 10, ...point },
  ]);
  expect(
    await query(
      receiver.store,
      sql`
SELECT name, temporality, count, sum, min, max, bounds, bucket_counts FROM metrics_histogram FINAL
WHERE service = 'example metrics'`,
    ),
  ).toEqual([
    {
      name: 'histogram',
      temporality: 'delta',
      count: '3',
      sum: 3,
      min: 1,
      max: 1,
      bounds: [1],
      bucket_counts: ['1', '1', '1'],
    },
  ]);
});
