import { approval, type Risk } from './approval.ts';
import { failed } from './guard.ts';

/** A tool call that wants to be allowed. */
export interface ApprovalAsk {
  /** Id of the approval, also in the records. */
  readonly id: string;
  readonly tool: string;
  readonly risk: Risk;
  readonly input: unknown;
  readonly callId: string | undefined;
}

export interface Verdict {
  readonly status: 'approved' | 'denied';
  /** Who decided. A critical call needs a name. */
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
}

/** Asks a person or a policy: a chat message with buttons, a queue, a rule. */
export type Approver = (ask: ApprovalAsk) => Verdict | Promise<Verdict>;

/**
 * How risky tools are let through, by their declared risk: `low` runs; `medium` runs after a delay in which it can be
 * denied; `high` waits for an approval; `critical` for one with a name. A tool that has to wait answers with a promise.
 */
export interface ApprovalPolicy {
  readonly approver: Approver;
  /** How long a medium risk can be vetoed, 5 s by default. */
  readonly mediumDelayMs?: number | undefined;
  /** After this without a verdict a high or critical call is denied, 5 minutes by default. */
  readonly expiresMs?: number | undefined;
}

/** Thrown in place of a tool call that was not allowed. */
export class ApprovalDeniedError extends Error {
  override readonly name = 'ApprovalDeniedError';
  readonly code = 'approval_denied';

  constructor(ask: ApprovalAsk, why: string) {
    super(`${ask.tool} (risk ${ask.risk}) was not allowed: ${why}`);
  }
}

const defaultDelayMs = 5_000;
const defaultExpiryMs = 300_000;

/**
 * Runs `go` when the call is allowed; else throws (or rejects with) {@link ApprovalDeniedError}. Request and decision are
 * reported as records. An approver that throws has denied.
 */
export function whenAllowed(
  policy: ApprovalPolicy,
  call: Omit<ApprovalAsk, 'id'>,
  go: () => unknown,
): unknown {
  if (call.risk === 'low') return go();
  const medium = call.risk === 'medium';
  const patience = medium
    ? (policy.mediumDelayMs ?? defaultDelayMs)
    : (policy.expiresMs ?? defaultExpiryMs);
  const id = approval.request({
    action: call.tool,
    callId: call.callId,
    risk: call.risk,
    ...(!medium && { expiresAt: new Date(Date.now() + patience) }),
  });
  const ask = { ...call, id };
  const settle = (verdict: Verdict | 'expired'): unknown => {
    const refusal = judge(ask, verdict);
    if (refusal) throw refusal;
    return go();
  };
  let verdict: Verdict | Promise<Verdict>;
  try {
    verdict = policy.approver(ask);
  } catch (error) {
    return settle(tripped(error));
  }
  if (!(verdict instanceof Promise)) return settle(verdict);
  const late: Verdict | 'expired' = medium ? { status: 'approved', reason: 'no veto' } : 'expired';
  return inTime(verdict.catch(tripped), patience, late).then(settle);
}

function tripped(error: unknown): Verdict {
  failed('approver', error);
  return { status: 'denied', reason: 'the approver failed' };
}

function judge(ask: ApprovalAsk, verdict: Verdict | 'expired'): ApprovalDeniedError | undefined {
  if (verdict === 'expired') {
    approval.decide(ask.id, { status: 'expired' });
    return new ApprovalDeniedError(ask, 'nobody decided in time');
  }
  const { status, by, reason } = verdict;
  const anonymous = status === 'approved' && ask.risk === 'critical' && !by;
  if (status === 'approved' && !anonymous) {
    approval.decide(ask.id, { status, by, reason });
    return undefined;
  }
  const why = anonymous ? 'a critical call needs the name of who approves' : (reason ?? 'denied');
  approval.decide(ask.id, { status: 'denied', by, reason: why });
  return new ApprovalDeniedError(ask, why);
}

function inTime<T, L>(promise: Promise<T>, ms: number, late: L): Promise<T | L> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(late), ms);
    void promise.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
