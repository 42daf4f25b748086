import { admitLog } from '../admission.ts';
import type { Attribute, OtlpLog } from '../model.ts';
import { type Cursor, fixed32, fixed64, int32, skip, tag, text } from './cursor.ts';
import { readId } from './spans.ts';
import { readAttribute, readValue } from './value.ts';

type Draft = { -readonly [K in keyof OtlpLog]: OtlpLog[K] } & { attributes: Attribute[] };

function draft(): Draft {
  return {
    time: 0n,
    observedTime: 0n,
    traceId: '',
    spanId: '',
    flags: 0,
    severityNumber: 0,
    severityText: '',
    eventName: '',
    body: null,
    attributes: [],
  };
}

/** A LogRecord up to the cursor's end. */
export function readLog(c: Cursor): OtlpLog {
  const log = draft();
  while (c.pos < c.end) readLogField(c, log);
  return admitLog(log);
}

/**
 * LogRecord.
 *
 *      1 time_unix_nano          fixed64             9
 *      2 severity_number         enum               16
 *      3 severity_text           string             26
 *      5 body                    AnyValue           42
 *      6 attributes              repeated KeyValue  50
 *      8 flags                   fixed32            69
 *      9 trace_id                bytes              74
 *     10 span_id                 bytes              82
 *     11 observed_time_unix_nano fixed64            89
 *     12 event_name              string             98
 */
function readLogField(c: Cursor, log: Draft): void {
  const field = tag(c);
  switch (field) {
    case 9:
      log.time = fixed64(c);
      break;
    case 16:
      log.severityNumber = int32(c);
      break;
    case 26:
      log.severityText = text(c);
      break;
    case 42:
      log.body = readValue(c);
      break;
    case 50:
      log.attributes.push(readAttribute(c));
      break;
    case 69:
      log.flags = fixed32(c);
      break;
    case 74:
      log.traceId = readId(c, 16, 'trace_id');
      break;
    case 82:
      log.spanId = readId(c, 8, 'span_id');
      break;
    case 89:
      log.observedTime = fixed64(c);
      break;
    case 98:
      log.eventName = text(c);
      break;
    default:
      skip(c, field & 7);
  }
}
