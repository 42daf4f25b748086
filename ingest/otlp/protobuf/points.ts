import { admitPoint } from '../admission.ts';
import { emptyDistribution } from '../distribution.ts';
import type { OtlpMetric, OtlpPoint } from '../model.ts';
import { type Cursor, fixed64, tag } from './cursor.ts';
import { readExponential, readHistogram, readSummary } from './distribution-points.ts';
import { type PointDraft, type ReadField, readNumber } from './number-point.ts';

export type PointType = OtlpMetric['type'];

/** Tags of Metric's oneof `data`. */
export const pointTypes: ReadonlyMap<number, PointType> = new Map([
  [42, 'gauge'],
  [58, 'sum'],
  [74, 'histogram'],
  [82, 'exponential_histogram'],
  [90, 'summary'],
]);

/** A data point up to the cursor's end; `metric` says which of the four messages it is. */
export function readPoint(c: Cursor, metric: OtlpMetric): OtlpPoint {
  const distribution = emptyDistribution();
  const point: PointDraft = {
    metric,
    start: 0n,
    time: 0n,
    attributes: [],
    flags: 0,
    exemplars: [],
    value: null,
    distribution: null,
  };
  const readField = fieldReaders[metric.type];
  while (c.pos < c.end) {
    const field = tag(c);
    // 2 start_time_unix_nano and 3 time_unix_nano, fixed64, are the same in all.
    if (field === 17) point.start = fixed64(c);
    else if (field === 25) point.time = fixed64(c);
    else readField(c, field, point, distribution);
  }
  if (metric.type !== 'gauge' && metric.type !== 'sum') point.distribution = distribution;
  return admitPoint(point);
}

const fieldReaders: Readonly<Record<PointType, ReadField>> = {
  gauge: readNumber,
  sum: readNumber,
  histogram: readHistogram,
  exponential_histogram: readExponential,
  summary: readSummary,
};
