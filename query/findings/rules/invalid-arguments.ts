import type { Rule } from '../rule.ts';
import { callSpans } from '../rule.ts';

/**
 * Arguments are not JSON or violate the JSON Schema that was offered for the tool (or the tool's own validation said
 * so). Keys that the schema does not know count only with `additionalProperties: false`.
 * Tools that take text of any form are left out.
 * Blind spots: `pattern` and `format` are not evaluated; schemas that were not captured.
 */
export const invalidArguments: Rule = {
  id: 'invalid_arguments',
  version: 2,
  class: 'fact',
  severity: 'error',
  level: 'M',
  parameters: {},
  find: ({ calls }) =>
    calls
      .filter(({ valid }) => valid === false)
      .map((call) => {
        const reasons =
          call.violations.length === 0 ? 'by its own check' : call.violations.join('; ');
        return {
          step: call.step,
          call,
          spans: callSpans(call),
          text: `arguments of ${call.tool} do not fit the schema of the tool: ${reasons}`,
          detail: { violations: call.violations },
        };
      }),
};
