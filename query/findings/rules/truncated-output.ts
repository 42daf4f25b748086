import type { Rule } from '../rule.ts';

/**
 * The model's output was cut off at its limit (finish reason `length`).
 * Blind spot: providers that report no finish reason.
 */
export const truncatedOutput: Rule = {
  id: 'truncated_output',
  version: 1,
  class: 'fact',
  severity: 'warn',
  level: 'M',
  parameters: {},
  find: ({ steps }) =>
    steps
      .filter(({ finish }) => finish === 'length')
      .map((step) => {
        const tokens = step.span?.output_tokens ?? null;
        const size = tokens === null ? 'its output limit' : `${tokens} output tokens`;
        return {
          step,
          spans: [step.span_id],
          text: `${step.model ?? 'the model'} stopped at ${size} before it was done`,
        };
      }),
};
