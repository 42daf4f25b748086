import { admitPoint, maxPointElements, tooManyElements } from '../admission.ts';
import { emptyDistribution } from '../distribution.ts';
import type {
  OtlpBuckets,
  OtlpDistribution,
  OtlpExemplar,
  OtlpMetric,
  OtlpPoint,
} from '../model.ts';
import {
  type Fields,
  field,
  fieldsOf,
  idField,
  int64Of,
  listField,
  timeField,
  uint32Field,
  uint64Of,
  wrongType,
} from './fields.ts';
import { attributesField, doubleOf } from './value.ts';

/** NumberDataPoint, HistogramDataPoint, ExponentialHistogramDataPoint or SummaryDataPoint. */
export function readPoint(from: Fields, metric: OtlpMetric): OtlpPoint {
  const isNumber = metric.type === 'gauge' || metric.type === 'sum';
  return admitPoint({
    metric,
    start: timeField(from, 'startTimeUnixNano', 'start_time_unix_nano'),
    time: timeField(from, 'timeUnixNano', 'time_unix_nano'),
    attributes: attributesField(from, 'attributes'),
    flags: uint32Field(from, 'flags'),
    exemplars: boundedList(from, 'exemplars').map(readExemplar),
    value: isNumber ? numberOf(from) : null,
    distribution: isNumber ? null : readDistribution(from),
  });
}

function readDistribution(from: Fields): OtlpDistribution {
  const scale = field(from, 'scale');
  return {
    ...emptyDistribution(),
    count: countField(from, 'count'),
    sum: doubleField(from, 'sum'),
    min: doubleField(from, 'min'),
    max: doubleField(from, 'max'),
    bounds: boundedList(from, 'explicitBounds', 'explicit_bounds').map((value) =>
      doubleOf(value, 'explicitBounds'),
    ),
    bucketCounts: countsField(from),
    scale: scale === undefined ? 0 : int32Of(scale, 'scale'),
    zeroCount: countField(from, 'zeroCount', 'zero_count'),
    zeroThreshold: doubleField(from, 'zeroThreshold', 'zero_threshold') ?? 0,
    positive: readBuckets(field(from, 'positive')),
    negative: readBuckets(field(from, 'negative')),
    quantiles: boundedList(from, 'quantileValues', 'quantile_values').map((entry) => {
      const at = fieldsOf(entry, 'quantileValues');
      return { quantile: doubleField(at, 'quantile') ?? 0, value: doubleField(at, 'value') ?? 0 };
    }),
  };
}

function readBuckets(value: unknown): OtlpBuckets {
  if (value === undefined) return { offset: 0, counts: [] };
  const from = fieldsOf(value, 'buckets');
  const offset = field(from, 'offset');
  return {
    offset: offset === undefined ? 0 : int32Of(offset, 'offset'),
    counts: countsField(from),
  };
}

function readExemplar(value: unknown): OtlpExemplar {
  const from = fieldsOf(value, 'exemplar');
  return {
    time: timeField(from, 'timeUnixNano', 'time_unix_nano'),
    value: Number(numberOf(from) ?? 0),
    traceId: idField(from, 'traceId', 'trace_id', 16, 'exemplar_id'),
    spanId: idField(from, 'spanId', 'span_id', 8, 'exemplar_id'),
    attributes: attributesField(from, 'filteredAttributes', 1, 'filtered_attributes'),
  };
}

/** `asInt` or `asDouble`; null when neither is there. */
function numberOf(from: Fields): bigint | number | null {
  const int = field(from, 'asInt', 'as_int');
  if (int === undefined) return doubleField(from, 'asDouble', 'as_double');
  const value = int64Of(int, 'asInt');
  if (typeof value === 'string') throw wrongType('asInt', 'an integer');
  return value;
}

function boundedList(from: Fields, camel: string, snake = camel): readonly unknown[] {
  const list = listField(from, camel, snake);
  if (list.length > maxPointElements) throw tooManyElements();
  return list;
}

function countsField(from: Fields): bigint[] {
  const list = boundedList(from, 'bucketCounts', 'bucket_counts');
  return list.map((value) => uint64Of(value, 'bucketCounts'));
}

function countField(from: Fields, camel: string, snake = camel): bigint {
  const value = field(from, camel, snake);
  return value === undefined ? 0n : uint64Of(value, camel);
}

function doubleField(from: Fields, camel: string, snake = camel): number | null {
  const value = field(from, camel, snake);
  return value === undefined ? null : doubleOf(value, camel);
}

function int32Of(value: unknown, name: string): number {
  const integer = int64Of(value, name);
  if (typeof integer !== 'bigint') throw wrongType(name, 'an integer');
  return Number(BigInt.asIntN(32, integer));
}
