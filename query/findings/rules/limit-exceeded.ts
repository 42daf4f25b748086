import type { Step } from '../../decisions/model.ts';
import type { Found, Rule } from '../rule.ts';
import { resultSpans } from '../rule.ts';

/**
 * A budget was exceeded, or the task ended although its last decision had called tools and seen none of the results: a
 * limit on steps cut it off. Blind spot: agents whose last act is meant to be a tool call; tools that are named for it
 * (`final_answer`, `submit_…`, `finish`) and requests that ask for a call (`tool_choice`) are left out.
 */
export const limitExceeded: Rule = {
  id: 'limit_exceeded',
  version: 2,
  class: 'fact',
  severity: 'error',
  level: 'M',
  parameters: {},
  find: (trajectory) => {
    const { steps, spans, ended } = trajectory;
    const bySpan = new Map(steps.map((step) => [step.span_id, step]));
    const budgets = spans.flatMap((span): Found[] => {
      const budget = span.attributes['agent.budget.exceeded'];
      if (budget === undefined || budget === '') return [];
      const text = `${span.name || span.kind} exceeded its budget: ${budget}`;
      return [{ step: bySpan.get(span.span_id) ?? null, spans: [span.span_id], text }];
    });
    if (budgets.length > 0 || !ended) return budgets;
    const last = steps.findLast(({ kind }) => kind === 'inference');
    const calls = last?.chosen?.calls ?? [];
    const final = /^(final|finish|submit|respond|answer|done|complete|stop|exit)/i;
    const unseen =
      last !== undefined &&
      calls.length > 0 &&
      calls.every(
        ({ handoffTo, tool, result }) =>
          handoffTo === null && !final.test(tool) && !['missing', 'denied'].includes(result.status),
      );
    if (!unseen || asksForCall(last) || handedOff(trajectory.steps, last.n)) return [];
    const names = calls.map(({ tool }) => tool).join(', ');
    const text = `the task ended after #${last.n} of ${steps.length} decisions: no decision saw the result of ${names}`;
    return [{ step: last, spans: [last.span_id, ...calls.flatMap(resultSpans)], text }];
  },
};

/** A request that allows nothing but a call is answered by one: code goes on with it. */
function asksForCall({ toolChoice }: Step): boolean {
  return (
    toolChoice !== null && !/^\W*(?:auto|none)\b/i.test(toolChoice) && !/"auto"/.test(toolChoice)
  );
}

function handedOff(steps: Parameters<Rule['find']>[0]['steps'], after: number): boolean {
  return steps.some(
    ({ n, chosen }) => n > after && chosen?.calls.some(({ handoffTo }) => handoffTo !== null),
  );
}
