/**
 * For tests of your agents: what they would have sent, kept in memory, and the facts about it that need no server.
 * Works with any test runner.
 */
import type { Attributes } from '@opentelemetry/api';
import type { LogRecordProcessor } from '@opentelemetry/sdk-logs';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import { known } from './attributes.ts';
import { type Handle, isRegistered, type RegisterOptions, register } from './node.ts';
import { findingsOf } from './testing/findings.ts';
import type { Finding, RecordedLog, RecordedSpan, RecordedTask } from './testing/recorded.ts';

export { findingsOf } from './testing/findings.ts';
export type { Finding, RecordedLog, RecordedSpan, RecordedTask } from './testing/recorded.ts';

/** A process that records and sends nothing. */
export interface TaskRecorder {
  /** The only task there is, or the one with this id or workflow. Throws when there is none, or more than one. */
  task(idOrWorkflow?: string): RecordedTask;
  tasks(): RecordedTask[];
  /** Everything that ended, also outside of tasks. */
  spans(): readonly RecordedSpan[];
  logs(): readonly RecordedLog[];
  clear(): void;
  readonly handle: Handle;
  /** Leaves the process as it was. */
  shutdown(): Promise<void>;
}

const maxRecords = 100_000;

/**
 * Registers the instrumentation without a receiver. Call it before clients are made, and {@link TaskRecorder.shutdown}
 * when done. Throws when the process is registered already: then nothing would be seen here.
 */
export function recordTasks(options: RegisterOptions = {}): TaskRecorder {
  if (isRegistered()) throw new Error('recordTasks: register() was called before');
  const spans: RecordedSpan[] = [];
  const logs: RecordedLog[] = [];
  const done = (): Promise<void> => Promise.resolve();
  const spanProcessor: SpanProcessor = {
    onStart: () => undefined,
    onEnd: (span) => void (spans.length < maxRecords && spans.push(spanOf(span))),
    forceFlush: done,
    shutdown: done,
  };
  const logRecordProcessor: LogRecordProcessor = {
    onEmit: ({ eventName = '', hrTime, spanContext, attributes }) => {
      if (logs.length >= maxRecords) return;
      const { traceId, spanId } = spanContext ?? {};
      const own = { ...attributes } as Attributes;
      logs.push({ name: eventName, time: ms(hrTime), traceId, spanId, attributes: own });
    },
    forceFlush: done,
    shutdown: done,
  };
  const handle = register({
    otlp: false,
    flushOnExit: false,
    ...options,
    spanProcessors: [spanProcessor, ...(options.spanProcessors ?? [])],
    logRecordProcessors: [logRecordProcessor, ...(options.logRecordProcessors ?? [])],
  });
  const tasks = (): RecordedTask[] => tasksOf(spans, logs);
  return {
    handle,
    tasks,
    task: (name) => {
      const found = tasks().filter(
        ({ id, workflow }) => name === undefined || id === name || workflow === name,
      );
      const [task, another] = found;
      if (task && !another) return task;
      const what = name === undefined ? 'were recorded' : `are named ${name}`;
      throw new Error(`${found.length} tasks ${what}, not one`);
    },
    spans: () => spans,
    logs: () => logs,
    clear: () => {
      spans.length = 0;
      logs.length = 0;
    },
    shutdown: () => handle.shutdown(),
  };
}

/** Thrown by {@link expectNoFindings}; `findings` says the same for programs. */
export class FindingsError extends Error {
  override readonly name = 'FindingsError';
  readonly findings: readonly Finding[];

  constructor(task: RecordedTask, findings: readonly Finding[]) {
    const lines = findings.map(({ finding, text }) => `  ${finding}: ${text}`);
    super([`task ${task.id} (${task.workflow}) has findings`, ...lines].join('\n'));
    this.findings = findings;
  }
}

/** Throws a {@link FindingsError} when {@link findingsOf} finds anything but what is allowed by name. */
export function expectNoFindings(
  task: RecordedTask,
  { allow = [] }: { readonly allow?: readonly string[] } = {},
): void {
  const findings = findingsOf(task).filter(({ finding }) => !allow.includes(finding));
  if (findings.length > 0) throw new FindingsError(task, findings);
}

function spanOf(span: ReadableSpan): RecordedSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    name: span.name,
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    startTime: ms(span.startTime),
    endTime: ms(span.endTime),
    failed: span.status.code === 2,
    attributes: { ...span.attributes },
    events: span.events.map(({ name, attributes = {} }) => ({ name, attributes })),
    links: span.links.map(({ context }) => ({ traceId: context.traceId, spanId: context.spanId })),
  };
}

function ms([seconds, nanos]: readonly [number, number]): number {
  return seconds * 1000 + nanos / 1e6;
}

function tasksOf(spans: readonly RecordedSpan[], logs: readonly RecordedLog[]): RecordedTask[] {
  const ids = new Set([...logs, ...spans].map(idOf));
  return [...ids].flatMap((id) => (id === undefined ? [] : [taskOf(id, spans, logs)]));
}

function idOf({ attributes }: { readonly attributes: Attributes }): string | undefined {
  const id = attributes['agent.task.id'];
  return typeof id === 'string' ? id : undefined;
}

function taskOf(
  id: string,
  allSpans: readonly RecordedSpan[],
  allLogs: readonly RecordedLog[],
): RecordedTask {
  const own = (item: { readonly attributes: Attributes }): boolean => idOf(item) === id;
  const logs = allLogs.filter(own);
  const spans = allSpans.filter(own).toSorted((a, b) => a.startTime - b.startTime);
  const text = (key: string): string | undefined => {
    const holder = [...logs, ...spans].find(({ attributes }) => attributes[key] !== undefined);
    return known({ [key]: holder?.attributes[key] })[key]?.toString();
  };
  const states = logs.flatMap(({ name, attributes }) =>
    name === 'agent.task.state' ? [String(attributes['agent.task.state'])] : [],
  );
  const verdict = logs.findLast(({ name }) => name === 'agent.outcome');
  const doing = (...operations: string[]): RecordedSpan[] =>
    spans.filter(({ attributes }) =>
      operations.includes(String(attributes['gen_ai.operation.name'])),
    );
  return {
    id,
    workflow: text('agent.task.workflow') ?? 'unknown',
    states,
    outcome: verdict?.attributes['agent.outcome']?.toString(),
    spans,
    logs,
    modelCalls: doing('chat', 'generate_content', 'text_completion'),
    toolCalls: doing('execute_tool'),
  };
}
