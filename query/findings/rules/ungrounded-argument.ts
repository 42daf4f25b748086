import type { Unsourced } from '../../decisions/model.ts';
import type { Rule } from '../rule.ts';
import { callSpans } from '../rule.ts';

/**
 * An argument that looks like an identifier (5 characters and more, with a letter and a digit) and occurs in no
 * message or result before the call: invented. Error when the tool writes, else a warning.
 * Blind spots: invented names, amounts and prose; ids that the model built from parts; content that was not captured.
 * Dates, members of an enumeration and keys that a caller may invent are left out.
 */
export const ungroundedArgument: Rule = {
  id: 'ungrounded_argument',
  version: 1,
  class: 'judgement',
  severity: 'warn',
  level: 'C',
  parameters: { minimum_characters: 5 },
  find: ({ calls }, parameters) =>
    calls.flatMap((call) =>
      (call.unsourced ?? [])
        .filter((value) => looksInvented(value, parameters['minimum_characters'] ?? 5))
        .map(({ pointer, value }) => ({
          step: call.step,
          call,
          spans: callSpans(call),
          severity: call.effect === 'write' ? ('error' as const) : ('warn' as const),
          text: `${call.tool}${pointer} = ${JSON.stringify(value)} occurs in no message or result before this call`,
        })),
    ),
};

const inventable = /idempotency|request_?id|correlation_?id|trace_?id|nonce|uuid/i;
const dateOrTime =
  /^(\d{4}-\d{2}(-\d{2})?([T ].*)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{1,2}:\d{2}.*)$/;

function looksInvented({ pointer, value, member }: Unsourced, minimum: number): boolean {
  if (typeof value !== 'string' || member || [...value].length < minimum) return false;
  if (!/\p{L}/u.test(value) || !/\d/.test(value)) return false;
  return !dateOrTime.test(value) && !inventable.test(pointer.split('/').at(-1) ?? '');
}
