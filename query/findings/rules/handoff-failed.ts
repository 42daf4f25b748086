import { isFailure } from '../../decisions/edges.ts';
import type { Call, Step, Trajectory } from '../../decisions/model.ts';
import { cut, errorText } from '../../decisions/wording.ts';
import type { Found, Rule } from '../rule.ts';
import { callSpans } from '../rule.ts';

/**
 * An agent handed over and nobody took over: the target made no decision within five minutes of the handoff, or its
 * first model call failed, or control came back although it had neither answered nor made a call that succeeded. A
 * handoff to a human failed only when its tool did.
 * Blind spots: targets that send no telemetry of their own; a target that returned something of no use.
 */
export const handoffFailed: Rule = {
  id: 'handoff_failed',
  version: 2,
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
  if (target !== undefined && target.start <= until) {
    if (target.chosen?.none === 'error') return 'its first model call ended in an error';
    return cameBackEmpty(target, from, trajectory) ? 'control came back without a result' : null;
  }
  if (!trajectory.ended && target === undefined) return null;
  return `no decision of ${call.handoffTo} within ${minutes} minutes`;
}

/** Whether the agent that handed over decided again, and the other one had achieved nothing that is known by then. */
function cameBackEmpty(target: Step, from: Step, { steps }: Trajectory): boolean {
  const back = steps.find(
    ({ kind, agent, start }) =>
      kind === 'inference' &&
      agent === from.agent &&
      agent !== target.agent &&
      start > target.start,
  );
  if (back === undefined) return false;
  return steps
    .filter(({ agent, start }) => agent === target.agent && start >= from.end && start < back.start)
    .every(({ chosen }) => {
      if (chosen === null || chosen.value !== null) return false;
      if (chosen.answer !== null) return chosen.answer.text === '';
      return chosen.calls.every(
        (call) =>
          call.handoffTo === from.agent || isFailure(call) || call.result.status === 'denied',
      );
    });
}
