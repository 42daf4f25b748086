import type { Pair } from '../../store/prices/ensure.ts';
import type { MetricHistogramRow } from '../../store/tables/metrics-histogram.ts';
import type { MetricNumberRow, MetricPointRow } from '../../store/tables/metrics-number.ts';
import type { TaskTraceRow } from '../../store/tables/task-traces.ts';
import type { Attribute, Batch, OtlpDistribution, OtlpPoint } from '../otlp/model.ts';
import type { Hash } from './blobs.ts';
import { textAt } from './fields.ts';
import { loneTaskId } from './ids.ts';
import type { ReadUsage, UsageColumns } from './metric-usage.ts';
import { renderAttributes } from './payload.ts';
import type { Resolved, Resolver } from './resolve.ts';
import { createTouched } from './touched.ts';
import { attribute, clampNanos, codeOf, textOf } from './values.ts';

export interface NormalisedMetrics {
  readonly numbers: readonly MetricNumberRow[];
  readonly histograms: readonly MetricHistogramRow[];
  readonly taskTraces: readonly TaskTraceRow[];
  /** Distinct models with usage. */
  readonly models: readonly Pair[];
}

/** What normalising metrics needs of the normaliser. */
export interface MetricEngine {
  readonly resolver: Resolver;
  readonly hash: Hash;
  readonly mappingVersion: number;
  readonly readUsage: ReadUsage;
  readonly guessProvider: (model: string) => string;
}

/** By OTLP's number. */
export const temporalities = ['unspecified', 'delta', 'cumulative'];

/** Data points as rows, with what their attributes say of tasks and agents. */
export function normaliseMetrics(
  engine: MetricEngine,
  project: string,
  batches: readonly Batch<OtlpPoint>[],
): NormalisedMetrics {
  const numbers: MetricNumberRow[] = [];
  const histograms: MetricHistogramRow[] = [];
  const touched = createTouched(project);
  const models = new Map<string, Pair>();
  for (const batch of batches) {
    const { scope, resource } = batch;
    const context = engine.resolver.batch(scope.name, resource);
    const shared = {
      project,
      mapping_version: engine.mappingVersion,
      service: textOf(attribute(resource, 'service.name') ?? null),
      scope_name: scope.name,
      scope_version: scope.version,
      resource: renderAttributes(resource).texts,
    };
    const source = [identityOf(resource), scope.name, scope.version, identityOf(scope.attributes)];
    for (const point of batch.items) {
      const { attributes, metric } = point;
      const time = clampNanos(point.time);
      const item = { name: metric.name, root: false, start: time, end: 0n, attributes, events: [] };
      const resolved = engine.resolver.item({ ...item, at: 'log' }, context);
      const usage = engine.readUsage(point, resolved, engine.guessProvider);
      const row = {
        ...shared,
        ...pointColumns(engine, point, source),
        ...taskColumns(resolved, usage.usage !== ''),
        ...usage,
      };
      noteModel(usage, models);
      if (point.distribution === null) numbers.push({ ...row, ...valueColumns(point.value) });
      else histograms.push({ ...row, ...distributionColumns(point.distribution) });
      // A cumulative series comes again at every interval for as long as its process lives; where it says nothing of
      // usage, deriving its task as often would be for nothing. Its task id is in the row.
      if (row.temporality !== 'cumulative' || row.usage !== '') touched.note(row.task_id, '', time);
    }
  }
  const { taskTraces } = touched.rows();
  return { numbers, histograms, taskTraces, models: [...models.values()] };
}

function noteModel({ provider, model }: UsageColumns, models: Map<string, Pair>): void {
  if (model !== '') models.set(`${provider}\u0000${model}`, { provider, model });
}

/** Attributes as a list that does not depend on their order, with their types: `1` and `'1'` are two series. */
function identityOf(attributes: readonly Attribute[]): unknown[] {
  return attributes
    .map(({ key, value }) => [key, codeOf(value), textOf(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
}

function pointColumns(engine: MetricEngine, point: OtlpPoint, source: readonly unknown[]) {
  const { metric, attributes, exemplars } = point;
  const { name, description, unit, type } = metric;
  const temporality = temporalities[metric.temporality] ?? 'unspecified';
  const monotonic = metric.monotonic ? 1 : 0;
  const { texts, types } = renderAttributes(attributes);
  const series = [source, name, unit, type, temporality, monotonic, identityOf(attributes)];
  return {
    name,
    series: engine.hash(JSON.stringify(series)),
    start: clampNanos(point.start),
    time: clampNanos(point.time),
    ver: versionOf(engine, point),
    type,
    unit,
    description,
    temporality,
    monotonic,
    flags: point.flags,
    attributes: texts,
    attribute_types: types,
    'exemplars.time': exemplars.map(({ time }) => clampNanos(time)),
    'exemplars.value': exemplars.map(({ value }) => value),
    'exemplars.trace_id': exemplars.map(({ traceId }) => traceId),
    'exemplars.span_id': exemplars.map(({ spanId }) => spanId),
    'exemplars.attributes': exemplars.map((one) => renderAttributes(one.attributes).texts),
  } satisfies Partial<MetricPointRow>;
}

/**
 * Of two points that differ under one identity the same one wins in any order: newer mapping (11 bits), then hash of
 * the content (52). There is no telling which of them is right.
 */
function versionOf({ hash, mappingVersion }: MetricEngine, point: OtlpPoint): bigint {
  const { value, distribution, flags, exemplars } = point;
  const content = JSON.stringify([value, distribution, flags, exemplars.length], (_, part) =>
    typeof part === 'bigint' ? `${part}n` : part,
  );
  return (BigInt(mappingVersion) << 52n) | (hash(content) & ((1n << 52n) - 1n));
}

function taskColumns(resolved: Resolved, inSession: boolean) {
  const { values } = resolved;
  const task = loneTaskId(resolved.task, '', inSession ? textAt(values, 'conversation_id') : '');
  return {
    task_id: task.id,
    task_id_kind: task.kind,
    workflow: textAt(values, 'workflow_name'),
    agent_name: textAt(values, 'agent_name'),
    conversation_id: textAt(values, 'conversation_id'),
    user_id: textAt(values, 'user_id'),
    environment: textAt(values, 'environment'),
    release: textAt(values, 'release'),
  };
}

function valueColumns(value: OtlpPoint['value']) {
  return {
    value: value === null ? null : Number(value),
    value_int: typeof value === 'bigint' ? value : null,
  };
}

function distributionColumns(of: OtlpDistribution) {
  return {
    count: of.count,
    sum: of.sum,
    min: of.min,
    max: of.max,
    bounds: of.bounds,
    bucket_counts: of.bucketCounts,
    scale: of.scale,
    zero_count: of.zeroCount,
    zero_threshold: of.zeroThreshold,
    positive_offset: of.positive.offset,
    positive_counts: of.positive.counts,
    negative_offset: of.negative.offset,
    negative_counts: of.negative.counts,
    quantiles: of.quantiles.map(({ quantile }) => quantile),
    quantile_values: of.quantiles.map(({ value }) => value),
  };
}
