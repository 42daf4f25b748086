import { maxDepth } from '../admission.ts';
import { BadRequest } from '../refusal.ts';
import { type Cursor, close, cursor, open, skip, tag, varint } from './cursor.ts';

/**
 * Goes through an ExportTraceServiceRequest without making anything of it: the number of its spans when the decoder
 * would take all of them, null when it may not, or when only the decoder can tell. An ack needs no more, and this takes
 * a fifth of the decoder's time. It must never be more lenient than that; being stricter costs only time.
 */
export function countSpans(body: Uint8Array): number | null {
  const c = cursor(body);
  try {
    let spans = 0;
    while (c.pos < c.end) {
      const field = tag(c);
      if (field === 10) spans += walkResource(c);
      else skip(c, field & 7);
    }
    return spans;
  } catch (error) {
    if (error === unsure || error instanceof BadRequest) return null;
    throw error;
  }
}

const unsure = new Error('only the decoder can tell');

/** Inside an embedded message: `field` gets every full tag, and reads or skips what follows. */
function within(c: Cursor, field: (tag: number) => void): void {
  const outer = open(c);
  while (c.pos < c.end) field(tag(c));
  close(c, outer);
}

/** ResourceSpans: 1 resource, 2 scope_spans. */
function walkResource(c: Cursor): number {
  let spans = 0;
  within(c, (field) => {
    if (field === 10) walkKeyValues(c, 10);
    else if (field === 18) spans += walkScope(c);
    else skip(c, field & 7);
  });
  return spans;
}

/** ScopeSpans: 1 scope (whose attributes are its third field), 2 spans. */
function walkScope(c: Cursor): number {
  let spans = 0;
  within(c, (field) => {
    if (field === 10) walkKeyValues(c, 26);
    else if (field === 18) {
      walkSpan(c);
      spans += 1;
    } else skip(c, field & 7);
  });
  return spans;
}

/** Span; the table of its fields stands at the decoder. */
function walkSpan(c: Cursor): void {
  let hasTrace = false;
  let hasSpan = false;
  let hasStart = false;
  const outer = open(c);
  while (c.pos < c.end) {
    const field = tag(c);
    switch (field) {
      case 10:
        hasTrace = isId(c, 16);
        break;
      case 18:
        hasSpan = isId(c, 8);
        break;
      case 34:
        isId(c, 8);
        break;
      case 57:
        hasStart = true;
        time(c, earliestHigh);
        break;
      case 65:
        time(c, 0);
        break;
      case 74:
        walkAttribute(c, 1);
        break;
      case 90:
        walkEvent(c);
        break;
      case 106:
        walkLink(c);
        break;
      case 122:
        walkPlain(c);
        break;
      default:
        skip(c, field & 7);
    }
  }
  close(c, outer);
  if (!(hasTrace && hasSpan && hasStart)) throw unsure;
}

/** Event: 1 time, 3 attributes. */
function walkEvent(c: Cursor): void {
  within(c, (field) => {
    if (field === 9) time(c, 0);
    else if (field === 26) walkAttribute(c, 1);
    else skip(c, field & 7);
  });
}

/** Link: 1 trace_id, 2 span_id, 4 attributes. */
function walkLink(c: Cursor): void {
  within(c, (field) => {
    if (field === 10) isId(c, 16);
    else if (field === 18) isId(c, 8);
    else if (field === 34) walkAttribute(c, 1);
    else skip(c, field & 7);
  });
}

/** A message of which nothing but its framing matters. */
function walkPlain(c: Cursor): void {
  within(c, (field) => skip(c, field & 7));
}

/** Resource or scope: nothing but its attributes, which stand under this tag, is more than framing. */
function walkKeyValues(c: Cursor, attributes: number): void {
  within(c, (field) => {
    if (field === attributes) walkAttribute(c, 1);
    else skip(c, field & 7);
  });
}

/** KeyValue: 1 key, 2 value. */
function walkAttribute(c: Cursor, depth: number): void {
  const outer = open(c);
  while (c.pos < c.end) {
    const field = tag(c);
    if (field === 18) walkValue(c, depth);
    else skip(c, field & 7);
  }
  close(c, outer);
}

/** AnyValue: 5 array_value, 6 kvlist_value. */
function walkValue(c: Cursor, depth: number): void {
  if (depth > maxDepth) throw unsure;
  const outer = open(c);
  while (c.pos < c.end) {
    const field = tag(c);
    if (field === 42) walkList(c, walkValue, depth + 1);
    else if (field === 50) walkList(c, walkAttribute, depth + 1);
    else skip(c, field & 7);
  }
  close(c, outer);
}

/** ArrayValue, KeyValueList: 1 values. */
function walkList(c: Cursor, walk: (c: Cursor, depth: number) => void, depth: number): void {
  within(c, (field) => {
    if (field === 10) walk(c, depth);
    else skip(c, field & 7);
  });
}

/** Whether an id is set; neither empty nor `size` bytes long, or all zero, is for the decoder. */
function isId(c: Cursor, size: number): boolean {
  const length = varint(c);
  if (length === 0) return false;
  if (length !== size || c.end - c.pos < size) throw unsure;
  let bits = 0;
  for (let i = 0; i < size; i += 1) bits |= c.buf[c.pos + i] ?? 0;
  if (bits === 0) throw unsure;
  c.pos += size;
  return true;
}

// The upper halves of the admitted times, a little within: 2000-01-01 and 2149-06-06.
const earliestHigh = Math.ceil((Date.UTC(2000, 0, 1) * 1e6) / 2 ** 32) + 1;
const latestHigh = Math.floor((Date.UTC(2149, 5, 6) * 1e6) / 2 ** 32) - 1;

/** Passes over a time whose upper half lies between these two. */
function time(c: Cursor, high: number): void {
  if (c.end - c.pos < 8) throw unsure;
  const upper = c.buf.readUInt32LE(c.pos + 4);
  if (upper < high || upper > latestHigh) throw unsure;
  c.pos += 8;
}
