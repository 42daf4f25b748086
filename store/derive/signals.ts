import type { HandoffSignal } from './handoffs.ts';
import type { TaskEvent, TaskSpan } from './telemetry.ts';

/** A verdict is about the task, not a part of it: such a log record neither makes a task nor extends one. */
export const VERDICTS: ReadonlySet<string> = new Set(['agent.outcome', 'gen_ai.evaluation.result']);

/** "The task entered this state now." */
export interface StateSignal {
  readonly at: bigint;
  readonly state: string;
  readonly reason: string;
}

/** "A person was asked", or what became of it. */
export interface ApprovalSignal {
  readonly at: bigint;
  /** Equal for request and decision. Without one the call or the action names the approval. */
  readonly id: string;
  /** requested, approved, denied or expired. */
  readonly status: string;
}

/** What the events and log records of a task tell. */
export interface Signals {
  readonly states: StateSignal[];
  readonly approvals: ApprovalSignal[];
  /** What a person decided at the agent's own prompt; the agent goes on either way, so no state follows. */
  readonly decisions: ApprovalSignal[];
  readonly handoffs: HandoffSignal[];
}

/**
 * Adds what an event says; span events and log records of the same name mean the same. `inside` is the tool or handoff
 * span in which it was told.
 */
export function hear(signals: Signals, event: TaskEvent, inside: TaskSpan | null): void {
  const of = (key: string) => event.attributes.get(key) ?? '';
  const at = event.time;
  if (event.name === 'agent.task.state') {
    const state = of('agent.task.state');
    if (state !== '') signals.states.push({ at, state, reason: of('agent.task.reason') });
  } else if (event.name === 'agent.approval') {
    const id =
      of('agent.approval.id') || of('agent.approval.call_id') || of('agent.approval.action');
    signals.approvals.push({ at, id, status: of('agent.approval.status') });
  } else if (event.name === 'agent.handoff') {
    signals.handoffs.push({ at, to: of('agent.handoff.to'), inside });
  }
}
