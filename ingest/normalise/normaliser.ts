import xxhash from 'xxhash-wasm';
import type { EvaluationRow } from '../../store/tables/evaluations.ts';
import type { LogRow } from '../../store/tables/logs.ts';
import type { MessageRow } from '../../store/tables/messages.ts';
import type { OutcomeRow } from '../../store/tables/outcomes.ts';
import type { SpanRow } from '../../store/tables/spans.ts';
import type { TaskTraceRow } from '../../store/tables/task-traces.ts';
import type { TraceBoundsRow } from '../../store/tables/trace-bounds.ts';
import type { Batch, OtlpLog, OtlpPoint, OtlpSpan } from '../otlp/model.ts';
import { createBlobs, type Hash, type TracePayload } from './blobs.ts';
import { boundedCache } from './bounded-cache.ts';
import { compile, type Plan } from './compile.ts';
import { createContentReader, noContent, type ReadContent } from './content.ts';
import { type Detected, firstOf } from './conventions.ts';
import { evaluationEvent, evaluationRow } from './evaluation.ts';
import { textAt } from './fields.ts';
import { createFingerprints, type FingerprintInput, type Fingerprints } from './fingerprint.ts';
import { noTaskId, ownTaskId } from './ids.ts';
import { createLogCalls, type ReadLogCall } from './log-call.ts';
import { readLogContent } from './log-content.ts';
import { eventNameOf, logRow, timeOf } from './log-row.ts';
import { builtInMapping, type Mapping } from './mapping.ts';
import { type NormalisedMetrics, normaliseMetrics } from './metric-row.ts';
import { createUsageReader, type ReadUsage } from './metric-usage.ts';
import { createProviderGuess, modelKinds } from './model-name.ts';
import { outcomeEvent, outcomeRow } from './outcome.ts';
import { renderAttributes } from './payload.ts';
import { createResolver, type Resolved, type Resolver } from './resolve.ts';
import { type SharedColumns, spanRow } from './span-row.ts';
import { createTouched } from './touched.ts';
import { attribute, clampNanos, textOf } from './values.ts';

/** A model as it is priced. */
export interface ModelName {
  readonly provider: string;
  readonly model: string;
}

interface Side {
  readonly messages: readonly MessageRow[];
  readonly taskTraces: readonly TaskTraceRow[];
  readonly bounds: readonly TraceBoundsRow[];
  readonly outcomes: readonly OutcomeRow[];
  /** Distinct models of calls with usage. */
  readonly models: readonly ModelName[];
}

export type NormalisedSpans = Side & { readonly spans: readonly SpanRow[] };
export type NormalisedLogs = Side & {
  readonly logs: readonly LogRow[];
  readonly evaluations: readonly EvaluationRow[];
};

/** Turns decoded OTLP into rows. Pure: the same request gives the same rows, whatever came before. */
export interface Normaliser {
  readonly mappingVersion: number;
  normaliseSpans(project: string, batches: readonly Batch<OtlpSpan>[]): NormalisedSpans;
  normaliseLogs(project: string, batches: readonly Batch<OtlpLog>[]): NormalisedLogs;
  normaliseMetrics(project: string, batches: readonly Batch<OtlpPoint>[]): NormalisedMetrics;
}

interface Engine {
  readonly plan: Plan;
  readonly resolver: Resolver;
  readonly fingerprints: (input: FingerprintInput) => Fingerprints;
  readonly guessProvider: (model: string) => string;
  readonly finishReason: (reported: string) => string;
  readonly frameworkOf: (detected: Detected, scope: string) => string;
  readonly exclusiveRanks: readonly number[];
  readonly readLogCall: ReadLogCall;
  readonly readUsage: ReadUsage;
  /** An agent that tells of its calls in log records and metrics too. */
  readonly tellsInLogs: (detected: Detected) => boolean;
  readonly hash: Hash;
}

/** Logfire sends a copy of every span when it starts; the real one follows under another id. */
const isPending = (span: OtlpSpan) =>
  textOf(attribute(span.attributes, 'logfire.span_type') ?? null) === 'pending_span';

function createFrameworkOf(plan: Plan): Engine['frameworkOf'] {
  const named = plan.conventions.ranked.filter((c) => c.convention.framework !== undefined);
  const systems = new Set(plan.mapping.framework_systems);
  const ofScope = boundedCache((scope) => {
    const last = scope.toLowerCase().split(/[./]/).at(-1) ?? '';
    const name = last.replace(/^openinference-instrumentation-/, '').replace(/_v\d+$/, '');
    return systems.has(name) ? name : '';
  });
  return (detected, scope) =>
    named.find((c) => detected[c.rank] === 1)?.convention.framework ?? ofScope(scope);
}

