import { admitSpan } from '../admission.ts';
import type { OtlpEvent, OtlpLink, OtlpSpan } from '../model.ts';
import {
  enumField,
  type Fields,
  field,
  fieldsOf,
  idField,
  listField,
  textField,
  timeField,
  uint32Field,
} from './fields.ts';
import { attributesField } from './value.ts';

const kinds: ReadonlyMap<string, number> = new Map([
  ['SPAN_KIND_INTERNAL', 1],
  ['SPAN_KIND_SERVER', 2],
  ['SPAN_KIND_CLIENT', 3],
  ['SPAN_KIND_PRODUCER', 4],
  ['SPAN_KIND_CONSUMER', 5],
]);

const statusCodes: ReadonlyMap<string, number> = new Map([
  ['STATUS_CODE_OK', 1],
  ['STATUS_CODE_ERROR', 2],
]);

export function readSpan(span: Fields): OtlpSpan {
  const holder = field(span, 'status');
  const status = holder === undefined ? {} : fieldsOf(holder, 'status');
  return admitSpan({
    traceId: idField(span, 'traceId', 'trace_id', 16, 'trace_id'),
    spanId: idField(span, 'spanId', 'span_id', 8, 'span_id'),
    parentSpanId: idField(span, 'parentSpanId', 'parent_span_id', 8, 'parent_span_id'),
    traceState: textField(span, 'traceState', 'trace_state'),
    flags: uint32Field(span, 'flags'),
    name: textField(span, 'name'),
    kind: enumField(span, 'kind', 'kind', kinds),
    start: timeField(span, 'startTimeUnixNano', 'start_time_unix_nano'),
    end: timeField(span, 'endTimeUnixNano', 'end_time_unix_nano'),
    attributes: attributesField(span, 'attributes'),
    events: listField(span, 'events').map(readEvent),
    links: listField(span, 'links').map(readLink),
    statusCode: enumField(status, 'code', 'code', statusCodes),
    statusMessage: textField(status, 'message'),
  });
}

function readEvent(value: unknown): OtlpEvent {
  const event = fieldsOf(value, 'event');
  return {
    time: timeField(event, 'timeUnixNano', 'time_unix_nano'),
    name: textField(event, 'name'),
    attributes: attributesField(event, 'attributes'),
  };
}

function readLink(value: unknown): OtlpLink {
  const link = fieldsOf(value, 'link');
  return {
    traceId: idField(link, 'traceId', 'trace_id', 16, 'link_id'),
    spanId: idField(link, 'spanId', 'span_id', 8, 'link_id'),
    attributes: attributesField(link, 'attributes'),
  };
}
