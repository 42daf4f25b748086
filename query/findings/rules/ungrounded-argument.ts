import type { Call, Step, Unsourced } from '../../decisions/model.ts';
import type { Rule } from '../rule.ts';
import { callSpans } from '../rule.ts';

/**
 * An argument that looks like an identifier (5 characters and more, with a letter and a digit) and occurs in no
 * message or result before the call: invented. Error when the tool writes, else a warning.
 * Blind spots: invented names, amounts and prose; ids that the model built from parts; content that was not captured.
 * Dates, quantities, members of an enumeration, several words and keys that a caller may invent are left out, and what
 * was said with other blanks and dashes.
 */
export const ungroundedArgument: Rule = {
  id: 'ungrounded_argument',
  version: 2,
  class: 'judgement',
  severity: 'warn',
  level: 'C',
  parameters: { minimum_characters: 5 },
  find: ({ steps, calls }, parameters) => {
    const written = otherwiseWritten(steps);
    return calls.flatMap((call) =>
      (call.unsourced ?? [])
        .filter((value) => looksInvented(value, parameters['minimum_characters'] ?? 5))
        .filter(({ value }) => !written(String(value), call))
        .map(({ pointer, value }) => ({
          step: call.step,
          call,
          spans: callSpans(call),
          severity: call.effect === 'write' ? ('error' as const) : ('warn' as const),
          text: `${call.tool}${pointer} = ${JSON.stringify(value)} occurs in no message or result before this call`,
        })),
    );
  },
};

// Values of a task that are looked for in another writing: each takes a search of everything before.
const maxSearches = 8;

/** Whether a value occurs before a call in another writing: `HAT136` where `HAT-136` or `hat 136` was said. */
function otherwiseWritten(steps: readonly Step[]): (value: string, call: Call) => boolean {
  let known: { readonly at: bigint; readonly lower: string }[] | undefined;
  const firsts = new Map<string, bigint | null>();
  return (value, { step }) => {
    if (step === null) return false;
    if (!firsts.has(value) && firsts.size < maxSearches) {
      known ??= steps.flatMap(({ start, informed }) =>
        (informed ?? []).flatMap(({ text, own }) =>
          text === null || own ? [] : [{ at: start, lower: text.toLowerCase() }],
        ),
      );
      const holds = anyWriting(value);
      firsts.set(value, known.find(({ lower }) => holds(lower))?.at ?? null);
    }
    const first = firsts.get(value) ?? null;
    return first !== null && first <= step.start;
  };
}

/** Looks for the letters and digits of a value in a lower-case text, whatever stands between its parts. */
function anyWriting(value: string): (lower: string) => boolean {
  const parts = value.toLowerCase().match(/\p{L}+|\p{N}+/gu) ?? [];
  const [longest = ''] = parts.toSorted((a, b) => b.length - a.length);
  const between = '[^\\p{L}\\p{N}]{0,3}';
  const whole = new RegExp(`(?<![\\p{L}\\p{N}])${parts.join(between)}(?![\\p{L}\\p{N}])`, 'u');
  return (lower) => lower.includes(longest) && whole.test(lower);
}

const inventable = /idempotency|request_?id|correlation_?id|trace_?id|nonce|uuid/i;
const dateOrTime =
  /^(\d{4}-\d{2}(-\d{2})?([T ].*)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}|\d{1,2}:\d{2}.*|\d{4}-?[QW]\d{1,2}|[QW]\d{1,2}-?\d{4}|(?:FY|CY)\d{2,4}|P(?:\d+[YMWD])*(?:T(?:\d+[HMS])+)?)$/i;
const quantity =
  /^[-+]?\d+(?:[.,]\d+)?(?:ms|s|secs?|seconds?|mins?|minutes?|h|hrs?|hours?|days?|weeks?|months?|years?|am|pm|st|nd|rd|th|[kmg]?g|lbs?|oz|[kcm]?m|mi|ft|m?l|[kmgt]i?b|px|pt|r?em|usd|eur|gbp|[km]?hz|fps|x)$/i;
const technical =
  /^(?:utf-?(?:8|16|32)|base(?:32|64)|sha-?\d{1,3}|md5|iso-?8601|python-?[23](?:\.\d+)*|es20\d\d|http[/]?\d(?:\.\d)?|ipv[46]|mp[34]|h26[45])$/i;

function looksInvented({ pointer, value, member }: Unsourced, minimum: number): boolean {
  if (typeof value !== 'string' || member || [...value].length < minimum) return false;
  if (!/\p{L}/u.test(value) || !/\d/.test(value)) return false;
  // Words are composed, and what has a unit is counted.
  if (/\s/.test(value) || quantity.test(value) || technical.test(value)) return false;
  return !dateOrTime.test(value) && !inventable.test(pointer.split('/').at(-1) ?? '');
}
