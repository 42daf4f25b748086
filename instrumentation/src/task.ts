import { randomUUID } from 'node:crypto';
import { type Context, context, type Link, type Span, trace } from '@opentelemetry/api';
import { type Budget, newMeter } from './budget.ts';
import { emitState, type Transition } from './event.ts';
import { errorType, failSpan } from './failure.ts';
import { attempt, guard } from './guard.ts';
import { suspensionToken } from './resume-token.ts';
import { runtime, scope } from './runtime.ts';
import { type Run, run, type Settled } from './settle.ts';
import {
  type ActiveTask,
  activeTask,
  inheritedAttributes,
  newTask,
  type TaskIdentity,
  type TaskStateName,
  type Traffic,
  withActiveTask,
} from './task-context.ts';

export interface TaskOptions {
  /** Kind of work, a name of low cardinality: `refund`. */
  readonly workflow: string;
  /** Id of the task; without one the idempotency key, else a random UUID. */
  readonly id?: string | undefined;
  /** The same key is the same task, tried again. */
  readonly idempotencyKey?: string | undefined;
  /** Ticket, order or pull request by which an outcome can be joined later. */
  readonly ref?: string | undefined;
  /** Id of the task this one is a part of; inside another task that one. */
  readonly parent?: string | undefined;
  /** Number of this try, from 1; by default counted within the process. */
  readonly attempt?: number | undefined;
  readonly traffic?: Traffic | undefined;
  /** Name of the agent that does the work. */
  readonly agent?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly userId?: string | undefined;
  readonly prompt?: { readonly name: string; readonly version?: string | undefined } | undefined;
  /** What it may spend; else the one given to `register()`. */
  readonly budget?: Budget | undefined;
  /** How often `fn` is run until it neither throws nor rejects; 1 by default. A budget's stop is not tried again. */
  readonly maxAttempts?: number | undefined;
}

export interface SuspendOptions {
  readonly reason?: string | undefined;
  /** Id of the approval it waits for, from `approval.request`. */
  readonly approvalId?: string | undefined;
}

/** A task under way. No method throws. */
export interface Task {
  readonly id: string;
  readonly workflow: string;
  readonly attempt: number;
  /** Reports the step it has reached. */
  step(name: string): void;
  /** Ends it as cancelled: neither success nor failure. It does not stop the code. */
  cancel(reason?: string): void;
  /**
   * Reports that it waits for a person. When `fn` returns, the task is left waiting; `resumeTask` continues it with the
   * returned token, in any process and at any time. The token is opaque text, and holds ids only.
   */
  suspend(options?: SuspendOptions): string;
}

const maxFailedAttempts = 10_000;

/**
 * Runs `fn` as a task: its states are reported as they are reached, its spans carry its id. Returns what `fn` returns.
 * Inside another task, without an id of its own, it joins that task; with another id it is a subtask.
 */
export function withTask<T>(options: TaskOptions, fn: (task: Task) => T): T {
  const current = activeTask();
  if (current && joins(current, options)) {
    return current.role === 'queued'
      ? runTask(adopt(current, options), {}, fn)
      : join(current, options, fn);
  }
  const task = guard(
    'task.identity',
    () => {
      const identity = identityOf(options, current);
      return newTask(identity, 'owned', newMeter(options.budget, identity.id, current?.meter));
    },
    undefined,
  );
  if (!task) return fn(inert);
  return attempts(task, options.maxAttempts ?? 1, (again) => runTask(again, {}, fn));
}

/** Runs a task again while it fails: attempt + 1, the same budget. */
function attempts<T>(task: ActiveTask, left: number, once: (task: ActiveTask) => T): T {
  const again = (error: unknown): T => {
    if (left <= 1 || task.meter?.stopped || task.state === 'cancelled') throw error;
    const identity = { ...task.identity, attempt: task.identity.attempt + 1 };
    return attempts(newTask(identity, 'owned', task.meter), left - 1, once);
  };
  let result: T;
  try {
    result = once(task);
  } catch (error) {
    return again(error);
  }
  if (left <= 1 || !(result instanceof Promise)) return result;
  return result.catch(again) as T;
}

/** The task that is active here. */
export function currentTask(): Task | undefined {
  const task = activeTask();
  return task && handleOf(task, trace.getActiveSpan());
}

/** How a task's span begins: in the active trace, or in a new one that is linked to the old. */
export interface TaskStart {
  readonly root?: boolean;
  readonly links?: readonly Link[];
  readonly transition?: Transition;
}

