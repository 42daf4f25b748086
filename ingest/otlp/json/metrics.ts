import type { OtlpMetric, OtlpPoint } from '../model.ts';
import { requireName } from '../protobuf/metrics.ts';
import { refuse, type Tally } from '../tally.ts';
import { enumField, type Fields, field, fieldsOf, listField, textField } from './fields.ts';
import { readPoint } from './points.ts';

const temporalities: ReadonlyMap<string, number> = new Map([
  ['AGGREGATION_TEMPORALITY_DELTA', 1],
  ['AGGREGATION_TEMPORALITY_CUMULATIVE', 2],
]);

const types = [
  ['gauge', 'gauge', 'gauge'],
  ['sum', 'sum', 'sum'],
  ['histogram', 'histogram', 'histogram'],
  ['exponentialHistogram', 'exponential_histogram', 'exponential_histogram'],
  ['summary', 'summary', 'summary'],
] as const;

/** Metric: its data points, each refused by itself. */
export function readMetric(from: Fields, items: OtlpPoint[], tally: Tally<OtlpPoint>): void {
  for (const [camel, snake, type] of types) {
    const holder = field(from, camel, snake);
    if (holder === undefined) continue;
    const data = fieldsOf(holder, camel);
    const metric: OtlpMetric = {
      name: textField(from, 'name'),
      description: textField(from, 'description'),
      unit: textField(from, 'unit'),
      type,
      temporality: enumField(
        data,
        'aggregationTemporality',
        'aggregation_temporality',
        temporalities,
      ),
      monotonic: field(data, 'isMonotonic', 'is_monotonic') === true,
    };
    const first = items.length;
    for (const point of listField(data, 'dataPoints', 'data_points')) {
      tally.point += 1;
      try {
        items.push(readPoint(fieldsOf(point, 'data point'), metric));
      } catch (thrown) {
        refuse(tally, thrown);
      }
    }
    requireName(metric, first, items, tally);
    return;
  }
}
