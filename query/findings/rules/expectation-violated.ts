import { isFailure } from '../../decisions/edges.ts';
import type { Call, Trajectory } from '../../decisions/model.ts';
import type { Expectation } from '../background.ts';
import type { Found, Rule } from '../rule.ts';
import { callSpans, spansOfCalls } from '../rule.ts';

/**
 * The task did not do what its workflow must do by the settings: a tool that is required, forbidden, or must have
 * succeeded before another; more calls than allowed. What is missing is only judged once the task has ended.
 * Blind spot: a tool under another name.
 */
export const expectationViolated: Rule = {
  id: 'expectation_violated',
  version: 1,
  class: 'fact',
  severity: 'error',
  level: 'M',
  parameters: {},
  find: (trajectory, _parameters, { expect }) =>
    expect === null ? [] : violationsOf(trajectory, expect),
};

/** What of an expectation does not hold. */
export function violationsOf(trajectory: Trajectory, expect: Expectation): Found[] {
  const { calls } = trajectory;
  return [
    ...missing(trajectory, expect.required),
    ...calls
      .filter(({ tool }) => expect.forbidden.includes(tool))
      .map((call) => at(call, `${call.tool} was called, which this workflow forbids`)),
    ...expect.before.flatMap((pair) => outOfOrder(calls, pair)),
    ...tooMany(calls, expect.max_calls),
  ];
}

function at(call: Call, text: string): Found {
  return { step: call.step, call, spans: callSpans(call), text };
}

function missing({ calls, steps, spans, ended }: Trajectory, required: readonly string[]): Found[] {
  const evidence = steps.at(-1) ?? spans[0];
  if (!ended || evidence === undefined) return [];
  return required
    .filter((name) => !calls.some((call) => call.tool === name && !isFailure(call)))
    .map((name) => {
      const failed = calls.some(({ tool }) => tool === name);
      const text = failed
        ? `${name} never succeeded, which this workflow requires`
        : `${name} was never called, which this workflow requires`;
      return { step: steps.at(-1) ?? null, spans: [evidence.span_id], text };
    });
}

/** The first call of the later tool that nothing of the earlier one went before. */
function outOfOrder(
  calls: readonly Call[],
  [first, then]: readonly [string, string],
): readonly Found[] {
  for (const call of calls) {
    if (call.tool === first && !isFailure(call)) return [];
    if (call.tool === then)
      return [at(call, `${then} was called before ${first} had succeeded, which must come first`)];
  }
  return [];
}

function tooMany(calls: readonly Call[], most: number | null): Found[] {
  const call = most === null ? undefined : calls[most];
  if (call === undefined || most === null) return [];
  const text = `${calls.length} calls were made, this workflow allows ${most}`;
  return [{ step: call.step, call, spans: spansOfCalls(calls.slice(most)), text }];
}
