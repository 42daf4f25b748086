import { type Attributes, type Context, context, type Span, trace } from '@opentelemetry/api';
import { loggerProvider, severityInfo } from './logs-api.ts';
import { now, runtime, scope } from './runtime.ts';
import { type ActiveTask, activeTask, type TaskStateName } from './task-context.ts';

/** Sends a log record at once, in the span and with the task of the context. */
export function emitLog(
  name: string,
  attributes: Attributes,
  at: Context = context.active(),
): void {
  loggerProvider()
    ?.getLogger(scope.name, scope.version)
    .emit({
      eventName: name,
      timestamp: now(),
      severityNumber: severityInfo,
      attributes: { ...activeTask(at)?.attributes, ...attributes },
      context: at,
    });
}

/** Adds an event to the active span; without one that records, the same goes out as a log record. */
export function addEvent(name: string, attributes: Attributes): void {
  const span = recordingSpan();
  if (span) span.addEvent(name, attributes);
  else emitLog(name, attributes);
}

export interface Transition {
  readonly reason?: string | undefined;
  readonly resumedFrom?: string | undefined;
  readonly approvalId?: string | undefined;
}

/** Reports a state of the task the moment it is reached (DESIGN §10), so that a crash afterwards is visible. */
export function emitState(
  task: ActiveTask,
  state: TaskStateName,
  at: Context,
  transition: Transition = {},
): void {
  task.state = state;
  const attributes: Attributes = { ...task.attributes, 'agent.task.state': state };
  if (task.step !== undefined) attributes['agent.task.step'] = task.step;
  if (transition.reason !== undefined) attributes['agent.task.reason'] = transition.reason;
  if (transition.resumedFrom !== undefined) {
    attributes['agent.task.resumed_from'] = transition.resumedFrom;
  }
  if (transition.approvalId !== undefined) attributes['agent.approval.id'] = transition.approvalId;
  const { keeps } = runtime();
  if (keeps && ['done', 'failed', 'cancelled'].includes(state)) {
    attributes['agent.task.sampled'] = state !== 'done' || keeps(task.identity.id);
  }
  emitLog('agent.task.state', attributes, at);
}

function recordingSpan(): Span | undefined {
  const span = trace.getActiveSpan();
  return span?.isRecording() ? span : undefined;
}
