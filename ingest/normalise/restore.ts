import type { SpanRow } from '../../store/tables/spans.ts';
import type { Attribute, KeyValueList, OtlpLog, OtlpSpan, Value } from '../otlp/model.ts';
import { restorePayload } from './payload.ts';
import { spanKinds, statuses } from './span-row.ts';
import { typeCode } from './values.ts';

type Pairs<T> = readonly (readonly [key: string, value: T])[];

/** The columns of a stored span that hold what OTLP carried. */
export type StoredSpan = Pick<
  SpanRow,
  | 'trace_id'
  | 'span_id'
  | 'parent_id'
  | 'start'
  | 'end'
  | 'name'
  | 'span_kind'
  | 'status'
  | 'status_message'
  | 'trace_state'
  | 'flags'
  | 'events.time'
  | 'events.name'
  | 'links.trace_id'
  | 'links.span_id'
> & {
  readonly attributes: Pairs<string>;
  readonly attribute_types: Pairs<number>;
  readonly payload: Pairs<readonly bigint[]>;
  readonly 'events.attributes': readonly Pairs<string>[];
  readonly 'links.attributes': readonly Pairs<string>[];
};

/** The columns of a stored log record that hold what OTLP carried. */
export interface StoredLog {
  readonly trace_id: string;
  readonly span_id: string;
  readonly time: bigint;
  readonly event_name: string;
  readonly severity_number: number;
  readonly severity_text: string;
  readonly body: string;
  readonly attributes: Pairs<string>;
  readonly attribute_types: Pairs<number>;
}

/**
 * The span as it was received. Only attributes kept their types: those of events, links and the resource come back as
 * text. Throws where `content` does not know a hash of the payload.
 */
export function restoreSpan(row: StoredSpan, content: (hash: bigint) => string): OtlpSpan {
  const moved = row.payload.map(([key, hashes]) => [key, restorePayload(hashes, content)] as const);
  return {
    traceId: row.trace_id,
    spanId: row.span_id,
    parentSpanId: row.parent_id,
    traceState: row.trace_state,
    flags: row.flags,
    name: row.name,
    kind: Math.max(0, spanKinds.indexOf(row.span_kind)),
    start: row.start,
    end: row.end,
    attributes: restoreAttributes([...row.attributes, ...moved], row.attribute_types),
    events: row['events.name'].map((name, i) => ({
      name,
      time: row['events.time'][i] ?? 0n,
      attributes: restoreAttributes(row['events.attributes'][i] ?? [], []),
    })),
    links: row['links.trace_id'].map((traceId, i) => ({
      traceId,
      spanId: row['links.span_id'][i] ?? '',
      attributes: restoreAttributes(row['links.attributes'][i] ?? [], []),
    })),
    statusCode: Math.max(0, statuses.indexOf(row.status)),
    statusMessage: row.status_message,
  };
}

/** The log record as it was received, its body as text. */
export function restoreLog(row: StoredLog): OtlpLog {
  return {
    time: row.time,
    observedTime: row.time,
    traceId: row.trace_id,
    spanId: row.span_id,
    flags: 0,
    severityNumber: row.severity_number,
    severityText: row.severity_text,
    eventName: row.event_name,
    body: row.body,
    attributes: restoreAttributes(row.attributes, row.attribute_types),
  };
}

/** Attributes from their texts and type codes: the inverse of `renderAttributes`. */
export function restoreAttributes(texts: Pairs<string>, types: Pairs<number>): Attribute[] {
  const codes = new Map(types);
  return texts.map(([key, text]) => ({ key, value: restoreValue(text, codes.get(key) ?? 0) }));
}

function restoreValue(text: string, code: number): Value {
  switch (code) {
    case typeCode.bool:
      return text === 'true';
    case typeCode.int:
      return BigInt(text);
    case typeCode.double:
      return Number(text);
    case typeCode.bytes:
      return Buffer.from(text, 'base64');
    case typeCode.array:
    case typeCode.kvlist:
      return readComposite(text);
    default:
      return text;
  }
}

const token = /"(?:[^"\\]|\\.)*"|[[\]{}]|[^\s,:"[\]{}]+/gy;
const gap = /[\s,:]*/y;

/** Reads JSON in which a number with a point or exponent is a double and any other an int64, as `textOf` writes it. */
export function readComposite(text: string): Value {
  let position = 0;
  const next = (): string => {
    gap.lastIndex = position;
    gap.exec(text);
    token.lastIndex = gap.lastIndex;
    const [found = ''] = token.exec(text) ?? [];
    position = token.lastIndex;
    return found;
  };
  const read = (head: string): Value => {
    if (head === '[') {
      const items: Value[] = [];
      for (let one = next(); one !== ']' && one !== ''; one = next()) items.push(read(one));
      return items;
    }
    if (head === '{') {
      const entries: Attribute[] = [];
      for (let key = next(); key !== '}' && key !== ''; key = next()) {
        entries.push({ key: JSON.parse(key) as string, value: read(next()) });
      }
      return { entries } satisfies KeyValueList;
    }
    return readScalar(head);
  };
  return read(next());
}

function readScalar(text: string): Value {
  if (text.startsWith('"')) return JSON.parse(text) as string;
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null' || text === '') return null;
  return /[.eE]/.test(text) ? Number(text) : BigInt(text);
}
