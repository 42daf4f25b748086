/**
 * Decoded OTLP (opentelemetry-proto 1.11), the same from protobuf and from JSON. Ids are lower-case hex, `''` when unset;
 * times are nanoseconds since 1970.
 */

/** AnyValue: int64 is a bigint, double a number, bytes a Uint8Array, kvlist a {@link KeyValueList}. */
export type Value =
  | string
  | boolean
  | bigint
  | number
  | Uint8Array
  | null
  | readonly Value[]
  | KeyValueList;

export interface KeyValueList {
  readonly entries: readonly Attribute[];
}

export interface Attribute {
  readonly key: string;
  readonly value: Value;
}

export interface Scope {
  readonly name: string;
  readonly version: string;
  readonly attributes: readonly Attribute[];
}

export interface OtlpEvent {
  readonly time: bigint;
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

export interface OtlpLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: readonly Attribute[];
}

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly flags: number;
  readonly name: string;
  /** SpanKind of the protocol: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly start: bigint;
  /** 0n for a span that has not ended. */
  readonly end: bigint;
  readonly attributes: readonly Attribute[];
  readonly events: readonly OtlpEvent[];
  readonly links: readonly OtlpLink[];
  /** 0 unset, 1 ok, 2 error. */
  readonly statusCode: number;
  readonly statusMessage: string;
}

export interface OtlpLog {
  /** 0n when the sender left it unset; then `observedTime` is not. */
  readonly time: bigint;
  readonly observedTime: bigint;
  readonly traceId: string;
  readonly spanId: string;
  readonly flags: number;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly eventName: string;
  readonly body: Value;
  readonly attributes: readonly Attribute[];
}

/** A metric; its data points refer to it. */
export interface OtlpMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly type: 'gauge' | 'sum' | 'histogram' | 'exponential_histogram' | 'summary';
  /** 0 unspecified, 1 delta, 2 cumulative. */
  readonly temporality: number;
  readonly monotonic: boolean;
}

export interface OtlpExemplar {
  readonly time: bigint;
  readonly value: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: readonly Attribute[];
}

/** The numbers of a histogram, an exponential histogram or a summary; what a type does not have is empty or 0. */
export interface OtlpDistribution {
  readonly count: bigint;
  readonly sum: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly bounds: readonly number[];
  readonly bucketCounts: readonly bigint[];
  readonly scale: number;
  readonly zeroCount: bigint;
  readonly zeroThreshold: number;
  readonly positive: OtlpBuckets;
  readonly negative: OtlpBuckets;
  readonly quantiles: readonly { readonly quantile: number; readonly value: number }[];
}

export interface OtlpBuckets {
  readonly offset: number;
  readonly counts: readonly bigint[];
}

/** One data point with the metric it belongs to. */
export interface OtlpPoint {
  readonly metric: OtlpMetric;
  /** 0n when unset. */
  readonly start: bigint;
  readonly time: bigint;
  readonly attributes: readonly Attribute[];
  readonly flags: number;
  readonly exemplars: readonly OtlpExemplar[];
  /** Of a gauge or sum: the integer or double sent; null when none was recorded. */
  readonly value: bigint | number | null;
  /** Null of a gauge or sum. */
  readonly distribution: OtlpDistribution | null;
}

/** Items that share a resource and a scope. */
export interface Batch<Item> {
  readonly resource: readonly Attribute[];
  readonly scope: Scope;
  readonly items: readonly Item[];
}

/** Why one item of a good request was refused. */
export type Rule =
  | 'trace_id'
  | 'span_id'
  | 'parent_span_id'
  | 'link_id'
  | 'exemplar_id'
  | 'name'
  | 'buckets'
  | 'time'
  | 'depth'
  | 'type';

/** A decoded request: what can be stored, how many items were refused, and the first reasons. */
export interface Decoded<Item> {
  readonly batches: readonly Batch<Item>[];
  /** Number of items in `batches`. */
  readonly items: number;
  readonly rejected: number;
  /** Refused items by rule. */
  readonly rules: ReadonlyMap<Rule, number>;
  /** At most five, as `path: what is wrong`, never with content. */
  readonly reasons: readonly string[];
}
