import { isFailure } from '../../decisions/edges.ts';
import type { Call, Step, Trajectory } from '../../decisions/model.ts';
import { cut, errorText } from '../../decisions/wording.ts';
import type { Found, Rule } from '../rule.ts';
import { callSpans } from '../rule.ts';

/**
 * An agent handed over and nobody took over: the target made no decision within five minutes of the handoff, or its
 * first model call failed. A handoff to a human failed only when its tool did.
 * Blind spots: targets that send no telemetry of their own; a target that took over and returned nothing of use.
 */
export const handoffFailed: Rule = {
  id: 'handoff_failed',
  version: 1,
  class: 'fact',
  severity: 'error',
  level: 'M',
  parameters: { minutes: 5 },
  find: (trajectory, parameters) =>
    trajectory.calls.flatMap((call): Found[] => {
      if (call.handoffTo === null || call.step === null) return [];
      const reason = failureOf(call, call.step, trajectory, parameters['minutes'] ?? 5);
      if (reason === null) return [];
      const text = `the handoff to ${call.handoffTo} failed: ${reason}`;
      return [{ step: call.step, call, spans: callSpans(call), text }];
    }),
};

function failureOf(call: Call, from: Step, trajectory: Trajectory, minutes: number): string | null {
  if (isFailure(call)) return cut(errorText(call.result.text ?? 'its tool reported an error'), 120);
  if (call.handoffTo === 'human') return null;
  const until = from.end + BigInt(Math.round(minutes * 60)) * 1_000_000_000n;
  const target = trajectory.steps.find(
    ({ agent, start, kind }) =>
      kind === 'inference' && agent === call.handoffTo && start >= from.end,
  );
  if (target !== undefined && target.start <= until)
    return target.chosen?.none === 'error' ? 'its first model call ended in an error' : null;
  if (!trajectory.ended && target === undefined) return null;
  return `no decision of ${call.handoffTo} within ${minutes} minutes`;
}
