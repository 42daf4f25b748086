import {
  type Attributes,
  type Context,
  type Span,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { known } from './attributes.ts';
import { contentText } from './content.ts';
import { failSpan } from './failure.ts';
import { digest } from './fingerprint.ts';
import { attempt } from './guard.ts';
import { matchCall, type PendingCall, takeCall } from './pending-calls.ts';
import { canonicalJson } from './plain.ts';
import { contentLevel, scope } from './runtime.ts';
import { activeScope, activeTask, inheritedAttributes } from './task-context.ts';
import { describeResult } from './tool-result.ts';
import { parse } from './wire/json.ts';

/** A tool call as somebody else tells it: a framework's own telemetry, or the messages to the model. */
export interface ToldCall {
  readonly name: string;
  readonly id?: string | undefined;
  /** A value, or JSON text. */
  readonly input: unknown;
  readonly attributes?: Attributes | undefined;
  /** ms of the wall clock. */
  readonly startTime?: number | undefined;
}

/** Starts the `execute_tool` span of a told call; the model's call counts as answered by it. */
export function startToldTool(call: ToldCall, at: Context): Span {
  const { name, input, attributes, startTime } = call;
  const level = contentLevel();
  const value = typeof input === 'string' ? (parse(input) ?? input) : (input ?? {});
  const task = activeTask(at);
  const asked =
    call.id === undefined ? matchCall(task, name, canonicalJson(value)) : takeCall(task, call.id);
  const key = 'gen_ai.tool.call.arguments';
  return trace.getTracer(scope.name, scope.version).startSpan(
    `execute_tool ${name}`,
    {
      ...(startTime !== undefined && { startTime }),
      attributes: {
        ...inheritedAttributes(at),
        ...known({
          'gen_ai.operation.name': 'execute_tool',
          'gen_ai.tool.name': name,
          'gen_ai.tool.type': 'function',
          'gen_ai.tool.call.id': call.id ?? asked?.id,
          'agent.tool.arguments.valid': asked?.valid,
          [key]: level === 'full' ? contentText(input ?? {}, key) : undefined,
          'agent.tool.arguments.hash': level === 'none' ? undefined : digest(canonicalJson(value)),
          'agent.iteration': activeScope(at)?.iteration || undefined,
        }),
        ...attributes,
      },
    },
    at,
  );
}

/** What a told call came to. */
export function endToldTool(span: Span, settled: { value: unknown } | { error: unknown }): void {
  attempt('tool.told', () => {
    if ('error' in settled) failSpan(span, settled.error);
    else recordValue(span, settled.value);
  });
  span.end();
}

/** What a result is like, and at the full level what it says. */
export function recordValue(span: Span, value: unknown): void {
  const level = contentLevel();
  if (level === 'none' || !span.isRecording()) return;
  span.setAttributes(describeResult(value));
  if (level !== 'full' || value === undefined) return;
  const key = 'gen_ai.tool.call.result';
  span.setAttributes(known({ [key]: contentText(value, key) }));
}

/**
 * A tool span where nothing else tells: from the model's answer that asked to the next request that brings the result. Its
 * times are an upper bound, hence the mark.
 */
export function inferTool(
  call: PendingCall,
  result: { response: unknown; is_error?: boolean },
  at: Context,
): void {
  // Outside any span the model's call is the only thing that it can be a part of.
  const parent = trace.getSpan(at) ? at : call.context;
  const span = startToldTool(
    {
      name: call.name,
      id: call.id,
      input: call.written,
      startTime: call.askedAt,
      attributes: known({
        'agent.tool.inferred': true,
        'agent.tool.arguments.valid': call.valid,
      }),
    },
    parent,
  );
  attempt('tool.inferred', () => {
    recordValue(span, result.response);
    if (result.is_error) {
      span.setAttribute('error.type', 'tool_error');
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
  });
  span.end();
}
