import { isFailure } from '../../decisions/edges.ts';
import { cut, errorText } from '../../decisions/wording.ts';
import type { Rule } from '../rule.ts';
import { resultSpans } from '../rule.ts';

/**
 * A tool call failed and said so: by its span's status or by a flag in its result.
 * Blind spot: errors told only in the result's text are `silent_tool_failure`.
 */
export const toolError: Rule = {
  id: 'tool_error',
  version: 1,
  class: 'fact',
  severity: 'warn',
  level: 'M',
  parameters: {},
  find: ({ calls }) =>
    calls
      .filter((call) => isFailure(call) && call.result.detected_by !== 'content')
      .map((call) => {
        const { span, text, status, detected_by } = call.result;
        const said = span?.error_message || span?.error_type || text || '';
        const how = status === 'timeout' ? 'timed out' : 'failed';
        return {
          step: call.step,
          call,
          spans: resultSpans(call),
          text: `${call.tool} ${how} (by ${detected_by})${said === '' ? '' : `: ${cut(errorText(said), 160)}`}`,
        };
      }),
};
