import type { LogCallColumns, LogRow } from '../../store/tables/logs.ts';
import type { OtlpLog } from '../otlp/model.ts';
import type { Hash } from './blobs.ts';
import { textAt } from './fields.ts';
import { loneTaskId } from './ids.ts';
import { noCall } from './log-call.ts';
import { type LogContent, noLogContent } from './log-content.ts';
import { renderAttributes } from './payload.ts';
import type { Resolved } from './resolve.ts';
import type { SharedColumns } from './span-row.ts';
import { attribute, clampNanos, isList, textOf } from './values.ts';
import { versionOf } from './version.ts';

/** Rust's tracing names an event by its place in the source. */
const place = /^event .+:\d+$/;

/**
 * The name of a log's event: its field, else the attribute or body member that older emitters use. Claude Code puts the
 * bare name into the attribute and the full one into the body.
 */
export function eventNameOf(log: OtlpLog): string {
  const named = textOf(attribute(log.attributes, 'event.name') ?? null);
  if (log.eventName !== '' && !(named !== '' && place.test(log.eventName))) return log.eventName;
  const { body } = log;
  if (typeof body === 'string') return named !== '' && body.endsWith(`.${named}`) ? body : named;
  const composite = typeof body === 'object' && body !== null && !(body instanceof Uint8Array);
  if (named !== '' || !composite || isList(body)) return named;
  return textOf(attribute(body.entries, 'event.name') ?? null);
}

/** When a log happened: its own time, else when it was observed. */
export function timeOf(log: OtlpLog): bigint {
  return clampNanos(log.time > 0n ? log.time : log.observedTime);
}

/** The row of one log record. */
export function logRow(
  log: OtlpLog,
  shared: SharedColumns,
  resolved: Resolved,
  eventName: string,
  hash: Hash,
  messages: LogContent = noLogContent,
  call: LogCallColumns = noCall,
  inSession = false,
): LogRow {
  const { values } = resolved;
  const session = inSession ? textAt(values, 'conversation_id') : '';
  const task = loneTaskId(resolved.task, log.traceId, session);
  const { texts, types } = renderAttributes(log.attributes);
  const body = textOf(log.body);
  const time = timeOf(log);
  const identity = hash(`${body}\u0000${texts.flat().join('\u0000')}`);
  const content = hash(`${log.severityNumber} ${log.severityText} ${String(types)}`);
  return {
    ...shared,
    trace_id: log.traceId,
    span_id: log.spanId,
    time,
    hash: identity,
    ver: versionOf(true, shared.mapping_version, time, content),
    event_name: eventName,
    severity_number: log.severityNumber >= 0 && log.severityNumber <= 255 ? log.severityNumber : 0,
    severity_text: log.severityText,
    body,
    attributes: texts,
    attribute_types: types,
    task_id: task.id,
    task_id_kind: task.kind,
    workflow: textAt(values, 'workflow_name'),
    agent_name: textAt(values, 'agent_name'),
    conversation_id: textAt(values, 'conversation_id'),
    user_id: textAt(values, 'user_id'),
    environment: textAt(values, 'environment'),
    release: textAt(values, 'release'),
    ...messages,
    ...call,
  };
}
