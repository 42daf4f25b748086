import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { expect, it } from 'vitest';
import { boundedQueue, type QueueBounds } from './bounded-processor.ts';

/** An exporter that hangs until it is told to go on. */
function slowExporter() {
  const sent: ReadableSpan[] = [];
  const waiting: (() => void)[] = [];
  const exporter: SpanExporter = {
    export: (spans, done) => {
      waiting.push(() => {
        sent.push(...spans);
        done({ code: 0 });
      });
    },
    shutdown: () => Promise.resolve(),
  };
  return { exporter, sent, release: () => waiting.splice(0).forEach((go) => void go()) };
}

function queueOf(exporter: SpanExporter, bounds: QueueBounds) {
  const queue = boundedQueue(
    exporter,
    bounds,
    (counting) =>
      new BatchSpanProcessor({
        exporter: counting,
        maxQueueSize: bounds.maxSpans,
        maxExportBatchSize: 4,
        scheduledDelayMillis: 1,
      }),
  );
  const provider = new TracerProvider({ spanProcessors: [queue.processor] });
  const tracer = provider.getTracer('test');
  const end = (count: number, attributes = {}): void => {
    for (let index = 0; index < count; index += 1) {
      tracer.startSpan(`s${index}`, { attributes }).end();
    }
  };
  return { ...queue, end };
}

it('drops and counts what does not fit, and takes more once some was sent', async () => {
  const { exporter, sent, release } = slowExporter();
  const { counters, end, processor } = queueOf(exporter, { maxSpans: 10, maxContentChars: 1e6 });
  end(25);
  expect(counters.droppedSpans).toBe(15);
  const flushed = processor.forceFlush();
  release();
  await new Promise((resolve) => setImmediate(resolve));
  release();
  await flushed;
  expect(sent).toHaveLength(10);
  end(3);
  expect(counters.droppedSpans).toBe(15);
});

it('sends spans without their content when too much of it waits', () => {
  const { exporter } = slowExporter();
  const bounds = { maxSpans: 100, maxContentChars: 25 };
  const { counters, end } = queueOf(exporter, bounds);
  end(5, { 'gen_ai.input.messages': '0123456789', 'gen_ai.request.model': 'm' });
  expect(counters).toEqual({ droppedSpans: 0, strippedSpans: 3 });
});
