import { context, type Span } from '@opentelemetry/api';
import { handoff } from '../events.ts';
import { attempt } from '../guard.ts';
import { endToldTool, startToldTool } from '../tool-span.ts';
import { record, text } from '../wire/json.ts';

/** Where `@openai/agents` keeps its one trace provider. */
const slot = Symbol.for('openai.agents.core.traceProvider');

interface AgentsProvider {
  registerProcessor(processor: object): void;
  setProcessors(processors: readonly object[]): void;
}

/**
 * Adds a trace processor to `@openai/agents` as soon as it makes its provider, beside those of the application: function
 * tools become `execute_tool` spans, handoffs events. Model calls are seen by fetch.
 */
export function subscribeOpenAiAgents(): () => void {
  const holder = globalThis as { [slot]?: unknown };
  let active = true;
  const processor = agentsProcessor(() => active);
  const present = holder[slot];
  if (isProvider(present)) join(present, processor);
  else if (!Object.getOwnPropertyDescriptor(holder, slot)) whenSet(processor);
  return () => {
    active = false;
  };
}

/** The provider is made at the first run, long after us: it is awaited with a setter that replaces itself by the value. */
function whenSet(processor: object): void {
  Object.defineProperty(globalThis, slot, {
    configurable: true,
    get: () => undefined,
    set: (value: unknown) => {
      Object.defineProperty(globalThis, slot, { value, writable: true, configurable: true });
      attempt('agents.provider', () => {
        if (isProvider(value)) join(value, processor);
      });
    },
  });
}

/**
 * Beside the processors of the application. `@openai/agents` sets a list of its own when it loads, and applications do so to
 * turn its export off: neither means us, so ours is put on every list that this one provider is given.
 */
function join(provider: AgentsProvider, processor: object): void {
  provider.registerProcessor(processor);
  const { setProcessors } = provider;
  const value = (processors: readonly object[]): void =>
    Reflect.apply(setProcessors, provider, [[...processors, processor]]);
  Object.defineProperty(provider, 'setProcessors', { value, configurable: true, writable: true });
}

function isProvider(value: unknown): value is AgentsProvider {
  const provider = value as Partial<AgentsProvider> | undefined;
  return [provider?.registerProcessor, provider?.setProcessors].every(
    (method) => typeof method === 'function',
  );
}

function agentsProcessor(isActive: () => boolean): object {
  const spans = new WeakMap<object, Span>();
  const done = (): Promise<void> => Promise.resolve();
  const on = (step: string, run: (span: object) => void) => (span: object) => {
    if (isActive()) attempt(step, () => run(span));
    return done();
  };
  return {
    onTraceStart: done,
    onTraceEnd: done,
    onSpanStart: on('agents.start', (span) => {
      const data = dataOf(span);
      const name = text(data?.['name']);
      if (data?.['type'] !== 'function' || !name) return;
      // The arguments may come later than the start: they are read at the end.
      const input = text(data['input']);
      if (input) spans.set(span, startToldTool({ name, input }, context.active()));
    }),
    onSpanEnd: on('agents.end', (span) => {
      const data = dataOf(span);
      if (data?.['type'] === 'handoff') {
        const to = text(data['to_agent']);
        if (to) handoff({ from: text(data['from_agent']), to });
      }
      const name = text(data?.['name']);
      if (data?.['type'] === 'function' && name) endTool(span, data, name, spans);
    }),
    shutdown: done,
    forceFlush: done,
  };
}

function endTool(
  told: object,
  data: Readonly<Record<string, unknown>>,
  name: string,
  spans: WeakMap<object, Span>,
): void {
  const { startedAt, error } = told as { startedAt?: unknown; error?: unknown };
  const startTime = Date.parse(text(startedAt) ?? '') || undefined;
  const span =
    spans.get(told) ?? startToldTool({ name, input: data['input'], startTime }, context.active());
  spans.delete(told);
  if (!error) endToldTool(span, { value: data['output'] });
  else endToldTool(span, { error: new Error(text(record(error)?.['message']) ?? 'tool failed') });
}

function dataOf(span: object): Readonly<Record<string, unknown>> | undefined {
  return record((span as { spanData?: unknown }).spanData);
}
