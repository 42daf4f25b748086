import { cut, oneLine } from '../../decisions/wording.ts';
import type { Rule } from '../rule.ts';
import { resultSpans } from '../rule.ts';

/**
 * A tool reported success, but its result reads as an error (BEHAVIOUR §2, "content").
 * Blind spots: errors worded otherwise, in other languages, or below the top level of JSON; results of an unusual
 * shape are not judged yet (that needs learnt profiles).
 */
export const silentToolFailure: Rule = {
  id: 'silent_tool_failure',
  version: 1,
  class: 'judgement',
  severity: 'warn',
  level: 'M',
  parameters: {},
  find: ({ calls }) =>
    calls
      .filter(({ result }) => result.status === 'error' && result.detected_by === 'content')
      .map((call) => {
        const { span, text } = call.result;
        const claimed = span === null ? '' : ' with status OK';
        const said = text === null ? '' : `: ${cut(oneLine(text), 160)}`;
        return {
          step: call.step,
          call,
          spans: resultSpans(call),
          text: `${call.tool} returned an error text${claimed}${said}`,
        };
      }),
};
