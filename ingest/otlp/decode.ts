import * as json from './json/envelope.ts';
import { readLog as readJsonLog } from './json/logs.ts';
import { readMetric as readJsonMetric } from './json/metrics.ts';
import { readSpan as readJsonSpan } from './json/spans.ts';
import type { Decoded, OtlpLog, OtlpPoint, OtlpSpan } from './model.ts';
import * as protobuf from './protobuf/envelope.ts';
import { readLog } from './protobuf/logs.ts';
import { readMetric } from './protobuf/metrics.ts';
import { readSpan } from './protobuf/spans.ts';
import { logLists, metricLists, type ReadItems, spanLists } from './tally.ts';

export type Encoding = 'protobuf' | 'json';

/**
 * Decodes an ExportTraceServiceRequest (not compressed). Spans that cannot be stored are counted in `rejected`, their
 * neighbours kept.
 *
 * @throws BadRequest when the body as a whole cannot be read.
 */
export function decodeTraces(body: Uint8Array, encoding: Encoding): Decoded<OtlpSpan> {
  return encoding === 'protobuf'
    ? protobuf.readRequest(body, spanLists, one(readSpan))
    : json.readRequest(body, spanLists, one(readJsonSpan));
}

/**
 * Decodes an ExportLogsServiceRequest, as {@link decodeTraces} does for traces.
 *
 * @throws BadRequest when the body as a whole cannot be read.
 */
export function decodeLogs(body: Uint8Array, encoding: Encoding): Decoded<OtlpLog> {
  return encoding === 'protobuf'
    ? protobuf.readRequest(body, logLists, one(readLog))
    : json.readRequest(body, logLists, one(readJsonLog));
}

/**
 * Decodes an ExportMetricsServiceRequest into its data points, as {@link decodeTraces} does for traces.
 *
 * @throws BadRequest when the body as a whole cannot be read.
 */
export function decodeMetrics(body: Uint8Array, encoding: Encoding): Decoded<OtlpPoint> {
  return encoding === 'protobuf'
    ? protobuf.readRequest(body, metricLists, readMetric)
    : json.readRequest(body, metricLists, readJsonMetric);
}

function one<Source, Item>(read: (from: Source) => Item): ReadItems<Source, Item> {
  return (from, items) => {
    items.push(read(from));
  };
}
