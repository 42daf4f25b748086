import type { OtlpLog, OtlpPoint, OtlpSpan } from './model.ts';
import { BadItem } from './refusal.ts';

/** Depth of nested AnyValues, the attribute's own value being 1. */
export const maxDepth = 32;

/**
 * Parts of one request: messages on the wire, or values and members in JSON. A part takes two bytes of a body and 50 to
 * 100 in memory, so 64 MiB could become 3 GB. A full request of ordinary spans has some 1.2 million.
 */
export const maxElements = 4_000_000;

const zeroTraceId = '0'.repeat(32);
const zeroSpanId = '0'.repeat(16);

// Earlier times come from senders that put seconds, milliseconds or microseconds where nanoseconds belong.
const earliest = BigInt(Date.UTC(2000, 0, 1)) * 1_000_000n;
// The last day that fits ClickHouse's `Date` (16 bits): the partition keys are days. DateTime64(9) itself ends in 2262.
const latest = BigInt(Date.UTC(2149, 5, 6)) * 1_000_000n;

/** Refuses a span that cannot be stored as itself: an id that names nothing, a time without a day. */
export function admitSpan(span: OtlpSpan): OtlpSpan {
  if (span.traceId === '' || span.traceId === zeroTraceId) {
    throw new BadItem('trace_id', 'trace id is missing or all zero');
  }
  if (span.spanId === '' || span.spanId === zeroSpanId) {
    throw new BadItem('span_id', 'span id is missing or all zero');
  }
  keyTime(span.start, 'start time');
  storableTime(span.end, 'end time');
  for (const event of span.events) storableTime(event.time, 'event time');
  return span.parentSpanId === zeroSpanId ? { ...span, parentSpanId: '' } : span;
}

/** The same for a log record: its ids may be unset, its time or observed time must be known. */
export function admitLog(log: OtlpLog): OtlpLog {
  storableTime(log.observedTime, 'observed time');
  if (log.time === 0n && log.observedTime === 0n) {
    throw new BadItem('time', 'neither time nor observed time is set');
  }
  keyTime(log.time === 0n ? log.observedTime : log.time, 'time');
  if (log.traceId !== zeroTraceId && log.spanId !== zeroSpanId) return log;
  return {
    ...log,
    traceId: log.traceId === zeroTraceId ? '' : log.traceId,
    spanId: log.spanId === zeroSpanId ? '' : log.spanId,
  };
}

/** Most buckets, quantiles or exemplars of one point; SDKs stop at 160 buckets. */
export const maxPointElements = 4096;

/**
 * The same for a data point. Bucket counts need not fit their bounds: the examples of opentelemetry-proto themselves
 * have three counts for one bound.
 */
export function admitPoint(point: OtlpPoint): OtlpPoint {
  keyTime(point.time, 'time');
  storableTime(point.start, 'start time');
  for (const { time } of point.exemplars) storableTime(time, 'exemplar time');
  return point;
}

export function tooManyElements(): BadItem {
  return new BadItem('buckets', `more than ${maxPointElements} buckets, quantiles or exemplars`);
}

function keyTime(time: bigint, name: string): void {
  if (time === 0n) throw new BadItem('time', `${name} is not set`);
  if (time < earliest) {
    throw new BadItem('time', `${name} is before the year 2000 (is it in nanoseconds?)`);
  }
  storableTime(time, name);
}

function storableTime(time: bigint, name: string): void {
  if (time >= latest) {
    throw new BadItem('time', `${name} is after June 2149 (is it in nanoseconds?)`);
  }
}