function shared<Item>(engine: Engine, project: string, batch: Batch<Item>): SharedColumns {
  return {
    project,
    mapping_version: engine.plan.mapping.version,
    service: textOf(attribute(batch.resource, 'service.name') ?? null),
    scope_name: batch.scope.name,
    scope_version: batch.scope.version,
    resource: renderAttributes(batch.resource).texts,
  };
}

/** The parts of a span's row; content is read only where an attribute or event holds some. */
function rowOf(
  engine: Engine,
  span: OtlpSpan,
  columns: SharedColumns,
  resolved: Resolved,
  payload: TracePayload,
  readContent: ReadContent,
): SpanRow {
  const { detected, values } = resolved;
  const content =
    resolved.content.length === 0
      ? noContent
      : readContent(resolved.content, span.attributes, payload);
  const fingerprints = engine.fingerprints({
    statedPrompt: textAt(values, 'prompt_fingerprint'),
    statedToolset: textAt(values, 'toolset_fingerprint'),
    system: content.systemText,
    tools: content.toolTexts,
  });
  const { guessProvider, finishReason, hash } = engine;
  return spanRow({
    span,
    shared: columns,
    resolved,
    content,
    fingerprints,
    convention: engine.plan.conventions.ranked[firstOf(detected)]?.convention.id ?? '',
    framework: engine.frameworkOf(detected, columns.scope_name),
    exclusiveUsage: engine.exclusiveRanks.some((rank) => detected[rank] === 1),
    guessProvider,
    finishReason,
    hash,
    payload,
  });
}

function spanOutcomes(engine: Engine, span: OtlpSpan, row: SpanRow, into: OutcomeRow[]): void {
  for (const event of span.events) {
    if (event.name !== outcomeEvent) continue;
    const stated = textOf(attribute(event.attributes, 'agent.task.id') ?? null);
    const own = stated === '' ? noTaskId : ownTaskId([{ id: stated, declared: true }]);
    const place = {
      project: row.project,
      taskId: own.id || (row.task_id_kind === 'declared' ? row.task_id : ''),
      ref: textOf(attribute(event.attributes, 'agent.task.ref') ?? null) || row.task_ref,
      responseId: '',
      traceId: span.traceId,
      spanId: span.spanId,
      time: clampNanos(event.time),
    };
    into.push(outcomeRow(place, event.attributes, engine.hash));
  }
}

function isMetered({ input_tokens, output_tokens }: SpanRow | LogRow): boolean {
  return input_tokens !== null || output_tokens !== null;
}

function noteModel(row: SpanRow | LogRow, models: Map<string, ModelName>): void {
  if (!isMetered(row)) return;
  // Where no call below it reports usage, an agent's own sum is what gets priced.
  if (!modelKinds.has(row.kind) && row.kind !== 'agent') return;
  const model = row.response_model || row.request_model;
  if (model !== '') models.set(`${row.provider}\u0000${model}`, { provider: row.provider, model });
}

function normaliseSpans(
  engine: Engine,
  project: string,
  batches: readonly Batch<OtlpSpan>[],
): NormalisedSpans {
  const spans: SpanRow[] = [];
  const outcomes: OutcomeRow[] = [];
  const models = new Map<string, ModelName>();
  const blobs = createBlobs(project, engine.hash);
  const touched = createTouched(project);
  const readContent = createContentReader(engine.plan);
  for (const batch of batches) {
    const columns = shared(engine, project, batch);
    const context = engine.resolver.batch(batch.scope.name, batch.resource);
    for (const span of batch.items) {
      if (isPending(span)) continue;
      const { name, end, attributes, events } = span;
      const start = clampNanos(span.start);
      const root = span.parentSpanId === '';
      const item = { name, root, start, end, attributes, events, at: 'span' as const };
      const resolved = engine.resolver.item(item, context);
      const row = rowOf(
        engine,
        span,
        columns,
        resolved,
        blobs.at(span.traceId, start),
        readContent,
      );
      spans.push(row);
      touched.note(row.task_id, row.trace_id, start);
      if (row.task_id === '') touched.noteConversation(row.conversation_id, row.trace_id, start);
      noteModel(row, models);
      if (isMetered(row) && engine.tellsInLogs(resolved.detected)) {
        touched.noteCall('spans', row, start);
      }
      spanOutcomes(engine, span, row, outcomes);
    }
  }
  return {
    spans,
    messages: blobs.rows,
    ...touched.rows(),
    outcomes,
    models: [...models.values()],
  };
}

