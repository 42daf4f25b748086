import { InMemoryLogRecordExporter, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace';
import { type Handle, type RegisterOptions, register } from '../src/node.ts';

/** A process that is registered, with what it would have sent kept in memory. */
export interface Recorder {
  readonly handle: Handle;
  spans(): ReadableSpan[];
  /** The only span of this name; fails when there are none or several. */
  span(name: string): ReadableSpan;
  logs(name: string): Record<string, unknown>[];
  /** `agent.task.state` of the state records, in order. */
  states(taskId?: string): unknown[];
  clear(): void;
}

export function record(options: RegisterOptions = {}): Recorder {
  const spans = new InMemorySpanExporter();
  const logs = new InMemoryLogRecordExporter();
  const handle = register({
    otlp: false,
    flushOnExit: false,
    spanProcessors: [new SimpleSpanProcessor({ exporter: spans })],
    logRecordProcessors: [new SimpleLogRecordProcessor({ exporter: logs })],
    ...options,
  });
  const named = (name: string): Record<string, unknown>[] =>
    logs
      .getFinishedLogRecords()
      .filter(({ eventName }) => eventName === name)
      .map(({ attributes, spanContext }) => ({ ...attributes, spanId: spanContext?.spanId }));
  return {
    handle,
    spans: () => spans.getFinishedSpans(),
    span: (name) => {
      const [found, another] = spans.getFinishedSpans().filter((span) => span.name === name);
      if (!found || another) throw new Error(`not exactly one span is named ${name}`);
      return found;
    },
    logs: named,
    states: (taskId) =>
      named('agent.task.state')
        .filter((log) => taskId === undefined || log['agent.task.id'] === taskId)
        .map((log) => log['agent.task.state']),
    clear: () => {
      spans.reset();
      logs.reset();
    },
  };
}
