import { randomUUID } from 'node:crypto';
import { known } from './attributes.ts';
import { spoken } from './content.ts';
import { emitLog } from './event.ts';
import { attempt } from './guard.ts';

export type Risk = 'low' | 'medium' | 'high' | 'critical';

export interface ApprovalRequest {
  /** What is to be allowed: `refund 120 USD to the card`. */
  readonly action: string;
  /** Id to pair request and decision by; made when absent. */
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
}

/** Approvals by people: asked for in one process, decided in the same or another, paired by id. */
export const approval = {
  /** Reports that an action waits for approval; returns the approval's id. */
  request({ action, id = randomUUID(), callId, risk, expiresAt }: ApprovalRequest): string {
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

  /** Reports the decision on a requested approval. */
  decide(id: string, { status, by, reason, action }: ApprovalDecision): void {
    attempt('approval.decide', () =>
      emitLog(
        'agent.approval',
        known({
          'agent.approval.id': id,
          'agent.approval.status': status,
          'agent.approval.by': by,
          'agent.approval.reason': spoken(reason, 'agent.approval.reason'),
          'agent.approval.action': spoken(action, 'agent.approval.action'),
        }),
      ),
    );
  },
} as const;
