import { admitLog } from '../admission.ts';
import type { OtlpLog } from '../model.ts';
import {
  enumField,
  type Fields,
  field,
  idField,
  textField,
  timeField,
  uint32Field,
} from './fields.ts';
import { attributesField, readValue } from './value.ts';

// Each level has four numbers: TRACE 1 to 4, DEBUG 5 to 8, and so on.
const severities: ReadonlyMap<string, number> = new Map(
  ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((level, i) =>
    ['', '2', '3', '4'].map(
      (step, j) => [`SEVERITY_NUMBER_${level}${step}`, 1 + 4 * i + j] as const,
    ),
  ),
);

export function readLog(log: Fields): OtlpLog {
  return admitLog({
    time: timeField(log, 'timeUnixNano', 'time_unix_nano'),
    observedTime: timeField(log, 'observedTimeUnixNano', 'observed_time_unix_nano'),
    traceId: idField(log, 'traceId', 'trace_id', 16, 'trace_id'),
    spanId: idField(log, 'spanId', 'span_id', 8, 'span_id'),
    flags: uint32Field(log, 'flags'),
    severityNumber: enumField(log, 'severityNumber', 'severity_number', severities),
    severityText: textField(log, 'severityText', 'severity_text'),
    eventName: textField(log, 'eventName', 'event_name'),
    body: readValue(field(log, 'body')),
    attributes: attributesField(log, 'attributes'),
  });
}
