import type { Rule } from '../rule.ts';

/**
 * One decision called more tools at once than any sensible plan needs.
 * Blind spot: an avalanche over many decisions (that needs the workflow's learnt profile).
 */
export const toolCallAvalanche: Rule = {
  id: 'tool_call_avalanche',
  version: 1,
  class: 'judgement',
  severity: 'warn',
  level: 'M',
  parameters: { calls: 20 },
  find: ({ steps }, parameters) => {
    const most = parameters['calls'] ?? 20;
    return steps
      .filter(({ chosen }) => (chosen?.calls.length ?? 0) > most)
      .map((step) => ({
        step,
        spans: [step.span_id],
        text: `one decision made ${step.chosen?.calls.length} calls, more than ${most}`,
      }));
  },
};
