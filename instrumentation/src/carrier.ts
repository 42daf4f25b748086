import { context, trace } from '@opentelemetry/api';
import { emitState } from './event.ts';
import { attempt, guard } from './guard.ts';
import { spanContextOf, trafficOf } from './resume-token.ts';
import { identityOf, type TaskOptions } from './task.ts';
import { type ActiveTask, activeTask, newTask, withActiveTask } from './task-context.ts';

/** Headers of a request or a queue message, or the environment of a child process. */
export type Carrier = Record<string, string | string[] | undefined>;

export interface InjectOptions {
  /** Writes `TRACEPARENT`, `TRACESTATE` and `BAGGAGE`, for the environment of a child process. */
  readonly env?: boolean;
}

const maxBaggageBytes = 8_192;

/**
 * Writes the active span and task into a carrier for another of your own processes: W3C `traceparent`, `tracestate` and, as
 * `baggage`, task id, workflow, attempt, parent id and traffic. Never a user, a session, a reference or a key.
 */
export function injectTask<C extends Carrier>(
  carrier: C,
  { env = false }: InjectOptions = {},
): C & Carrier {
  attempt('task.inject', () => inject(carrier, activeTask(), env));
  return carrier;
}

/**
 * Reports a task as queued and returns the headers to send with it. The consumer runs
 * `extractTask(headers, () => withTask({ workflow }, …))`, which starts that task.
 */
export function enqueueTask(options: TaskOptions, { env = false }: InjectOptions = {}): Carrier {
  const carrier: Carrier = {};
  attempt('task.enqueue', () => {
    const task = newTask(identityOf(options, undefined), 'queued');
    emitState(task, 'queued', withActiveTask(context.active(), task));
    inject(carrier, task, env);
  });
  return carrier;
}

/** Runs `fn` in the span and task that a carrier brought; without any, runs it as it is. */
export function extractTask<T>(carrier: Carrier, fn: () => T): T {
  const at = guard('task.extract', () => extract(carrier), undefined);
  return at ? context.with(at, fn) : fn();
}

function inject(carrier: Carrier, task: ActiveTask | undefined, env: boolean): void {
  const write = (name: string, value: string): void => {
    carrier[env ? name.toUpperCase() : name] = value;
  };
  const span = trace.getActiveSpan()?.spanContext();
  if (span) {
    const flags = (span.traceFlags & 0xff).toString(16).padStart(2, '0');
    write('traceparent', `00-${span.traceId}-${span.spanId}-${flags}`);
    const state = span.traceState?.serialize();
    if (state) write('tracestate', state);
  }
  if (!task) return;
  const present = textOf(carrier, 'baggage');
  const baggage = [...(present ? [present] : []), ...entriesOf(task)].join(',');
  if (Buffer.byteLength(baggage) <= maxBaggageBytes) write('baggage', baggage);
}

function entriesOf(task: ActiveTask): string[] {
  const { id, workflow, attempt: number, parentId, traffic } = task.identity;
  const entries: Record<string, string | undefined> = {
    'agent.task.id': id,
    'agent.task.workflow': workflow,
    'agent.task.attempt': String(number),
    'agent.task.parent_id': parentId,
    'agent.task.traffic': traffic,
    'agent.task.state': task.role === 'queued' ? 'queued' : undefined,
  };
  return Object.entries(entries).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
  );
}

function extract(carrier: Carrier): ReturnType<typeof context.active> | undefined {
  const [, traceId, spanId, flags] =
    /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/.exec(
      textOf(carrier, 'traceparent') ?? '',
    ) ?? [];
  const sampled = (Number.parseInt(flags ?? '1', 16) & 1) as 0 | 1;
  const remote = spanContextOf(traceId, spanId, sampled);
  const task = taskOf(textOf(carrier, 'baggage') ?? '');
  if (!remote && !task) return undefined;
  let at = context.active();
  if (remote) at = trace.setSpanContext(at, remote);
  return task ? withActiveTask(at, task) : at;
}

function taskOf(baggage: string): ActiveTask | undefined {
  const entries = new Map<string, string>();
  for (const member of baggage.slice(0, maxBaggageBytes).split(',')) {
    const [key, value] = (member.split(';')[0] ?? '').split('=');
    if (key?.trim().startsWith('agent.task.') && value !== undefined) {
      entries.set(key.trim(), decodeURIComponent(value.trim()));
    }
  }
  const id = entries.get('agent.task.id');
  if (!id) return undefined;
  return newTask(
    {
      id,
      workflow: entries.get('agent.task.workflow') ?? 'unknown',
      attempt: Number(entries.get('agent.task.attempt')) || 1,
      parentId: entries.get('agent.task.parent_id'),
      traffic: trafficOf(entries.get('agent.task.traffic')),
    },
    entries.get('agent.task.state') === 'queued' ? 'queued' : 'joined',
  );
}

/** Node lower-cases header names and lists repeated ones; environments are upper case. */
function textOf(carrier: Carrier, name: string): string | undefined {
  const value = carrier[name] ?? carrier[name.toUpperCase()];
  return Array.isArray(value) ? value.join(',') : value;
}
