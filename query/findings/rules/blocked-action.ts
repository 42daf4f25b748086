import type { Rule } from '../rule.ts';
import { resultSpans } from '../rule.ts';

/**
 * A tool call was denied by a person, a policy or a guardrail.
 * Blind spot: denials that are told only in the text of a result.
 */
export const blockedAction: Rule = {
  id: 'blocked_action',
  version: 1,
  class: 'fact',
  severity: 'info',
  level: 'M',
  parameters: {},
  find: ({ calls }) =>
    calls
      .filter(({ result }) => result.status === 'denied')
      .map((call) => ({
        step: call.step,
        call,
        spans: resultSpans(call),
        text: `${call.tool} was chosen but denied`,
      })),
};
