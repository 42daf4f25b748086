import { gzipSync } from 'node:zlib';
import type { PlannedLog, PlannedPoint, PlannedSpan, PlannedTask } from './plan.ts';

export const signals = ['traces', 'logs', 'metrics'] as const;

/** One span, log record or data point on its way: what is acknowledged or not. */
export interface Item {
  readonly signal: (typeof signals)[number];
  /** Identity of the span, record or point. */
  readonly key: string;
  /** The unfinished version of a span. */
  readonly partial: boolean;
  readonly json: object;
}

/** A request with the bytes that a client keeps to send them again. */
export interface Request {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly items: readonly Item[];
}

const text = (key: string, value: string) => ({ key, value: { stringValue: value } });
const int = (key: string, value: number) => ({ key, value: { intValue: String(value) } });

/** Everything of a task in the order of sending: unfinished spans, children, roots, then logs and points. */
export function itemsOf(task: PlannedTask): Item[] {
  const partials = task.spans.flatMap((span) =>
    span.partialAs === null ? [] : [spanItem(span, true)],
  );
  return [
    ...partials,
    ...task.spans.map((span) => spanItem(span, false)),
    ...task.logs.map(logItem),
    ...task.points.map(pointItem),
  ];
}

function spanItem(span: PlannedSpan, partial: boolean): Item {
  const task = partial ? (span.partialAs ?? '') : span.carries;
  const attributes = [
    ...(task === '' ? [] : [text('agent.task.id', task), text('agent.task.workflow', 'faults')]),
    ...(partial ? [] : detailsOf(span)),
  ];
  return {
    signal: 'traces',
    key: `${span.trace} ${span.span}`,
    partial,
    json: {
      traceId: span.trace,
      spanId: span.span,
      parentSpanId: span.parent,
      name: span.kind,
      startTimeUnixNano: String(span.start),
      ...(partial ? {} : { endTimeUnixNano: String(span.end) }),
      attributes,
    },
  };
}

function detailsOf(span: PlannedSpan) {
  switch (span.kind) {
    case 'agent':
      return [text('gen_ai.operation.name', 'invoke_agent'), text('gen_ai.agent.name', 'faulty')];
    case 'tool':
      return [text('gen_ai.operation.name', 'execute_tool'), text('gen_ai.tool.name', 'look_up')];
    case 'chat':
      return [
        text('gen_ai.operation.name', 'chat'),
        text('gen_ai.provider.name', 'openai'),
        text('gen_ai.request.model', span.model),
        int('gen_ai.usage.input_tokens', span.input),
        int('gen_ai.usage.output_tokens', span.output),
        int('gen_ai.usage.cache_read.input_tokens', span.cached),
      ];
  }
}

function logItem(log: PlannedLog): Item {
  return {
    signal: 'logs',
    key: `log ${log.task} ${log.state}`,
    partial: false,
    json: {
      timeUnixNano: String(log.time),
      traceId: log.trace,
      spanId: log.span,
      eventName: 'agent.task.state',
      attributes: [text('agent.task.id', log.task), text('agent.task.state', log.state)],
    },
  };
}

function pointItem({ key, time, value }: PlannedPoint): Item {
  const point = {
    startTimeUnixNano: String(time),
    timeUnixNano: String(time + 1_000_000_000n),
    asInt: String(value),
    // Names no task: its figures are those of its spans alone.
    attributes: [text('fault.point', key)],
  };
  const sum = { aggregationTemporality: 1, isMonotonic: true, dataPoints: [point] };
  return { signal: 'metrics', key: `point ${key}`, partial: false, json: { name: 'faults', sum } };
}

/** Packs items of one signal into a request, with `padding` more bytes that mean nothing. */
export function pack(items: readonly Item[], compressed: boolean, padding = 0): Request {
  const signal = items[0]?.signal ?? 'traces';
  const scope = { scope: { name: 'faults' } };
  const pad = padding === 0 ? [] : [text('padding', 'x'.repeat(padding))];
  const resource = { attributes: [text('service.name', 'faults'), ...pad] };
  const list = items.map(({ json }) => json);
  const envelopes = {
    traces: { resourceSpans: [{ resource, scopeSpans: [{ ...scope, spans: list }] }] },
    logs: { resourceLogs: [{ resource, scopeLogs: [{ ...scope, logRecords: list }] }] },
    metrics: { resourceMetrics: [{ resource, scopeMetrics: [{ ...scope, metrics: list }] }] },
  };
  const plain = Buffer.from(JSON.stringify(envelopes[signal]));
  return {
    path: `/v1/${signal}`,
    headers: {
      'content-type': 'application/json',
      ...(compressed ? { 'content-encoding': 'gzip' } : {}),
    },
    body: compressed ? gzipSync(plain) : plain,
    items,
  };
}
