import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';

/** Bounds of what waits for export, in spans and in characters of content. */
export interface QueueBounds {
  readonly maxSpans: number;
  readonly maxContentChars: number;
}

export interface QueueCounters {
  /** Spans that were not queued because the queue was full. */
  droppedSpans: number;
  /** Spans that were sent without their content because too much of it was waiting. */
  strippedSpans: number;
}

/** A batch processor whose memory is bounded, whatever happens to the receiver, and that counts what it drops. */
export interface BoundedQueue {
  readonly processor: SpanProcessor;
  readonly counters: QueueCounters;
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
 * The SDK's batch processor drops silently, and counts spans, not bytes: 8,192 spans with whole conversations are
 * gigabytes. `batch` builds it around the counting exporter.
 */
export function boundedQueue(
  exporter: SpanExporter,
  bounds: QueueBounds,
  batch: (exporter: SpanExporter) => SpanProcessor,
): BoundedQueue {
  const counters: QueueCounters = { droppedSpans: 0, strippedSpans: 0 };
  let spans = 0;
  let chars = 0;
  const counting: SpanExporter = {
    export: (batched, done) => {
      const size = batched.reduce((sum, span) => sum + contentSize(span.attributes), 0);
      let counted = false;
      const sent: typeof done = (result) => {
        if (!counted) {
          counted = true;
          spans -= batched.length;
          chars -= size;
        }
        done(result);
      };
      exporter.export(batched, sent);
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
  const inner = batch(counting);
  const onEnd = (span: ReadableSpan): void => {
    if ((span.spanContext().traceFlags & 1) === 0) return;
    if (spans >= bounds.maxSpans) {
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
  };
  return {
    counters,
    processor: {
      onStart: (span, at) => inner.onStart(span, at),
      onEnd,
      forceFlush: () => inner.forceFlush(),
      shutdown: () => inner.shutdown(),
    },
  };
}

function contentSize(attributes: Attributes): number {
  let size = 0;
  for (const key of contentKeys) {
    const value = attributes[key];
    if (typeof value === 'string') size += value.length;
  }
  return size;
}
