import { randomUUID } from 'node:crypto';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { known } from './attributes.ts';
import { spoken } from './content.ts';
import { emitLog } from './event.ts';
import { attempt } from './guard.ts';
import { activeTask } from './task-context.ts';

export type Risk = 'low' | 'medium' | 'high' | 'critical';

export interface ApprovalRequest {
  /** What is to be allowed: `refund 120 USD to the card`. */
  readonly action: string;
  /** Id to pair request and decision by. Without one it is made out of the task's id, so that the decision finds the task. */
  readonly id?: string | undefined;
  /** Id of the tool call that waits. */
  readonly callId?: string | undefined;
  readonly risk?: Risk | undefined;
  readonly expiresAt?: Date | undefined;
}

export interface ApprovalDecision {
  readonly status: 'approved' | 'denied' | 'expired';
  /** Who decided; left out for a policy. */
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
  readonly action?: string | undefined;
  /** The task that asked; needed only in another process and with an approval id of your own. */
  readonly taskId?: string | undefined;
}

/** Closes a made id; what stands before it is the id of the task that asked. */
const made = /^(.+)\/approval-[0-9a-f]{16}$/s;

/** The task that an approval id names; `undefined` for an id that was not made here. */
export function taskOfApproval(id: string): string | undefined {
  return made.exec(id)?.[1];
}

function makeId(): string {
  const task = activeTask()?.identity.id;
  const random = `approval-${randomUUID().replaceAll('-', '').slice(0, 16)}`;
  return task === undefined ? random : `${task}/${random}`;
}

/** Approvals by people: asked for in one process, decided in the same or another, paired by id. */
export const approval = {
  /** Reports that an action waits for approval; returns the approval's id. */
  request({ action, id = makeId(), callId, risk, expiresAt }: ApprovalRequest): string {
    attempt('approval.request', () =>
      emitLog(
        'agent.approval',
        known({
          'agent.approval.id': id,
          'agent.approval.status': 'requested',
          'agent.approval.action': spoken(action, 'agent.approval.action'),
          'agent.approval.call_id': callId,
          'agent.approval.risk': risk,
          'agent.approval.expires_at': expiresAt?.toISOString(),
        }),
      ),
    );
    return id;
  },

  /** Reports the decision on a requested approval, to the task that asked, from any process. */
  decide(id: string, { status, by, reason, action, taskId }: ApprovalDecision): void {
    attempt('approval.decide', () => {
      const asked = taskId ?? taskOfApproval(id);
      const here = asked === undefined || asked === activeTask()?.identity.id;
      emitLog(
        'agent.approval',
        known({
          'agent.task.id': asked,
          'agent.approval.id': id,
          'agent.approval.status': status,
          'agent.approval.by': by,
          'agent.approval.reason': spoken(reason, 'agent.approval.reason'),
          'agent.approval.action': spoken(action, 'agent.approval.action'),
        }),
        // Decided inside another task or request, it must not carry that one's trace and names.
        here ? context.active() : ROOT_CONTEXT,
      );
    });
  },
} as const;