function normaliseLogs(
  engine: Engine,
  project: string,
  batches: readonly Batch<OtlpLog>[],
): NormalisedLogs {
  const logs: LogRow[] = [];
  const outcomes: OutcomeRow[] = [];
  const evaluations: EvaluationRow[] = [];
  const models = new Map<string, ModelName>();
  const blobs = createBlobs(project, engine.hash);
  const touched = createTouched(project);
  const readContent = createContentReader(engine.plan);
  for (const batch of batches) {
    const columns = shared(engine, project, batch);
    const context = engine.resolver.batch(batch.scope.name, batch.resource);
    for (const log of batch.items) {
      const name = eventNameOf(log);
      const time = timeOf(log);
      const { attributes } = log;
      const item = { name, root: false, start: time, end: 0n, attributes, events: [] };
      const resolved = engine.resolver.item({ ...item, at: 'log' }, context);
      const content = readLogContent(engine.plan, log, name, readContent, () =>
        blobs.at(log.traceId, time),
      );
      const exclusive = engine.exclusiveRanks.some((rank) => resolved.detected[rank] === 1);
      const call = engine.readLogCall(log, name, resolved, exclusive);
      const inSession = call.kind !== '' || engine.tellsInLogs(resolved.detected);
      const row = logRow(log, columns, resolved, name, engine.hash, content, call, inSession);
      logs.push(row);
      if (modelKinds.has(row.kind)) {
        noteModel(row, models);
        if (isMetered(row)) touched.noteCall('logs', row, time);
      }
      touched.note(row.task_id, row.trace_id, time);
      if (row.task_id === '') touched.noteConversation(row.conversation_id, row.trace_id, time);
      if (name !== outcomeEvent && name !== evaluationEvent) continue;
      const place = {
        project,
        taskId: row.task_id_kind === 'declared' ? row.task_id : '',
        ref: textAt(resolved.values, 'task_ref'),
        responseId: textAt(resolved.values, 'response_id'),
        traceId: log.traceId,
        spanId: log.spanId,
        time,
      };
      if (name === outcomeEvent) outcomes.push(outcomeRow(place, attributes, engine.hash));
      else evaluations.push(evaluationRow(place, columns.service, attributes, engine.hash));
    }
  }
  return {
    logs,
    messages: blobs.rows,
    ...touched.rows(),
    outcomes,
    evaluations,
    models: [...models.values()],
  };
}

/**
 * Compiles a mapping, the built-in one by default, into a normaliser. Throws where the mapping names an unknown
 * convention or transform.
 */
export async function createNormaliser(mapping: Mapping = builtInMapping()): Promise<Normaliser> {
  const { h64 } = await xxhash();
  const hash: Hash = (text) => h64(text);
  const plan = compile(mapping);
  const guessProvider = createProviderGuess(mapping);
  const sessionRanks = mapping.session_tasks.map(plan.conventions.rankOf);
  const engine: Engine = {
    plan,
    resolver: createResolver(plan),
    fingerprints: createFingerprints(hash),
    guessProvider,
    finishReason: (reported) => {
      const name = reported.toLowerCase();
      return Object.hasOwn(mapping.finish_reasons, name)
        ? (mapping.finish_reasons[name] ?? name)
        : name;
    },
    frameworkOf: createFrameworkOf(plan),
    exclusiveRanks: plan.conventions.ranked
      .filter((c) => c.convention.usage === 'exclusive')
      .map((c) => c.rank),
    readLogCall: createLogCalls(mapping, plan.conventions.rankOf, guessProvider),
    readUsage: createUsageReader(mapping),
    tellsInLogs: (detected) => sessionRanks.some((rank) => detected[rank] === 1),
    hash,
  };
  return {
    mappingVersion: mapping.version,
    normaliseSpans: (project, batches) => normaliseSpans(engine, project, batches),
    normaliseLogs: (project, batches) => normaliseLogs(engine, project, batches),
    normaliseMetrics: (project, batches) =>
      normaliseMetrics({ ...engine, mappingVersion: mapping.version }, project, batches),
  };
}
