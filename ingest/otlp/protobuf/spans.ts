import { admitSpan } from '../admission.ts';
import type { Attribute, OtlpEvent, OtlpLink, OtlpSpan, Rule } from '../model.ts';
import { BadItem } from '../refusal.ts';
import {
  type Cursor,
  close,
  fixed32,
  fixed64,
  hex,
  int32,
  key,
  open,
  skip,
  tag,
  text,
} from './cursor.ts';
import { readAttribute } from './value.ts';

type Draft = { -readonly [K in keyof OtlpSpan]: OtlpSpan[K] } & {
  attributes: Attribute[];
  events: OtlpEvent[];
  links: OtlpLink[];
};

function draft(): Draft {
  return {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    traceState: '',
    flags: 0,
    name: '',
    kind: 0,
    start: 0n,
    end: 0n,
    attributes: [],
    events: [],
    links: [],
    statusCode: 0,
    statusMessage: '',
  };
}

/** A Span up to the cursor's end. */
export function readSpan(c: Cursor): OtlpSpan {
  const span = draft();
  while (c.pos < c.end) readSpanField(c, span);
  return admitSpan(span);
}

/**
 * Span.
 *
 *      1 trace_id             bytes              10
 *      2 span_id              bytes              18
 *      3 trace_state          string             26
 *      4 parent_span_id       bytes              34
 *      5 name                 string             42
 *      6 kind                 enum               48
 *      7 start_time_unix_nano fixed64            57
 *      8 end_time_unix_nano   fixed64            65
 *      9 attributes           repeated KeyValue  74
 *     11 events               repeated Event     90
 *     13 links                repeated Link     106
 *     15 status               Status            122
 *     16 flags                fixed32           133
 */
function readSpanField(c: Cursor, span: Draft): void {
  const field = tag(c);
  switch (field) {
    case 10:
      span.traceId = readId(c, 16, 'trace_id');
      break;
    case 18:
      span.spanId = readId(c, 8, 'span_id');
      break;
    case 26:
      span.traceState = text(c);
      break;
    case 34:
      span.parentSpanId = readId(c, 8, 'parent_span_id');
      break;
    case 42:
      span.name = key(c);
      break;
    case 48:
      span.kind = int32(c);
      break;
    case 57:
      span.start = fixed64(c);
      break;
    case 65:
      span.end = fixed64(c);
      break;
    case 74:
      span.attributes.push(readAttribute(c));
      break;
    case 90:
      span.events.push(readEvent(c));
      break;
    case 106:
      span.links.push(readLink(c));
      break;
    case 122:
      readStatus(c, span);
      break;
    case 133:
      span.flags = fixed32(c);
      break;
    default:
      skip(c, field & 7);
  }
}

/**
 * Span.Event, embedded.
 *
 *     1 time_unix_nano fixed64             9
 *     2 name           string             18
 *     3 attributes     repeated KeyValue  26
 */
function readEvent(c: Cursor): OtlpEvent {
  const outer = open(c);
  let time = 0n;
  let name = '';
  const attributes: Attribute[] = [];
  while (c.pos < c.end) {
    const field = tag(c);
    switch (field) {
      case 9:
        time = fixed64(c);
        break;
      case 18:
        name = text(c);
        break;
      case 26:
        attributes.push(readAttribute(c));
        break;
      default:
        skip(c, field & 7);
    }
  }
  close(c, outer);
  return { time, name, attributes };
}

/**
 * Span.Link, embedded.
 *
 *     1 trace_id   bytes              10
 *     2 span_id    bytes              18
 *     4 attributes repeated KeyValue  34
 */
function readLink(c: Cursor): OtlpLink {
  const outer = open(c);
  let traceId = '';
  let spanId = '';
  const attributes: Attribute[] = [];
  while (c.pos < c.end) {
    const field = tag(c);
    switch (field) {
      case 10:
        traceId = readId(c, 16, 'link_id');
        break;
      case 18:
        spanId = readId(c, 8, 'link_id');
        break;
      case 34:
        attributes.push(readAttribute(c));
        break;
      default:
        skip(c, field & 7);
    }
  }
  close(c, outer);
  return { traceId, spanId, attributes };
}

/**
 * Status, embedded.
 *
 *     2 message string  18
 *     3 code    enum    24
 */
function readStatus(c: Cursor, span: Draft): void {
  const outer = open(c);
  while (c.pos < c.end) {
    const field = tag(c);
    switch (field) {
      case 18:
        span.statusMessage = text(c);
        break;
      case 24:
        span.statusCode = int32(c);
        break;
      default:
        skip(c, field & 7);
    }
  }
  close(c, outer);
}

/** An id field of `size` bytes, or empty. */
export function readId(c: Cursor, size: number, rule: Rule): string {
  const id = hex(c, size);
  if (id === undefined) throw new BadItem(rule, `${rule} is not ${size} bytes long`);
  return id;
}
