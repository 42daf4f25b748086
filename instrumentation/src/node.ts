import { context, diag, propagation, trace } from '@opentelemetry/api';
import { LoggerProvider, type LogRecordProcessor } from '@opentelemetry/sdk-logs';
import { NodeSDK, type NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { subscribeAdapters } from './adapters/subscribe.ts';
import type { ApprovalPolicy } from './approval-policy.ts';
import type { Budget } from './budget.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { flushOnExit } from './exit.ts';
import { installFetch, removeFetch } from './fetch/install.ts';
import { attempt } from './guard.ts';
import { loggerProvider, removeLoggerProvider, setLoggerProvider } from './logs-api.ts';
import { createPipeline, type Pipeline, type PipelineOptions } from './pipeline.ts';
import { loadPrices, type Price } from './price.ts';
import { newCounters, type QueueCounters } from './queue-counters.ts';
import {
  type ContentLevel,
  defaults,
  type Guards,
  type Redact,
  runtime,
  scope,
} from './runtime.ts';

export interface RegisterOptions extends PipelineOptions {
  /** `service.name`; else `OTEL_SERVICE_NAME`. */
  readonly serviceName?: string | undefined;
  /** Further resource attributes, like `service.version` or `deployment.environment.name`. */
  readonly resourceAttributes?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** How much content is recorded; `metadata` (hashes, names, sizes) by default. */
  readonly content?: ContentLevel | undefined;
  readonly redact?: Redact | undefined;
  /** Longest content attribute in characters, 262,144 by default. */
  readonly maxContentChars?: number | undefined;
  /** Salt of all hashes, the same in all processes of a project; else `PLUMBLINE_HASH_SALT`. */
  readonly hashSalt?: string | undefined;
  /** More processors, fed beside the OTLP export. */
  readonly spanProcessors?: readonly SpanProcessor[] | undefined;
  readonly logRecordProcessors?: readonly LogRecordProcessor[] | undefined;
  readonly instrumentations?: NodeSDKConfiguration['instrumentations'] | undefined;
  readonly sampler?: NodeSDKConfiguration['sampler'] | undefined;
  /** For every task that brings no budget of its own. */
  readonly budget?: Budget | undefined;
  /** Cost of a call for `usd` budgets; by default `@pydantic/genai-prices`, when it is installed. */
  readonly price?: Price | undefined;
  /** Asked before risky tools run. */
  readonly approvals?: ApprovalPolicy | undefined;
  /** Flush before the process ends; `true` by default. */
  readonly flushOnExit?: boolean | undefined;
}

export interface Stats extends Readonly<QueueCounters> {
  /** Failures inside the instrumentation, by step. */
  readonly failures: Readonly<Record<string, number>>;
}

export interface Handle {
  /** Sends what has ended so far. Never rejects. */
  flush(): Promise<void>;
  /** Ends open spans, flushes, and stops recording. Never rejects. */
  shutdown(): Promise<void>;
  stats(): Stats;
}

const registered = Symbol.for('plumbline.registered');

/** Whether this process is registered, by any copy of this package. */
export function isRegistered(): boolean {
  return (globalThis as { [registered]?: Handle | undefined })[registered] !== undefined;
}

/**
 * Starts the OpenTelemetry SDK with export to Plumbline, and the capture of model calls. Once per process: a second call
 * gives the first handle. Never throws; what cannot be set up is told to `diag`.
 */
export function register(options: RegisterOptions = {}): Handle {
  const holder = globalThis as { [registered]?: Handle | undefined };
  const present = holder[registered];
  if (present) {
    diag.warn(`${scope.name}: already registered; the first registration stays`);
    return present;
  }
  let handle = inert;
  attempt('register', () => {
    const env = readEnvironment();
    if (!env.disabled) handle = start(options, env, () => delete holder[registered]);
  });
  holder[registered] = handle;
  return handle;
}

/**
 * The processors that `register` would use, for an SDK that you set up yourself:
 * `new NodeSDK({ spanProcessors: plumbline.spanProcessors, logRecordProcessors: plumbline.logRecordProcessors })`.
 */
export function processors(options: PipelineOptions & { content?: ContentLevel } = {}): Pipeline {
  const env = readEnvironment();
  return createPipeline(options, options.content ?? env.content ?? defaults.content, env);
}

function start(options: RegisterOptions, env: Environment, released: () => void): Handle {
  const content = options.content ?? env.content ?? defaults.content;
  runtime().failures.clear();
  runtime().settings = {
    content,
    redact: options.redact,
    maxContentChars: options.maxContentChars ?? defaults.maxContentChars,
    hashSalt: options.hashSalt ?? env.hashSalt ?? defaults.hashSalt,
  };
  const { budget, price, approvals } = options;
  const guards: Guards = { budget, price, approvals };
  runtime().guards = guards;
  if (!price) {
    void loadPrices().then((loaded) => {
      guards.price = loaded;
    });
  }
  // Anthropic's SDK would send our trace ids and baggage to the provider.
  process.env['ANTHROPIC_OPEN_TELEMETRY_PROPAGATION'] ??= 'false';
  const pipeline = createPipeline(options, content, env);
  const providers = hasTracerProvider()
    ? joinProvider(pipeline, options)
    : startSdk(pipeline, options, env);
  installFetch();
  const unsubscribe = subscribeAdapters();
  const flush = async (): Promise<void> => {
    await pipeline.flush();
    await Promise.allSettled(extra(options).map((processor) => processor.forceFlush()));
  };
  const flushLast = (): Promise<void> => {
    pipeline.sampler?.release();
    return flush();
  };
  const stopExit = options.flushOnExit === false ? undefined : flushOnExit(flushLast);
  Object.assign(runtime(), { flush, keeps: pipeline.sampler?.keeps });
  return {
    flush,
    shutdown: async () => {
      stopExit?.();
      removeFetch();
      unsubscribe();
      for (const name of ['guards', 'flush', 'keeps'] as const) delete runtime()[name];
      for (const end of runtime().openCalls) end();
      pipeline.sampler?.release();
      await flush();
      await Promise.allSettled([providers()]);
      released();
    },
    stats: () => ({ ...pipeline.counters, failures: Object.fromEntries(runtime().failures) }),
  };
}

function extra(options: RegisterOptions): readonly (SpanProcessor | LogRecordProcessor)[] {
  return [...(options.spanProcessors ?? []), ...(options.logRecordProcessors ?? [])];
}

type Shutdown = () => Promise<void>;

function startSdk(pipeline: Pipeline, options: RegisterOptions, env: Environment): Shutdown {
  const { serviceName, instrumentations, sampler } = options;
  const attributes = {
    ...options.resourceAttributes,
    ...(serviceName && { 'service.name': serviceName }),
  };
  const sdk = new NodeSDK({
    // The SDK's default detectors would send the command line, which may hold secrets.
    ...(env.detectors === undefined && {
      resourceDetectors: [{ detect: () => ({ attributes: { ...env.resource, ...attributes } }) }],
    }),
    ...(serviceName && { serviceName }),
    ...(instrumentations && { instrumentations }),
    ...(sampler && { sampler }),
    metricReaders: [],
    spanProcessors: [...pipeline.spanProcessors, ...(options.spanProcessors ?? [])],
    logRecordProcessors: [...pipeline.logRecordProcessors, ...(options.logRecordProcessors ?? [])],
  });
  sdk.start();
  return async () => {
    await sdk.shutdown();
    // So that a later register() finds the process as it was.
    for (const api of [trace, context, propagation]) api.disable();
    removeLoggerProvider();
  };
}

/** Another SDK owns the process: a second tracer provider would never be used, so what can be added is added. */
function joinProvider(pipeline: Pipeline, options: RegisterOptions): Shutdown {
  const provider = trace.getTracerProvider() as ProxyProvider;
  const delegate = provider.getDelegate?.() ?? provider;
  const added = [...pipeline.spanProcessors, ...(options.spanProcessors ?? [])];
  if (canAdd(delegate)) for (const processor of added) delegate.addSpanProcessor(processor);
  else {
    diag.warn(
      `${scope.name}: a TracerProvider is registered and takes no processors; spans go where it sends them. ` +
        'Give it those of processors() from @plumbline/instrumentation/node to have them here.',
    );
  }
  if (loggerProvider()) {
    diag.warn(`${scope.name}: a LoggerProvider is registered; task states go where it sends them.`);
    return () => Promise.resolve();
  }
  const loggers = new LoggerProvider({
    processors: [...pipeline.logRecordProcessors, ...(options.logRecordProcessors ?? [])],
  });
  setLoggerProvider(loggers);
  return () => loggers.shutdown();
}

interface OpenProvider {
  addSpanProcessor(processor: SpanProcessor): void;
}

function canAdd(provider: unknown): provider is OpenProvider {
  return (
    typeof provider === 'object' &&
    provider !== null &&
    'addSpanProcessor' in provider &&
    typeof provider.addSpanProcessor === 'function'
  );
}

interface ProxyProvider {
  readonly getDelegate?: () => unknown;
  readonly getDelegateTracer?: (name: string) => unknown;
}

/** The API's global provider is a proxy; without a delegate nobody has registered one. */
function hasTracerProvider(): boolean {
  const provider = trace.getTracerProvider() as ProxyProvider;
  return !provider.getDelegateTracer || provider.getDelegateTracer(scope.name) !== undefined;
}

const inert: Handle = {
  flush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
  stats: () => ({ ...newCounters(), failures: Object.fromEntries(runtime().failures) }),
};
