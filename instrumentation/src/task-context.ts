import { type Attributes, type Context, context, createContextKey } from '@opentelemetry/api';
import { known } from './attributes.ts';
import type { Meter } from './budget.ts';
import type { PendingCall } from './pending-calls.ts';

/** `live` counts in SLOs, drift and cost; the others are kept apart. */
export type Traffic = 'live' | 'shadow' | 'eval' | 'synthetic';

export type TaskStateName =
  | 'queued'
  | 'running'
  | 'waiting_for_approval'
  | 'done'
  | 'failed'
  | 'cancelled';

/** What names a task, in this process and in every other that works on it. */
export interface TaskIdentity {
  readonly id: string;
  readonly workflow: string;
  readonly attempt: number;
  readonly idempotencyKey?: string | undefined;
  readonly parentId?: string | undefined;
  readonly ref?: string | undefined;
  readonly traffic?: Traffic | undefined;
  readonly sessionId?: string | undefined;
  readonly userId?: string | undefined;
  readonly agent?: string | undefined;
  readonly prompt?: { readonly name: string; readonly version?: string | undefined } | undefined;
}

/** A task as it runs in this process. */
export interface ActiveTask {
  readonly identity: TaskIdentity;
  /** On every span and log record of the task. */
  readonly attributes: Attributes;
  /** `queued` until the process that received it starts it; `owned` where its lifecycle is reported. */
  role: 'queued' | 'joined' | 'owned';
  state: TaskStateName;
  step: string | undefined;
  /** After its end nothing more is reported. */
  ended: boolean;
  /** Tool calls that models asked for and no tool span has taken yet. Bounded. */
  readonly pendingCalls: PendingCall[];
  /** What it may spend, if anything is limited. */
  readonly meter: Meter | undefined;
}

/** One agent's turn-taking: counts its model calls. */
export interface AgentScope {
  readonly agent: string | undefined;
  iteration: number;
}

const taskKey = createContextKey('plumbline.task');
const agentKey = createContextKey('plumbline.agent');

export function newTask(
  identity: TaskIdentity,
  role: ActiveTask['role'],
  meter?: Meter | undefined,
): ActiveTask {
  return {
    identity,
    attributes: taskAttributes(identity),
    role,
    state: role === 'queued' ? 'queued' : 'running',
    step: undefined,
    ended: false,
    pendingCalls: [],
    meter,
  };
}

/** The task of a context, the active one by default. */
export function activeTask(from: Context = context.active()): ActiveTask | undefined {
  return from.getValue(taskKey) as ActiveTask | undefined;
}

export function activeScope(from: Context = context.active()): AgentScope | undefined {
  return from.getValue(agentKey) as AgentScope | undefined;
}

/** The context in which everything belongs to the task; a fresh agent scope goes with it. */
export function withActiveTask(from: Context, task: ActiveTask): Context {
  return withAgentScope(from.setValue(taskKey, task), task.identity.agent);
}

export function withAgentScope(from: Context, agent: string | undefined): Context {
  return from.setValue(agentKey, { agent, iteration: 0 } satisfies AgentScope);
}

/** Attributes of the current task and agent, for the spans that this package starts itself. */
export function inheritedAttributes(from: Context): Attributes {
  return {
    ...activeTask(from)?.attributes,
    ...known({ 'gen_ai.agent.name': activeScope(from)?.agent }),
  };
}

function taskAttributes(identity: TaskIdentity): Attributes {
  return known({
    'agent.task.id': identity.id,
    'agent.task.workflow': identity.workflow,
    'agent.task.attempt': identity.attempt,
    'agent.task.idempotency_key': identity.idempotencyKey,
    'agent.task.parent_id': identity.parentId,
    'agent.task.ref': identity.ref,
    'agent.task.traffic': identity.traffic,
    'gen_ai.conversation.id': identity.sessionId,
    'user.id': identity.userId,
    'gen_ai.prompt.name': identity.prompt?.name,
    'gen_ai.prompt.version': identity.prompt?.version,
  });
}
