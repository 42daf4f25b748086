import type { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { type Context, context, type Span, trace } from '@opentelemetry/api';
import { attempt, guard } from '../guard.ts';
import { endToldTool, startToldTool } from '../tool-span.ts';
import { record, text } from '../wire/json.ts';

/** Tool runs of the AI SDK (7 and later), which publishes them on this channel. */
const channelName = 'ai:telemetry';

/**
 * Subscribes to `ai:telemetry`: an `execute_tool` span around each tool of `generateText`, `streamText` and agents. Without
 * a telemetry integration of the application's own, which would tell the same.
 */
export function subscribeAiSdk(): () => void {
  const channel = tracingChannel(channelName);
  const spans = new WeakMap<object, Span>();
  const storage = contextStorage();
  const start = (message: unknown): Context | undefined =>
    guard('ai.start', () => open(message, spans), undefined);
  const finish = (message: unknown): void => attempt('ai.end', () => close(message, spans));
  const handlers = {
    // With the store bound, starting is done there: spans inside the tool become its children.
    start: storage ? ignore : (message: unknown) => void start(message),
    end: ignore,
    asyncStart: ignore,
    asyncEnd: finish,
    error: ignore,
  };
  if (storage) channel.start.bindStore(storage, (message) => start(message) ?? context.active());
  channel.subscribe(handlers);
  return () => {
    channel.unsubscribe(handlers);
    if (storage) channel.start.unbindStore(storage);
  };
}

function ignore(): void {}

function open(message: unknown, spans: WeakMap<object, Span>): Context | undefined {
  const told = record(message);
  if (told?.['type'] !== 'executeTool' || integrated()) return undefined;
  const call = record(record(told['event'])?.['toolCall']);
  const name = text(call?.['toolName']);
  if (!name) return undefined;
  const at = context.active();
  const span = startToldTool({ name, id: text(call?.['toolCallId']), input: call?.['input'] }, at);
  spans.set(told, span);
  return trace.setSpan(at, span);
}

function close(message: unknown, spans: WeakMap<object, Span>): void {
  const told = record(message);
  const span = told && spans.get(told);
  if (!told || !span) return;
  spans.delete(told);
  const output = record(record(told['result'])?.['output']);
  const failed = told['error'] ?? (output?.['type'] === 'tool-error' ? output['error'] : undefined);
  endToldTool(span, failed === undefined ? { value: output?.['output'] } : { error: failed });
}

/** The application registered `@ai-sdk/otel` or the like: its tool spans come anyway. */
function integrated(): boolean {
  const { AI_SDK_TELEMETRY_INTEGRATIONS: list } = globalThis as {
    AI_SDK_TELEMETRY_INTEGRATIONS?: unknown;
  };
  return Array.isArray(list) && list.length > 0;
}

/** Where OpenTelemetry's Node context manager keeps the active context; not promised, so nothing depends on it. */
function contextStorage(): AsyncLocalStorage<Context> | undefined {
  const { _getContextManager: get } = context as unknown as { _getContextManager?: () => unknown };
  const manager = guard('ai.context', () => get?.call(context), undefined) as
    | { _asyncLocalStorage?: AsyncLocalStorage<Context> }
    | undefined;
  return manager?._asyncLocalStorage;
}
