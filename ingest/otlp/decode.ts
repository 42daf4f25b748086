import * as json from './json/envelope.ts';
import { readLog as readJsonLog } from './json/logs.ts';
import { readSpan as readJsonSpan } from './json/spans.ts';
import type { Decoded, OtlpLog, OtlpSpan } from './model.ts';
import * as protobuf from './protobuf/envelope.ts';
import { readLog } from './protobuf/logs.ts';
import { readSpan } from './protobuf/spans.ts';
import { logLists, spanLists } from './tally.ts';

export type Encoding = 'protobuf' | 'json';

/**
 * Decodes an ExportTraceServiceRequest (not compressed). Spans that cannot be stored are counted in `rejected`, their
 * neighbours kept.
 *
 * @throws BadRequest when the body as a whole cannot be read.
 */
export function decodeTraces(body: Uint8Array, encoding: Encoding): Decoded<OtlpSpan> {
  return encoding === 'protobuf'
    ? protobuf.readRequest(body, spanLists, readSpan)
    : json.readRequest(body, spanLists, readJsonSpan);
}

/**
 * Decodes an ExportLogsServiceRequest, as {@link decodeTraces} does for traces.
 *
 * @throws BadRequest when the body as a whole cannot be read.
 */
export function decodeLogs(body: Uint8Array, encoding: Encoding): Decoded<OtlpLog> {
  return encoding === 'protobuf'
    ? protobuf.readRequest(body, logLists, readLog)
    : json.readRequest(body, logLists, readJsonLog);
}
