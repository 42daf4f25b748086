import { maxPointElements, tooManyElements } from '../admission.ts';
import type { OtlpBuckets } from '../model.ts';
import { type Cursor, close, double, fixed64, open, skip, tag, varint64 } from './cursor.ts';
import { addExemplar, type ReadField, uint32 } from './number-point.ts';
import { readAttribute } from './value.ts';

/**
 * HistogramDataPoint.
 *
 *      4 count           fixed64            33
 *      5 sum             double             41
 *      6 bucket_counts   repeated fixed64   50, unpacked 49
 *      7 explicit_bounds repeated double    58, unpacked 57
 *      8 exemplars       repeated Exemplar  66
 *      9 attributes      repeated KeyValue  74
 *     10 flags           uint32             80
 *     11 min             double             89
 *     12 max             double             97
 */
export const readHistogram: ReadField = (c, field, point, into) => {
  switch (field) {
    case 33:
      into.count = fixed64(c);
      break;
    case 41:
      into.sum = double(c);
      break;
    case 49:
    case 50:
      repeated(c, field, into.bucketCounts, fixed64);
      break;
    case 57:
    case 58:
      repeated(c, field, into.bounds, double);
      break;
    case 66:
      addExemplar(c, point);
      break;
    case 74:
      point.attributes.push(readAttribute(c));
      break;
    case 80:
      point.flags = uint32(c);
      break;
    case 89:
      into.min = double(c);
      break;
    case 97:
      into.max = double(c);
      break;
    default:
      skip(c, field & 7);
  }
};

/**
 * ExponentialHistogramDataPoint.
 *
 *      1 attributes     repeated KeyValue  10
 *      4 count          fixed64            33
 *      5 sum            double             41
 *      6 scale          sint32             48
 *      7 zero_count     fixed64            57
 *      8 positive       Buckets            66
 *      9 negative       Buckets            74
 *     10 flags          uint32             80
 *     11 exemplars      repeated Exemplar  90
 *     12 min            double             97
 *     13 max            double            105
 *     14 zero_threshold double            113
 */
export const readExponential: ReadField = (c, field, point, into) => {
  switch (field) {
    case 10:
      point.attributes.push(readAttribute(c));
      break;
    case 33:
      into.count = fixed64(c);
      break;
    case 41:
      into.sum = double(c);
      break;
    case 48:
      into.scale = sint32(c);
      break;
    case 57:
      into.zeroCount = fixed64(c);
      break;
    case 66:
      into.positive = readBuckets(c);
      break;
    case 74:
      into.negative = readBuckets(c);
      break;
    case 80:
      point.flags = uint32(c);
      break;
    case 90:
      addExemplar(c, point);
      break;
    case 97:
      into.min = double(c);
      break;
    case 105:
      into.max = double(c);
      break;
    case 113:
      into.zeroThreshold = double(c);
      break;
    default:
      skip(c, field & 7);
  }
};

/**
 * SummaryDataPoint.
 *
 *     4 count           fixed64                   33
 *     5 sum             double                    41
 *     6 quantile_values repeated ValueAtQuantile  50
 *     7 attributes      repeated KeyValue         58
 *     8 flags           uint32                    64
 */
export const readSummary: ReadField = (c, field, point, into) => {
  switch (field) {
    case 33:
      into.count = fixed64(c);
      break;
    case 41:
      into.sum = double(c);
      break;
    case 50:
      if (into.quantiles.length >= maxPointElements) throw tooManyElements();
      into.quantiles.push(readQuantile(c));
      break;
    case 58:
      point.attributes.push(readAttribute(c));
      break;
    case 64:
      point.flags = uint32(c);
      break;
    default:
      skip(c, field & 7);
  }
};

/**
 * ExponentialHistogramDataPoint.Buckets, embedded.
 *
 *     1 offset        sint32            8
 *     2 bucket_counts repeated uint64  18, unpacked 16
 */
function readBuckets(c: Cursor): OtlpBuckets {
  const outer = open(c);
  let offset = 0;
  const counts: bigint[] = [];
  while (c.pos < c.end) {
    const field = tag(c);
    if (field === 8) offset = sint32(c);
    else if (field === 16 || field === 18) repeated(c, field, counts, varint64);
    else skip(c, field & 7);
  }
  close(c, outer);
  return { offset, counts };
}

/**
 * SummaryDataPoint.ValueAtQuantile, embedded.
 *
 *     1 quantile double   9
 *     2 value    double  17
 */
function readQuantile(c: Cursor): { quantile: number; value: number } {
  const outer = open(c);
  let quantile = 0;
  let value = 0;
  while (c.pos < c.end) {
    const field = tag(c);
    if (field === 9) quantile = double(c);
    else if (field === 17) value = double(c);
    else skip(c, field & 7);
  }
  close(c, outer);
  return { quantile, value };
}

/** One element of a repeated scalar, or all of a packed list: a decoder has to take both. */
function repeated<T>(c: Cursor, field: number, into: T[], read: (c: Cursor) => T): void {
  const packed = (field & 7) === 2;
  const outer = packed ? open(c) : c.end;
  do {
    if (packed && c.pos >= c.end) break;
    if (into.length >= maxPointElements) throw tooManyElements();
    into.push(read(c));
  } while (packed);
  if (packed) close(c, outer);
}

/** Zigzag. */
function sint32(c: Cursor): number {
  const value = Number(BigInt.asUintN(32, varint64(c)));
  return (value >>> 1) ^ -(value & 1);
}
