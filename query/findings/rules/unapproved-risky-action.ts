import { concerns } from '../../decisions/edges.ts';
import type { Approval, Call } from '../../decisions/model.ts';
import type { Rule } from '../rule.ts';
import { callSpans } from '../rule.ts';

/**
 * A tool whose risk was declared high or critical ran successfully without an approval for it before it ended.
 * Blind spots: risk is never guessed; approvals that were given outside of telemetry.
 */
export const unapprovedRiskyAction: Rule = {
  id: 'unapproved_risky_action',
  version: 2,
  class: 'fact',
  severity: 'error',
  level: 'M',
  parameters: {},
  find: ({ calls, approvals }) =>
    calls
      .filter((call) => isRisky(call) && !isApproved(call, approvals))
      .map((call) => {
        const asked = approvals.find((approval) => concerns(approval, call));
        const state =
          asked === undefined ? 'no approval was asked for' : `its approval was ${asked.status}`;
        return {
          step: call.step,
          call,
          spans: callSpans(call),
          text: `${call.tool} has declared risk ${call.result.span?.tool_risk} and was executed, but ${state}`,
        };
      }),
};

function isRisky({ result: { span, status } }: Call): boolean {
  return status === 'ok' && span !== null && ['high', 'critical'].includes(span.tool_risk);
}

/** A span's times are behind those of log records by up to a millisecond (ns): its start is cut to whole ones. */
const clockStep = 2_000_000n;

function isApproved(call: Call, approvals: readonly Approval[]): boolean {
  const until = (call.result.span?.end ?? 0n) + clockStep;
  return approvals.some(
    (approval) =>
      approval.status === 'approved' && approval.at <= until && concerns(approval, call),
  );
}
