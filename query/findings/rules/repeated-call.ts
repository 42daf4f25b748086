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
  find: ({ calls }) => {
    const seen = new Map<string, Call>();
    return calls.flatMap((call): Found[] => {
      const triple = tripleOf(call);
      const first = triple === null ? undefined : seen.get(triple);
      if (triple !== null && first === undefined) seen.set(triple, call);
      if (first === undefined) return [];
      const text = `${call.tool} repeats ${placeOf(first.step)} with the same arguments and the same result`;
      return [{ step: call.step, call, spans: callSpans(call), text }];
    });
  },
};

const triples = new WeakMap<Call, string | null>();

/** Tool, arguments and result as one key; null where repetition cannot be judged, or is meant. */
export function tripleOf(call: Call): string | null {
  const known = triples.get(call);
  if (known !== undefined) return known;
  const triple = makeTriple(call);
  triples.set(call, triple);
  return triple;
}

function makeTriple(call: Call): string | null {
  const { tool, argsKey, result } = call;
  if (tool === '' || isThinkTool(tool) || result.span?.tool_polling === true) return null;
  const outcome = result.text ?? (result.span?.tool_result_hash || null);
  if (argsKey === null || outcome === null) return null;
  return `${tool.length} ${argsKey.length} ${tool}${argsKey}${outcome}`;
}
