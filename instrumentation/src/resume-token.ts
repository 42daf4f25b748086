import { type Span, type SpanContext, TraceFlags } from '@opentelemetry/api';
import type { ActiveTask, TaskIdentity } from './task-context.ts';
import { record, text } from './wire/json.ts';

/** What a suspended task needs to go on elsewhere. */
export interface Suspension {
  readonly identity: TaskIdentity;
  /** The span in which it was suspended, if one was recorded. */
  readonly from: SpanContext | undefined;
}

const version = 1;

/** Writes a suspension as opaque URL-safe text. */
export function suspensionToken(task: ActiveTask, span: Span | undefined): string {
  const from = span?.spanContext();
  const token = {
    v: version,
    ...task.identity,
    trace: from?.traceId,
    span: from?.spanId,
    flags: from?.traceFlags,
  };
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

/** Reads a token back; `undefined` for anything that is none. */
export function readToken(token: string): Suspension | undefined {
  const value = record(JSON.parse(Buffer.from(token, 'base64url').toString()) as unknown);
  const id = text(value?.['id']);
  const workflow = text(value?.['workflow']);
  if (!value || value['v'] !== version || !id || workflow === undefined) return undefined;
  const prompt = record(value['prompt']);
  const promptName = text(prompt?.['name']);
  return {
    identity: {
      id,
      workflow,
      attempt: typeof value['attempt'] === 'number' ? value['attempt'] : 1,
      idempotencyKey: text(value['idempotencyKey']),
      parentId: text(value['parentId']),
      ref: text(value['ref']),
      traffic: trafficOf(value['traffic']),
      sessionId: text(value['sessionId']),
      userId: text(value['userId']),
      agent: text(value['agent']),
      prompt: promptName ? { name: promptName, version: text(prompt?.['version']) } : undefined,
    },
    from: spanContextOf(text(value['trace']), text(value['span']), value['flags']),
  };
}

/** A known kind of traffic, or none. */
export function trafficOf(value: unknown): TaskIdentity['traffic'] {
  switch (value) {
    case 'live':
    case 'shadow':
    case 'eval':
    case 'synthetic':
      return value;
    default:
      return undefined;
  }
}

/** A remote span's context out of its hexadecimal ids; `undefined` when one is malformed. */
export function spanContextOf(
  traceId: string | undefined,
  spanId: string | undefined,
  flags: unknown,
): SpanContext | undefined {
  if (!traceId || !/^[0-9a-f]{32}$/.test(traceId) || /^0+$/.test(traceId)) return undefined;
  if (!spanId || !/^[0-9a-f]{16}$/.test(spanId) || /^0+$/.test(spanId)) return undefined;
  const traceFlags = flags === 0 ? TraceFlags.NONE : TraceFlags.SAMPLED;
  return { traceId, spanId, traceFlags, isRemote: true };
}
