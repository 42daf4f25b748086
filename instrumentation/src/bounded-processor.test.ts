import {
  BatchLogRecordProcessor,
  InMemoryLogRecordExporter,
  LoggerProvider,
  type LogRecordExporter,
} from '@opentelemetry/sdk-logs';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, expect, it, vi } from 'vitest';
import { boundedLogs, boundedSpans } from './bounded-processor.ts';
import { newCounters } from './queue-counters.ts';

afterEach(() => vi.useRealTimers());

/** An exporter that hangs until it is told to go on, and how. */
function slowExporter() {
  const sent: ReadableSpan[] = [];
  const waiting: ((code: number) => void)[] = [];
  const exporter: SpanExporter = {
    export: (spans, done) => {
      waiting.push((code) => {
        if (code === 0) sent.push(...spans);
        done({ code });
      });
    },
    shutdown: () => Promise.resolve(),
  };
  const release = (code = 0): void => waiting.splice(0).forEach((go) => void go(code));
  return { exporter, sent, release };
}

const roomy = { maxItems: 100, maxContentChars: 1e6, patienceMs: 30_000 };

function queueOf(exporter: SpanExporter, bounds: typeof roomy) {
  const counters = newCounters();
  const processor = boundedSpans(
    exporter,
    bounds,
    counters,
    (counting) =>
      new BatchSpanProcessor({
        exporter: counting,
        maxQueueSize: bounds.maxItems,
        maxExportBatchSize: 4,
        scheduledDelayMillis: 1,
      }),
  );
  const tracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('test');
  const end = (count: number, attributes = {}): void => {
    for (let index = 0; index < count; index += 1) {
      tracer.startSpan(`s${index}`, { attributes }).end();
    }
  };
  return { processor, counters, end };
}

it('drops and counts what does not fit, and takes more once some was sent', async () => {
  const { exporter, sent, release } = slowExporter();
  const { counters, end, processor } = queueOf(exporter, { ...roomy, maxItems: 10 });
  end(25);
  expect(counters.droppedSpans).toBe(15);
  const flushed = processor.forceFlush();
  release();
  await new Promise((resolve) => setImmediate(resolve));
  release();
  await flushed;
  expect(sent).toHaveLength(10);
  end(3);
  expect(counters).toEqual({ ...newCounters(), droppedSpans: 15 });
});

it('sends spans without their content when too much of it waits', () => {
  const { exporter } = slowExporter();
  const { counters, end } = queueOf(exporter, { ...roomy, maxContentChars: 25 });
  end(5, { 'gen_ai.input.messages': '0123456789', 'gen_ai.request.model': 'm' });
  expect(counters).toEqual({ ...newCounters(), strippedSpans: 3 });
});

it('counts what a receiver refuses, and has room for more', async () => {
  const { exporter, release } = slowExporter();
  const { counters, end, processor } = queueOf(exporter, { ...roomy, maxItems: 4 });
  end(4);
  const flushed = processor.forceFlush().catch(() => undefined);
  release(1);
  await flushed;
  end(4);
  expect(counters).toEqual({ ...newCounters(), unsentSpans: 4 });
});

it('gives a receiver up that never answers, and has room for more', async () => {
  vi.useFakeTimers();
  const { exporter } = slowExporter();
  const { counters, end, processor } = queueOf(exporter, { ...roomy, maxItems: 4 });
  end(4);
  void processor.forceFlush().catch(() => undefined);
  await vi.advanceTimersByTimeAsync(29_000);
  end(1);
  expect(counters).toEqual({ ...newCounters(), droppedSpans: 1 });
  await vi.advanceTimersByTimeAsync(1_000);
  end(4);
  expect(counters).toEqual({ ...newCounters(), droppedSpans: 1, unsentSpans: 4 });
});

it('does the same with log records', async () => {
  const memory = new InMemoryLogRecordExporter();
  let code = 0;
  const exporter: LogRecordExporter = {
    export: (records, done) =>
      code === 0 ? memory.export(records, done) : done({ code, error: new Error('refused') }),
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const counters = newCounters();
  const processor = boundedLogs(
    exporter,
    { ...roomy, maxItems: 3 },
    counters,
    (counting) =>
      new BatchLogRecordProcessor({
        exporter: counting,
        maxQueueSize: 3,
        maxExportBatchSize: 3,
        scheduledDelayMillis: 60_000,
      }),
  );
  const logger = new LoggerProvider({ processors: [processor] }).getLogger('t');
  for (let count = 0; count < 5; count += 1) logger.emit({ body: String(count) });
  await processor.forceFlush();
  expect(memory.getFinishedLogRecords().map(({ body }) => body)).toEqual(['0', '1', '2']);
  code = 1;
  logger.emit({ body: 'late' });
  await processor.forceFlush();
  expect(counters).toEqual({ ...newCounters(), droppedLogs: 2, unsentLogs: 1 });
});