/** Runs the lifecycle of a task that this process owns. */
export function runTask<T>(task: ActiveTask, start: TaskStart, fn: (task: Task) => T): T {
  let handle: Task = inert;
  const begin = (): Run => {
    const { workflow } = task.identity;
    const at = withActiveTask(context.active(), task);
    const span = workflowSpan(workflow, at, start);
    const inside = trace.setSpan(at, span);
    handle = handleOf(task, span);
    emitState(task, 'running', inside, start.transition);
    return {
      context: inside,
      end: (settled) => {
        attempt('task.state', () => finishTask(task, span, inside, settled));
        span.end();
      },
    };
  };
  return run('task', begin, () => fn(handle));
}

/** A part of a task in the same task: a span, and no states of its own. */
function join<T>(task: ActiveTask, options: TaskOptions, fn: (task: Task) => T): T {
  let handle: Task = inert;
  const begin = (): Run => {
    const at = context.active();
    const span = workflowSpan(options.workflow, at, {});
    handle = handleOf(task, span);
    return {
      context: trace.setSpan(at, span),
      end: (settled) => {
        if (!settled.ok) attempt('task.error', () => failSpan(span, settled.error));
        span.end();
      },
    };
  };
  return run('task', begin, () => fn(handle));
}

function workflowSpan(workflow: string, at: Context, start: TaskStart): Span {
  return trace.getTracer(scope.name, scope.version).startSpan(
    `invoke_workflow ${workflow}`,
    {
      ...(start.root && { root: true }),
      ...(start.links && { links: [...start.links] }),
      attributes: {
        ...inheritedAttributes(at),
        'gen_ai.operation.name': 'invoke_workflow',
        'gen_ai.workflow.name': workflow,
      },
    },
    at,
  );
}

function finishTask(task: ActiveTask, span: Span, inside: Context, settled: Settled): void {
  const { id, attempt: number } = task.identity;
  const { failedAttempts } = runtime();
  task.ended = true;
  if (task.state === 'cancelled') return;
  if (!settled.ok) {
    failSpan(span, settled.error);
    failedAttempts.delete(id);
    if (failedAttempts.size >= maxFailedAttempts) {
      failedAttempts.delete(failedAttempts.keys().next().value ?? '');
    }
    failedAttempts.set(id, number);
    emitState(task, 'failed', inside, { reason: errorType(settled.error) });
  } else if (task.state === 'running') {
    failedAttempts.delete(id);
    emitState(task, 'done', inside);
  }
}

function handleOf(task: ActiveTask, span: Span | undefined): Task {
  const { id, workflow, attempt: number } = task.identity;
  const report = (state: TaskStateName, transition: Transition = {}): void => {
    if (task.ended) return;
    const base = withActiveTask(context.active(), task);
    emitState(task, state, span ? trace.setSpan(base, span) : base, transition);
  };
  return {
    id,
    workflow,
    attempt: number,
    step: (name) =>
      attempt('task.step', () => {
        task.step = String(name);
        report(task.state);
      }),
    cancel: (reason) => attempt('task.cancel', () => report('cancelled', { reason })),
    suspend: ({ reason, approvalId } = {}) => {
      attempt('task.suspend', () => report('waiting_for_approval', { reason, approvalId }));
      return guard('task.token', () => suspensionToken(task, span), '');
    },
  };
}

/** A queued task starts where it is received, with what the receiver knows about it. */
function adopt(queued: ActiveTask, options: TaskOptions): ActiveTask {
  const { id, attempt: number, parentId, traffic } = queued.identity;
  queued.role = 'joined';
  const own = { ...options, id, attempt: number, parent: parentId };
  const meter = newMeter(options.budget, id, undefined);
  return newTask(identityOf({ traffic, ...own }, undefined), 'owned', meter);
}

function joins(current: ActiveTask, options: TaskOptions): boolean {
  const id = options.id ?? options.idempotencyKey;
  return id === undefined || id === current.identity.id;
}

/** A new task's identity; a subtask inherits who it is done for. */
export function identityOf(options: TaskOptions, parent: ActiveTask | undefined): TaskIdentity {
  const id = String(options.id ?? options.idempotencyKey ?? randomUUID());
  return {
    id,
    workflow: String(options.workflow),
    attempt: options.attempt ?? (runtime().failedAttempts.get(id) ?? 0) + 1,
    idempotencyKey: options.idempotencyKey,
    parentId: options.parent ?? parent?.identity.id,
    ref: options.ref,
    traffic: options.traffic ?? parent?.identity.traffic,
    sessionId: options.sessionId ?? parent?.identity.sessionId,
    userId: options.userId ?? parent?.identity.userId,
    agent: options.agent,
    prompt: options.prompt,
  };
}

/** Stands in where even the identity could not be read. */
const inert: Task = {
  id: '',
  workflow: '',
  attempt: 1,
  step: () => undefined,
  cancel: () => undefined,
  suspend: () => '',
};
