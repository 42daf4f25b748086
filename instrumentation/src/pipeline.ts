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
import { boundedLogs, boundedSpans, type QueueBounds } from './bounded-processor.ts';
import type { Environment } from './environment.ts';
import { attempt } from './guard.ts';
import { newCounters, type QueueCounters } from './queue-counters.ts';
import { type ContentLevel, scope } from './runtime.ts';
import { type Sampler, sampledByTask } from './sampling.ts';
import { TaskLogProcessor, TaskSpanProcessor } from './task-processors.ts';

export interface PipelineOptions {
  /** Base URL of the OTLP/HTTP receiver, without `/v1/traces`; else `OTEL_EXPORTER_OTLP_*`, else localhost:4318. */
  readonly endpoint?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** `false`: nothing is exported by OTLP, only your own processors are fed. */
  readonly otlp?: boolean | undefined;
  /** Spans, and log records, that may wait for export: 8,192 of each by default. What does not fit is counted. */
  readonly maxQueueSize?: number | undefined;
  /**
   * Share of the tasks whose spans are sent, from 0 to 1; else `PLUMBLINE_SAMPLE_RATIO`, else 1. A task's id decides, in
   * every process alike; tasks in which something failed or was stopped are sent whole; log records always are.
   */
  readonly sampleRatio?: number | undefined;
  /** `immediate` sends everything as it ends, for functions that are frozen between calls; `batch` by default. */
  readonly exportMode?: 'batch' | 'immediate' | undefined;
}

/** Where finished spans and log records go. */
export interface Pipeline {
  readonly spanProcessors: readonly SpanProcessor[];
  readonly logRecordProcessors: readonly LogRecordProcessor[];
  readonly counters: QueueCounters;
  readonly sampler: Sampler | undefined;
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
  const counters = newCounters();
  const given = { options, env, counters };
  const spans = options.otlp === false ? undefined : spanExport(given, content);
  const logs = options.otlp === false ? undefined : logExport(given);
  const sampler = spans && samplerOf(spans.processor, given);
  const exported = sampler?.processor ?? spans?.processor;
  const spanProcessors = [new TaskSpanProcessor(), ...(exported ? [exported] : [])];
  const logRecordProcessors = [
    new TaskLogProcessor(),
    ...(sampler ? [listening(sampler)] : []),
    ...(logs ? [logs.processor] : []),
  ];
  return {
    spanProcessors,
    logRecordProcessors,
    counters,
    sampler,
    flush: async () => {
      await Promise.allSettled([...spanProcessors, ...logRecordProcessors].map(forceFlush));
      // The batch processors do not wait for a batch that was already on its way.
      await Promise.allSettled([spans, logs].map((sink) => sink?.exporter.forceFlush()));
    },
  };
}

/** What both exports are made of. */
interface Given {
  readonly options: PipelineOptions;
  readonly env: Environment;
  readonly counters: QueueCounters;
}

function samplerOf(next: SpanProcessor, { options, env, counters }: Given): Sampler | undefined {
  const ratio = options.sampleRatio ?? env.sampleRatio ?? 1;
  if (!(ratio < 1)) return undefined;
  const bounds = { maxItems: options.maxQueueSize ?? queueSize, maxContentChars, patienceMs: 0 };
  return sampledByTask(next, ratio, bounds, counters);
}

function listening(sampler: Sampler): LogRecordProcessor {
  const done = (): Promise<void> => Promise.resolve();
  return {
    onEmit: ({ eventName, attributes }) =>
      attempt('sampling.log', () => sampler.heard(eventName, attributes)),
    forceFlush: done,
    shutdown: done,
  };
}

function forceFlush(processor: SpanProcessor | LogRecordProcessor): Promise<void> {
  return processor.forceFlush();
}

function spanExport({ options, env, counters }: Given, content: ContentLevel) {
  if (env.tracesExporter === 'none') return undefined;
  if (env.tracesExporter === 'console') {
    const exporter = new ConsoleSpanExporter();
    return { exporter, processor: new SimpleSpanProcessor({ exporter }) };
  }
  const exporter = new OTLPTraceExporter(exporterOptions(options, 'v1/traces', env));
  // Conversations are big: fewer spans per request keep a request under what receivers accept (64 MiB).
  const defaults = { batch: content === 'full' ? 64 : 512, delayMs: spanDelayMs };
  const { bounds, batch } = limitsOf('OTEL_BSP', options, env, defaults);
  const processor = boundedSpans(
    exporter,
    bounds,
    counters,
    (counting) => new BatchSpanProcessor({ exporter: counting, ...batch }),
  );
  return { exporter, processor };
}

function logExport({ options, env, counters }: Given) {
  if (env.logsExporter === 'none') return undefined;
  if (env.logsExporter === 'console') {
    const exporter = new ConsoleLogRecordExporter();
    const flushed = { forceFlush: () => Promise.resolve() };
    return { exporter: flushed, processor: new SimpleLogRecordProcessor({ exporter }) };
  }
  const exporter = new OTLPLogExporter(exporterOptions(options, 'v1/logs', env));
  const { bounds, batch } = limitsOf('OTEL_BLRP', options, env, {
    batch: 512,
    delayMs: logDelayMs,
  });
  const processor = boundedLogs(
    exporter,
    bounds,
    counters,
    (counting) => new BatchLogRecordProcessor({ exporter: counting, ...batch }),
  );
  return { exporter, processor };
}

function limitsOf(
  prefix: 'OTEL_BSP' | 'OTEL_BLRP',
  { maxQueueSize, exportMode }: PipelineOptions,
  env: Environment,
  defaults: { readonly batch: number; readonly delayMs: number },
) {
  const maxItems = maxQueueSize ?? env.number(`${prefix}_MAX_QUEUE_SIZE`) ?? queueSize;
  const exportTimeoutMillis = env.number(`${prefix}_EXPORT_TIMEOUT`) ?? 30_000;
  const immediate = (exportMode ?? env.exportMode) === 'immediate';
  const delay = env.number(`${prefix}_SCHEDULE_DELAY`) ?? defaults.delayMs;
  const batchSize = env.number(`${prefix}_MAX_EXPORT_BATCH_SIZE`) ?? defaults.batch;
  const bounds: QueueBounds = { maxItems, maxContentChars, patienceMs: exportTimeoutMillis };
  return {
    bounds,
    batch: {
      maxQueueSize: maxItems,
      maxExportBatchSize: Math.min(batchSize, maxItems),
      scheduledDelayMillis: immediate ? 0 : delay,
      exportTimeoutMillis,
    },
  };
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
