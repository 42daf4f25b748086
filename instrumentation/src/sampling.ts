import { createHash } from 'node:crypto';
import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import { contentSize, type QueueBounds } from './bounded-processor.ts';
import { attempt } from './guard.ts';
import type { QueueCounters } from './queue-counters.ts';

/** Keeps a share of the tasks, and every task in which something failed or was stopped. */
export interface Sampler {
  readonly processor: SpanProcessor;
  /** Told of every log record, because verdicts and denials come as such. */
  readonly heard: (eventName: string | undefined, attributes: Record<string, unknown>) => void;
  /** Whether the spans of this task are sent, as far as is known now. */
  readonly keeps: (taskId: string) => boolean;
  /** Sends what waits for its task to end: the process is about to. */
  readonly release: () => void;
}

/** What ran in this process of one task, or of one trace outside of tasks, and was not chosen. */
interface Unit {
  readonly key: string;
  /** Spans that have started and not ended; at none the unit is over. */
  open: number;
  kept: boolean;
  waiting: ReadableSpan[];
}

const maxUnits = 10_000;

/** Whether a task belongs to the share: the same answer in every process that works on it. */
export function isChosen(taskId: string, ratio: number): boolean {
  return createHash('sha256').update(taskId).digest().readUIntBE(0, 6) < ratio * 2 ** 48;
}

/**
 * Spans of tasks that are not chosen wait, bounded, until nothing of the task is open here any more; a failure or a stop
 * among them sends them all. What another process did of the task is not known here and goes by the share alone.
 */
export function sampledByTask(
  next: SpanProcessor,
  ratio: number,
  bounds: QueueBounds,
  counters: QueueCounters,
): Sampler {
  const { units, kept, enter, keep, leave, wait } = openUnits(next, bounds, counters);
  const unitOf = new WeakMap<object, Unit>();

  const start = (span: object & Parameters<typeof keyOf>[0]): void => {
    const key = keyOf(span);
    if (isChosen(key, ratio)) return;
    const unit = enter(key);
    unit.open += 1;
    unitOf.set(span, unit);
  };
  const end = (span: ReadableSpan): void => {
    const unit = unitOf.get(span);
    if (!unit) {
      next.onEnd(span);
      return;
    }
    unitOf.delete(span);
    unit.open -= 1;
    if (!unit.kept && isFailed(span)) keep(unit);
    if (unit.kept) next.onEnd(span);
    else wait(unit, span);
    if (unit.open === 0) leave(unit);
  };

  return {
    keeps: (taskId) => isChosen(taskId, ratio) || kept.has(taskId),
    release: () => {
      for (const unit of units.values()) keep(unit);
    },
    heard: (eventName, attributes) => {
      const unit = units.get(String(attributes['agent.task.id']));
      if (unit && !unit.kept && isBad(eventName, attributes)) keep(unit);
    },
    processor: {
      onStart: (span, at) => {
        next.onStart(span, at);
        attempt('sampling.start', () => start(span));
      },
      onEnd: (span) => attempt('sampling.end', () => end(span)),
      forceFlush: () => next.forceFlush(),
      shutdown: () => next.shutdown(),
    },
  };
}

/** The units that are open, and the spans that wait in them. */
function openUnits(next: SpanProcessor, bounds: QueueBounds, counters: QueueCounters) {
  const units = new Map<string, Unit>();
  // Later spans of a task that was kept, as after a resumption, are kept too.
  const kept = new Set<string>();
  let waiting = 0;
  let chars = 0;

  const take = (unit: Unit): ReadableSpan[] => {
    const spans = unit.waiting;
    unit.waiting = [];
    waiting -= spans.length;
    for (const { attributes } of spans) chars -= contentSize(attributes);
    return spans;
  };
  /** Its spans that still wait are left out. */
  const leave = (unit: Unit): void => {
    counters.sampledOutSpans += take(unit).length;
    if (units.get(unit.key) === unit) units.delete(unit.key);
  };
  const keep = (unit: Unit): void => {
    unit.kept = true;
    if (kept.size >= maxUnits) kept.delete(kept.values().next().value ?? '');
    kept.add(unit.key);
    for (const span of take(unit)) next.onEnd(span);
  };
  const wait = (unit: Unit, span: ReadableSpan): void => {
    unit.waiting.push(span);
    waiting += 1;
    chars += contentSize(span.attributes);
    for (const oldest of units.values()) {
      if (waiting <= bounds.maxItems && chars <= bounds.maxContentChars) break;
      leave(oldest);
    }
  };
  const enter = (key: string): Unit => {
    const known = units.get(key);
    if (known) return known;
    const [oldest] = units.size >= maxUnits ? units.values() : [];
    if (oldest) leave(oldest);
    const unit = { key, open: 0, kept: kept.has(key), waiting: [] };
    units.set(key, unit);
    return unit;
  };
  return { units, kept, enter, keep, leave, wait };
}

function keyOf(span: Pick<ReadableSpan, 'attributes' | 'spanContext'>): string {
  const task = span.attributes['agent.task.id'];
  return typeof task === 'string' ? task : span.spanContext().traceId;
}

function isFailed({ status, attributes }: ReadableSpan): boolean {
  return (
    status.code === 2 ||
    attributes['agent.budget.exceeded'] !== undefined ||
    attributes['agent.tool.result.error_like'] === true ||
    attributes['agent.tool.result.valid'] === false ||
    attributes['agent.tool.arguments.valid'] === false
  );
}

function isBad(eventName: string | undefined, attributes: Attributes | Record<string, unknown>) {
  switch (eventName) {
    case 'agent.outcome':
      return attributes['agent.outcome'] === 'failure';
    case 'agent.approval':
      return ['denied', 'expired'].includes(String(attributes['agent.approval.status']));
    case 'agent.task.state':
      return ['failed', 'cancelled'].includes(String(attributes['agent.task.state']));
    default:
      return false;
  }
}
