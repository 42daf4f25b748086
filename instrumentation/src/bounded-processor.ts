import type { Attributes } from '@opentelemetry/api';
import type { LogRecordExporter, LogRecordProcessor } from '@opentelemetry/sdk-logs';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import { type QueueCounters, watched } from './queue-counters.ts';

/** Bounds of what waits for export. */
export interface QueueBounds {
  /** Spans, or log records. */
  readonly maxItems: number;
  /** Characters of content on the spans that wait. */
  readonly maxContentChars: number;
  /** How long one export may take before what it holds counts as unsent. */
  readonly patienceMs: number;
}

const contentKeys = [
  'gen_ai.input.messages',
  'gen_ai.output.messages',
  'gen_ai.system_instructions',
  'gen_ai.tool.definitions',
  'gen_ai.tool.call.arguments',
  'gen_ai.tool.call.result',
];

/**
 * A batch processor whose memory is bounded, whatever happens to the receiver, and that counts what it drops. The SDK's own
 * drops silently, and counts spans, not bytes: 8,192 spans with whole conversations are gigabytes. `batch` builds it
 * around the counting exporter.
 */
export function boundedSpans(
  exporter: SpanExporter,
  bounds: QueueBounds,
  counters: QueueCounters,
  batch: (exporter: SpanExporter) => SpanProcessor,
): SpanProcessor {
  let spans = 0;
  let chars = 0;
  const inner = batch({
    export: watched<ReadableSpan, Parameters<Parameters<SpanExporter['export']>[1]>[0]>(
      exporter,
      bounds.patienceMs,
      (items, taken) => {
        spans -= items.length;
        for (const { attributes } of items) chars -= contentSize(attributes);
        if (!taken) counters.unsentSpans += items.length;
      },
    ),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  });
  return {
    onStart: (span, at) => inner.onStart(span, at),
    onEnd: (span) => {
      if ((span.spanContext().traceFlags & 1) === 0) return;
      if (spans >= bounds.maxItems) {
        counters.droppedSpans += 1;
        return;
      }
      if (chars + contentSize(span.attributes) > bounds.maxContentChars) {
        counters.strippedSpans += 1;
        for (const key of contentKeys) delete span.attributes[key];
        span.attributes['agent.content.truncated'] = true;
      }
      spans += 1;
      chars += contentSize(span.attributes);
      inner.onEnd(span);
    },
    forceFlush: () => inner.forceFlush(),
    shutdown: () => inner.shutdown(),
  };
}

/** {@link boundedSpans} for log records, which carry no content. */
export function boundedLogs(
  exporter: LogRecordExporter,
  bounds: QueueBounds,
  counters: QueueCounters,
  batch: (exporter: LogRecordExporter) => LogRecordProcessor,
): LogRecordProcessor {
  type Export = Parameters<LogRecordExporter['export']>;
  let records = 0;
  const inner = batch({
    export: watched<Export[0][number], Parameters<Export[1]>[0]>(
      exporter,
      bounds.patienceMs,
      (items, taken) => {
        records -= items.length;
        if (!taken) counters.unsentLogs += items.length;
      },
    ),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  });
  return {
    onEmit: (record, at) => {
      if (records >= bounds.maxItems) {
        counters.droppedLogs += 1;
        return;
      }
      records += 1;
      inner.onEmit(record, at);
    },
    forceFlush: () => inner.forceFlush(),
    shutdown: () => inner.shutdown(),
  };
}

/** Characters of content on a span. */
export function contentSize(attributes: Attributes): number {
  let size = 0;
  for (const key of contentKeys) {
    const value = attributes[key];
    if (typeof value === 'string') size += value.length;
  }
  return size;
}
