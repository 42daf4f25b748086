import type { Attributes } from '@opentelemetry/api';
import { known } from './attributes.ts';
import { digest } from './fingerprint.ts';
import { findCall, forgetCall } from './pending-calls.ts';
import { contentLevel, runtime, scope } from './runtime.ts';
import { describeResult } from './tool-result.ts';

const maxEnded = 256;

interface EndedSpan {
  readonly attributes: Attributes;
  readonly instrumentationScope?: { readonly name: string };
}

interface StartedSpan extends EndedSpan {
  setAttributes(attributes: Attributes): unknown;
}

/** Adds to a tool span of an SDK (Anthropic's tool runner, `@ai-sdk/otel`) what the model's answer says of its call. */
export function foreignToolStarted(span: StartedSpan): void {
  const id = callIdOf(span.attributes);
  if (id === undefined || isOurs(span) || contentLevel() === 'none') return;
  const call = findCall(id);
  if (!call) return;
  const { valid, arguments: written } = call;
  span.setAttributes(
    known({ 'agent.tool.arguments.hash': digest(written), 'agent.tool.arguments.valid': valid }),
  );
}

/**
 * A tool span answers the model's call: none is inferred for it. One of somebody else does not say what came of it, which
 * the next request to the model does; until then it waits here, and for export.
 */
export function foreignToolEnded(span: EndedSpan): void {
  const { attributes } = span;
  const id = callIdOf(attributes);
  if (id === undefined) return;
  forgetCall(id);
  if (isOurs(span) || contentLevel() === 'none') return;
  const ended = endedTools();
  ended.delete(id);
  if (ended.size >= maxEnded) ended.delete(ended.keys().next().value ?? '');
  ended.set(id, attributes);
}

/** Whether a tool span waits for its result. */
export function awaitsResults(): boolean {
  return endedTools().size > 0;
}

/** Puts the result on the span that waits for it; without effect when the span has been sent. */
export function completeForeignTool(result: {
  readonly id?: string | undefined;
  readonly response: unknown;
}): void {
  const ended = endedTools();
  const attributes = ended.get(result.id ?? '');
  if (!attributes) return;
  ended.delete(result.id ?? '');
  Object.assign(attributes, describeResult(result.response));
}

function endedTools(): Map<string, object> {
  const state = runtime();
  state.endedTools ??= new Map();
  return state.endedTools;
}

function isOurs({ instrumentationScope }: EndedSpan): boolean {
  return instrumentationScope?.name === scope.name;
}

function callIdOf(attributes: Attributes): string | undefined {
  const id = attributes['gen_ai.tool.call.id'] ?? attributes['ai.toolCall.id'];
  return typeof id === 'string' ? id : undefined;
}
