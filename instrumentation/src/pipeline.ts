import { diag } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  BatchLogRecordProcessor,
  ConsoleLogRecordExporter,
  type LogRecordProcessor,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import {
  BatchSpanProcessor,
  ConsoleSpanExporter,
  SimpleSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { boundedQueue, type QueueCounters } from './bounded-processor.ts';
import type { Environment } from './environment.ts';
import { type ContentLevel, scope } from './runtime.ts';
import { TaskLogProcessor, TaskSpanProcessor } from './task-processors.ts';

export interface PipelineOptions {
  /** Base URL of the OTLP/HTTP receiver, without `/v1/traces`; else `OTEL_EXPORTER_OTLP_*`, else localhost:4318. */
  readonly endpoint?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** `false`: nothing is exported by OTLP, only your own processors are fed. */
  readonly otlp?: boolean | undefined;
  readonly maxQueueSize?: number | undefined;
}

/** Where finished spans and log records go. */
export interface Pipeline {
  readonly spanProcessors: readonly SpanProcessor[];
  readonly logRecordProcessors: readonly LogRecordProcessor[];
  readonly counters: QueueCounters;
  /** Sends everything that has ended, waits for it, and never rejects. */
  readonly flush: () => Promise<void>;
}

const queueSize = 8_192;
const maxContentChars = 67_108_864;
/** States are for being seen while they last: short enough to be live, long enough to batch a burst. */
const logDelayMs = 50;
const spanDelayMs = 1_000;

export function createPipeline(
  options: PipelineOptions,
  content: ContentLevel,
  env: Environment,
): Pipeline {
  if (env.protocol && env.protocol !== 'http/json') {
    diag.info(`${scope.name}: sends OTLP as http/json; ${env.protocol} is not used`);
  }
  const spans = options.otlp === false ? undefined : spanExport(options, content, env);
  const logs = options.otlp === false ? undefined : logExport(options, env);
  const spanProcessors = [new TaskSpanProcessor(), ...(spans ? [spans.processor] : [])];
  const logRecordProcessors = [new TaskLogProcessor(), ...(logs ? [logs.processor] : [])];
  return {
    spanProcessors,
    logRecordProcessors,
    counters: spans?.counters ?? { droppedSpans: 0, strippedSpans: 0 },
    flush: async () => {
      await Promise.allSettled([...spanProcessors, ...logRecordProcessors].map(forceFlush));
      // The batch processors do not wait for a batch that was already on its way.
      await Promise.allSettled([spans, logs].map((sink) => sink?.exporter.forceFlush()));
    },
  };
}

function forceFlush(processor: SpanProcessor | LogRecordProcessor): Promise<void> {
  return processor.forceFlush();
}

function spanExport(options: PipelineOptions, content: ContentLevel, env: Environment) {
  const counters: QueueCounters = { droppedSpans: 0, strippedSpans: 0 };
  if (env.tracesExporter === 'none') return undefined;
  if (env.tracesExporter === 'console') {
    const exporter = new ConsoleSpanExporter();
    return { exporter, processor: new SimpleSpanProcessor({ exporter }), counters };
  }
  const exporter = new OTLPTraceExporter(exporterOptions(options, 'v1/traces', env));
  const maxSpans = options.maxQueueSize ?? env.number('OTEL_BSP_MAX_QUEUE_SIZE') ?? queueSize;
  // Conversations are big: fewer spans per request keep a request under what receivers accept (64 MiB).
  const batchSize = env.number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE') ?? (content === 'full' ? 64 : 512);
  const queue = boundedQueue(
    exporter,
    { maxSpans, maxContentChars },
    (counting) =>
      new BatchSpanProcessor({
        exporter: counting,
        maxQueueSize: maxSpans,
        maxExportBatchSize: Math.min(batchSize, maxSpans),
        scheduledDelayMillis: env.number('OTEL_BSP_SCHEDULE_DELAY') ?? spanDelayMs,
        exportTimeoutMillis: env.number('OTEL_BSP_EXPORT_TIMEOUT') ?? 30_000,
      }),
  );
  return { exporter, processor: queue.processor, counters: queue.counters };
}

function logExport(options: PipelineOptions, env: Environment) {
  if (env.logsExporter === 'none') return undefined;
  if (env.logsExporter === 'console') {
    const exporter = new ConsoleLogRecordExporter();
    const flushed = { forceFlush: () => Promise.resolve() };
    return { exporter: flushed, processor: new SimpleLogRecordProcessor({ exporter }) };
  }
  const exporter = new OTLPLogExporter(exporterOptions(options, 'v1/logs', env));
  const processor = new BatchLogRecordProcessor({
    exporter,
    maxQueueSize: env.number('OTEL_BLRP_MAX_QUEUE_SIZE') ?? queueSize,
    maxExportBatchSize: env.number('OTEL_BLRP_MAX_EXPORT_BATCH_SIZE') ?? 512,
    scheduledDelayMillis: env.number('OTEL_BLRP_SCHEDULE_DELAY') ?? logDelayMs,
    exportTimeoutMillis: env.number('OTEL_BLRP_EXPORT_TIMEOUT') ?? 30_000,
  });
  return { exporter, processor };
}

type ExporterOptions = NonNullable<ConstructorParameters<typeof OTLPTraceExporter>[0]>;

function exporterOptions(
  { endpoint, headers }: PipelineOptions,
  path: string,
  env: Environment,
): ExporterOptions {
  const gzip = 'gzip' as NonNullable<ExporterOptions['compression']>;
  return {
    ...(endpoint && { url: `${endpoint.replace(/\/+$/, '')}/${path}` }),
    ...(headers && { headers: { ...headers } }),
    ...(env.compression === undefined && { compression: gzip }),
  };
}
