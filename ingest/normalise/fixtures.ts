import type {
  Attribute,
  Batch,
  OtlpEvent,
  OtlpLog,
  OtlpSpan,
  Scope,
  Value,
} from '../otlp/model.ts';

/** Plain data for tests: integers become int64, other numbers doubles, objects kvlists. */
export type Plain =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly Plain[]
  | { readonly [key: string]: Plain };

export function value(plain: Plain): Value {
  if (typeof plain === 'number') return Number.isInteger(plain) ? BigInt(plain) : plain;
  if (typeof plain !== 'object' || plain === null || plain instanceof Uint8Array) return plain;
  return isList(plain) ? plain.map(value) : { entries: attributes(plain) };
}

export function attributes(plain: { readonly [key: string]: Plain }): Attribute[] {
  return Object.entries(plain).map(([key, v]) => ({ key, value: value(v) }));
}

function isList(
  plain: readonly Plain[] | { readonly [key: string]: Plain },
): plain is readonly Plain[] {
  return Array.isArray(plain);
}

/** 2026-11-20T12:00:00Z in nanoseconds. */
export const noon = 1_795_176_000_000_000_000n;

export type SpanFields = Partial<Omit<OtlpSpan, 'attributes' | 'events'>> & {
  readonly attributes?: { readonly [key: string]: Plain };
  readonly events?: readonly OtlpEvent[];
};

/** A finished root span of 2 s. */
export function span(fields: SpanFields = {}): OtlpSpan {
  return {
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    parentSpanId: '',
    traceState: '',
    flags: 1,
    name: 'span',
    kind: 1,
    start: noon,
    end: noon + 2_000_000_000n,
    links: [],
    statusCode: 0,
    statusMessage: '',
    ...fields,
    attributes: attributes(fields.attributes ?? {}),
    events: fields.events ?? [],
  };
}

export function event(name: string, fields: { readonly [key: string]: Plain } = {}): OtlpEvent {
  return { name, time: noon + 1_000_000_000n, attributes: attributes(fields) };
}

export type LogFields = Partial<Omit<OtlpLog, 'attributes' | 'body'>> & {
  readonly attributes?: { readonly [key: string]: Plain };
  readonly body?: Plain;
};

export function log(fields: LogFields = {}): OtlpLog {
  return {
    time: noon,
    observedTime: noon,
    traceId: '5b8efff798038103d269b633813fc60c',
    spanId: 'eee19b7ec3c1b174',
    flags: 1,
    severityNumber: 9,
    severityText: 'INFO',
    eventName: '',
    ...fields,
    body: value(fields.body ?? null),
    attributes: attributes(fields.attributes ?? {}),
  };
}

export interface BatchFields {
  readonly scope?: string;
  readonly resource?: { readonly [key: string]: Plain };
}

export function batch<Item>(items: readonly Item[], fields: BatchFields = {}): Batch<Item> {
  const scope: Scope = { name: fields.scope ?? 'test', version: '1.0.0', attributes: [] };
  return { resource: attributes({ 'service.name': 'shop', ...fields.resource }), scope, items };
}

/** Repeatable pseudo-random numbers in [0, 1): mulberry32. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
