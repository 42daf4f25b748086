import { describe, expect, it } from 'vitest';
import { decodeLogs, decodeTraces } from '../decode.ts';
import type { OtlpSpan, Value } from '../model.ts';
import { BadRequest } from '../refusal.ts';

const span = {
  traceId: '5B8EFFF798038103D269B633813FC60C',
  spanId: 'EEE19B7EC3C1B174',
  startTimeUnixNano: '1544712660000000000',
};

function decode(fields: Record<string, unknown>): OtlpSpan {
  const request = { resourceSpans: [{ scopeSpans: [{ spans: [{ ...span, ...fields }] }] }] };
  const decoded = decodeTraces(Buffer.from(JSON.stringify(request)), 'json');
  expect(decoded.reasons).toEqual([]);
  return decoded.batches[0]!.items[0]!;
}

function decodeValue(value: unknown): Value {
  return decode({ attributes: [{ key: 'k', value }] }).attributes[0]!.value;
}

describe('OTLP/JSON is read leniently', () => {
  it('takes hex ids in either case', () => {
    expect(decode({})).toMatchObject({
      traceId: '5b8efff798038103d269b633813fc60c',
      spanId: 'eee19b7ec3c1b174',
    });
  });

  it('takes times as decimal strings and as numbers', () => {
    expect(decode({ endTimeUnixNano: '1748779200123456789' }).end).toBe(1_748_779_200_123_456_789n);
    // 2^60 is exact as a number.
    expect(decode({ endTimeUnixNano: 2 ** 60 }).end).toBe(2n ** 60n);
  });

  it('takes enums as numbers, decimal strings and names', () => {
    expect([3, '3', 'SPAN_KIND_CLIENT'].map((kind) => decode({ kind }).kind)).toEqual([3, 3, 3]);
    expect(decode({ status: { code: 'STATUS_CODE_ERROR' } }).statusCode).toBe(2);
    expect(decode({ kind: 'SPAN_KIND_NEW' }).kind).toBe(0);
  });

  it('takes snake_case names on every level', () => {
    const request = {
      resource_spans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { string_value: 'a' } }] },
          scope_spans: [
            {
              spans: [
                {
                  trace_id: span.traceId,
                  span_id: span.spanId,
                  parent_span_id: span.spanId,
                  start_time_unix_nano: 1_544_712_660_000_000_000,
                  attributes: [
                    { key: 'list', value: { array_value: { values: [{ int_value: 1 }] } } },
                  ],
                  events: [{ time_unix_nano: '1', name: 'e' }],
                },
              ],
            },
          ],
        },
      ],
    };
    const [batch] = decodeTraces(Buffer.from(JSON.stringify(request)), 'json').batches;
    expect(batch!.resource).toEqual([{ key: 'service.name', value: 'a' }]);
    expect(batch!.items[0]).toMatchObject({
      parentSpanId: 'eee19b7ec3c1b174',
      start: 1_544_712_660_000_000_000n,
      attributes: [{ key: 'list', value: [1n] }],
      events: [{ time: 1n, name: 'e' }],
    });
  });

  it('names severities', () => {
    const record = {
      timeUnixNano: span.startTimeUnixNano,
      severityNumber: 'SEVERITY_NUMBER_ERROR3',
    };
    const request = { resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] };
    const decoded = decodeLogs(Buffer.from(JSON.stringify(request)), 'json');
    expect(decoded.batches[0]!.items[0]!.severityNumber).toBe(19);
  });

  it('ignores unknown fields, however deep, and treats null as unset', () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    const text = `{"zebra":${deep},"resourceSpans":null}`;
    expect(decodeTraces(Buffer.from(text), 'json').items).toBe(0);
    expect(decode({ name: null, unknown: { a: [1] }, links: null }).name).toBe('');
  });

  it('reads hostile names as data', () => {
    const text = JSON.stringify(span).replace('{', '{"__proto__":{"name":"polluted"},');
    const request = `{"resourceSpans":[{"scopeSpans":[{"spans":[${text}]}]}]}`;
    expect(decodeTraces(Buffer.from(request), 'json').batches[0]!.items[0]!.name).toBe('');
    const attributes = [{ key: '__proto__', value: { stringValue: 'x' } }];
    expect(decode({ attributes }).attributes).toEqual([{ key: '__proto__', value: 'x' }]);
  });
});

describe('an OTLP/JSON AnyValue', () => {
  it.each<[unknown, Value]>([
    [{ stringValue: '' }, ''],
    [{ boolValue: false }, false],
    [{ intValue: '9223372036854775807' }, 9_223_372_036_854_775_807n],
    [{ intValue: '-9223372036854775808' }, -9_223_372_036_854_775_808n],
    [{ intValue: -3 }, -3n],
    [{ intValue: 1e300 }, 1e300],
    [{ intValue: '9223372036854775808' }, '9223372036854775808'],
    [{ doubleValue: 0.1 }, 0.1],
    [{ doubleValue: 'NaN' }, Number.NaN],
    [{ doubleValue: '-Infinity' }, Number.NEGATIVE_INFINITY],
    [{ doubleValue: null }, null],
    [{ bytesValue: 'AP8H' }, new Uint8Array([0, 255, 7])],
    [{ arrayValue: {} }, []],
    [{ arrayValue: { values: [{}, { boolValue: true }] } }, [null, true]],
    [
      { kvlistValue: { values: [{ key: 'a', value: { intValue: 1 } }, { key: 'b' }] } },
      {
        entries: [
          { key: 'a', value: 1n },
          { key: 'b', value: null },
        ],
      },
    ],
    [{}, null],
    [null, null],
  ])('%j', (value, expected) => {
    expect(decodeValue(value)).toEqual(expected);
  });
});

describe('an OTLP/JSON body that cannot be read', () => {
  it.each([
    '',
    'not json',
    '{"resourceSpans":[',
    '[]',
    'null',
    '"text"',
    '{"resourceSpans":{}}',
    '{"resourceSpans":[3]}',
    '{"resourceSpans":[{"scopeSpans":"x"}]}',
    '{"resourceSpans":[{"resource":{"attributes":"x"},"scopeSpans":[]}]}',
    '{"resourceSpans":[{"scopeSpans":[{"scope":[],"spans":[]}]}]}',
  ])('%s', (text) => {
    expect(() => decodeTraces(Buffer.from(text), 'json')).toThrow(BadRequest);
  });

  it('is not quoted in the error', () => {
    const decode = () => decodeTraces(Buffer.from('{"prompt": secret'), 'json');
    expect(decode).toThrow(BadRequest);
    expect(decode).not.toThrow(/secret/);
  });
});
