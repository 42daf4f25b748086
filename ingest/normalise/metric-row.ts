import type { MetricHistogramRow } from '../../store/tables/metrics-histogram.ts';
import type { MetricNumberRow, MetricPointRow } from '../../store/tables/metrics-number.ts';
import type { TaskTraceRow } from '../../store/tables/task-traces.ts';
import type { Attribute, Batch, OtlpDistribution, OtlpPoint } from '../otlp/model.ts';
import type { Hash } from './blobs.ts';
import { textAt } from './fields.ts';
import { renderAttributes } from './payload.ts';
import type { Resolved, Resolver } from './resolve.ts';
import { createTouched } from './touched.ts';
import { attribute, clampNanos, codeOf, textOf } from './values.ts';

export interface NormalisedMetrics {
  readonly numbers: readonly MetricNumberRow[];
  readonly histograms: readonly MetricHistogramRow[];
  readonly taskTraces: readonly TaskTraceRow[];
}

/** What normalising metrics needs of the normaliser. */
export interface MetricEngine {
  readonly resolver: Resolver;
  readonly hash: Hash;
  readonly mappingVersion: number;
}

const temporalities = ['unspecified', 'delta', 'cumulative'];

/** Data points as rows, with what their attributes say of tasks and agents. */
export function normaliseMetrics(
  engine: MetricEngine,
  project: string,
  batches: readonly Batch<OtlpPoint>[],
): NormalisedMetrics {
  const numbers: MetricNumberRow[] = [];
  const histograms: MetricHistogramRow[] = [];
  const touched = createTouched(project);
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
      const row = { ...shared, ...pointColumns(engine, point, source), ...taskColumns(resolved) };
      if (point.distribution === null) numbers.push({ ...row, ...valueColumns(point.value) });
      else histograms.push({ ...row, ...distributionColumns(point.distribution) });
      // A cumulative series comes again at every interval for as long as its process lives; deriving its task as
      // often would never end. Its task id is in the row.
      if (row.temporality !== 'cumulative') touched.note(row.task_id, '', time);
    }
  }
  return { numbers, histograms, taskTraces: touched.rows().taskTraces };
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

function taskColumns({ values, task }: Resolved) {
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
