import type { Rule } from '../rule.ts';

/**
 * A model call ended normally with neither text nor a tool call.
 * Blind spot: content that was not captured; answers that consist of images or audio are not empty.
 */
export const emptyAnswer: Rule = {
  id: 'empty_answer',
  version: 2,
  class: 'fact',
  severity: 'warn',
  level: 'M',
  parameters: {},
  find: ({ steps }) =>
    steps
      .filter(({ chosen }) => chosen?.answer?.type === 'answer' && chosen.answer.text === '')
      .map((step) => ({
        step,
        spans: [step.span_id],
        text: `${step.model ?? 'the model'} answered with no text and no call (finish reason ${step.finish})`,
      })),
};
