import type { Call } from '../../decisions/model.ts';
import { isThinkTool } from '../../decisions/tools.ts';
import type { Found, Rule } from '../rule.ts';
import { callSpans, placeOf } from '../rule.ts';

/**
 * The same tool was called with the same arguments and gave the same result earlier in the task.
 * Blind spots: results that differ in a time stamp; think tools and tools marked as polling are left out.
 */
export const repeatedCall: Rule = {
  id: 'repeated_call',
  version: 1,
  class: 'fact',
  severity: 'info',
  level: 'M',
  parameters: {},
  find: ({ calls }) =>
    sameCalls(calls).flatMap(([first, ...again]) =>
      again.map((call): Found => {
        const text = `${call.tool} repeats ${placeOf(first?.step ?? null)} with the same arguments and the same result`;
        return { step: call.step, call, spans: callSpans(call), text };
      }),
    ),
};

const known = new WeakMap<readonly Call[], Call[][]>();

/** Calls of one tool with the same arguments and the same result, where there are several; each list in order of time. */
export function sameCalls(calls: readonly Call[]): readonly (readonly Call[])[] {
  const before = known.get(calls);
  if (before !== undefined) return before;
  const found = findSame(calls);
  known.set(calls, found);
  return found;
}

function findSame(calls: readonly Call[]): Call[][] {
  const byArguments = groupBy(
    calls.filter(isComparable),
    ({ tool, argsKey }) => `${tool} ${argsKey}`,
  );
  // Results are long: they are compared only where all else is equal.
  return byArguments.flatMap((same) =>
    same.length < 2 ? [] : groupBy(same, outcomeOf).filter(({ length }) => length > 1),
  );
}

/** Whether repetition can be judged, and is not meant. */
function isComparable(call: Call): boolean {
  const { tool, argsKey, result } = call;
  if (argsKey === null || tool === '' || isThinkTool(tool)) return false;
  return result.span?.tool_polling !== true && outcomeOf(call) !== '';
}

/** The result, or what is reported in its place; `''` when it is not known. */
export function outcomeOf({ result }: Call): string {
  return result.text === null ? (result.span?.tool_result_hash ?? '') : `=${result.text}`;
}

function groupBy(calls: readonly Call[], keyOf: (call: Call) => string): Call[][] {
  const groups = new Map<string, Call[]>();
  for (const call of calls) {
    const key = keyOf(call);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [call]);
    else group.push(call);
  }
  return [...groups.values()];
}
