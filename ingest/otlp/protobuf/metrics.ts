import type { OtlpMetric, OtlpPoint } from '../model.ts';
import { BadItem } from '../refusal.ts';
import { refuse, type Tally } from '../tally.ts';
import { type Cursor, close, int32, open, skip, tag, text, varint } from './cursor.ts';
import { type PointType, pointTypes, readPoint } from './points.ts';

type Draft = { -readonly [K in keyof OtlpMetric]: OtlpMetric[K] };

/**
 * Metric, up to the cursor's end: its data points, each refused by itself. Of the oneof `data` the last one on the wire
 * counts.
 *
 *      1 name                  string                10
 *      2 description           string                18
 *      3 unit                  string                26
 *      5 gauge                 Gauge                 42
 *      7 sum                   Sum                   58
 *      9 histogram             Histogram             74
 *     10 exponential_histogram ExponentialHistogram  82
 *     11 summary               Summary               90
 */
export function readMetric(c: Cursor, items: OtlpPoint[], tally: Tally<OtlpPoint>): void {
  const metric: Draft = {
    name: '',
    description: '',
    unit: '',
    type: 'gauge',
    temporality: 0,
    monotonic: false,
  };
  const first = items.length;
  while (c.pos < c.end) {
    const field = tag(c);
    const type = pointTypes.get(field);
    if (type !== undefined) {
      items.length = first;
      readData(c, type, metric, items, tally);
      continue;
    }
    switch (field) {
      case 10:
        metric.name = text(c);
        break;
      case 18:
        metric.description = text(c);
        break;
      case 26:
        metric.unit = text(c);
        break;
      default:
        skip(c, field & 7);
    }
  }
  requireName(metric, first, items, tally);
}

/** A metric without a name is none: all its points are refused. */
export function requireName(
  metric: OtlpMetric,
  first: number,
  items: OtlpPoint[],
  tally: Tally<OtlpPoint>,
): void {
  const points = items.length - first;
  if (metric.name !== '' || points === 0) return;
  items.length = first;
  tally.point = -1;
  refuse(tally, new BadItem('name', 'the metric has no name'), points);
}

/**
 * Gauge, Sum, Histogram, ExponentialHistogram, Summary, embedded: one shape.
 *
 *     1 data_points             repeated  10
 *     2 aggregation_temporality enum      16
 *     3 is_monotonic            bool      24
 */
function readData(
  c: Cursor,
  type: PointType,
  metric: Draft,
  items: OtlpPoint[],
  tally: Tally<OtlpPoint>,
): void {
  const outer = open(c);
  metric.type = type;
  metric.temporality = 0;
  metric.monotonic = false;
  tally.point = -1;
  while (c.pos < c.end) {
    const field = tag(c);
    switch (field) {
      case 10:
        readOne(c, metric, items, tally);
        break;
      case 16:
        metric.temporality = int32(c);
        break;
      case 24:
        metric.monotonic = varint(c) !== 0;
        break;
      default:
        skip(c, field & 7);
    }
  }
  close(c, outer);
}

/** One point in its own bounds, so that a refused one leaves the cursor at its neighbour. */
function readOne(c: Cursor, metric: Draft, items: OtlpPoint[], tally: Tally<OtlpPoint>): void {
  const outer = open(c);
  const pointEnd = c.end;
  tally.point += 1;
  try {
    items.push(readPoint(c, metric));
  } catch (thrown) {
    refuse(tally, thrown);
  }
  c.end = pointEnd;
  close(c, outer);
}
