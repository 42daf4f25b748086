import type { Rule } from '../rule.ts';

/**
 * The provider marked the output as a refusal, or filtered it. The words of an answer are not judged: a text pattern
 * hits most successful runs too. Blind spot: refusals in plain text.
 */
export const refusal: Rule = {
  id: 'refusal',
  version: 1,
  class: 'fact',
  severity: 'info',
  level: 'M',
  parameters: {},
  find: ({ steps }) =>
    steps
      .filter(
        ({ chosen, finish }) => chosen?.answer?.type === 'refusal' || finish === 'content_filter',
      )
      .map((step) => ({
        step,
        spans: [step.span_id],
        text:
          step.finish === 'content_filter'
            ? 'the output was withheld by the provider’s content filter'
            : 'the model refused instead of answering',
      })),
};
