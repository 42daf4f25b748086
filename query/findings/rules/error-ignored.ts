import { isFailure } from '../../decisions/edges.ts';
import { leavesOf } from '../../decisions/json.ts';
import type { Call, Step } from '../../decisions/model.ts';
import { isScratchTool } from '../../decisions/tools.ts';
import { cut, errorText } from '../../decisions/wording.ts';
import type { Rule } from '../rule.ts';

/**
 * A tool failed, the agent did not call it again, and its next answer neither says that anything failed nor takes up a
 * word of the error. A later call of the same effect that succeeded with a value of the failed one did its work.
 * Blind spots: answers in other languages than English; an answer that mentions another failure.
 */
export const errorIgnored: Rule = {
  id: 'error_ignored',
  version: 2,
  class: 'judgement',
  severity: 'error',
  level: 'C',
  parameters: { shared_word_characters: 5 },
  find: ({ calls }, parameters) =>
    calls.flatMap((call) => {
      if (!isFailure(call) || call.step === null || call.result.text === null) return [];
      const answer = answerAfter(call, call.step);
      const said = answer?.chosen?.answer?.text;
      if (answer === null || said === null || said === undefined) return [];
      if (worksAround(call, call.step, answer)) return [];
      if (admits(said) || sharesWord(said, call, parameters['shared_word_characters'] ?? 5))
        return [];
      return [
        {
          step: answer,
          call,
          spans: [...new Set([call.result.span?.span_id ?? call.step.span_id, answer.span_id])],
          text: `the answer says nothing of the error of ${call.tool} in #${call.step.n}: ${cut(errorText(call.result.text), 120)}`,
        },
      ];
    }),
};

// A failure is admitted, an obstacle named, or help asked for.
const failureWord =
  /\b(fail\w*|errors?|unable|cannot|can't|can’t|couldn't|couldn’t|could not|not|n't|wrong|issues?|problems?|unfortunately|apolog\w*|sorry|denied|declined|invalid|incorrect|missing|however|instead|rejected|unsuccessful\w*|discrepan\w*)\b|n['’]t\b/i;

function admits(text: string): boolean {
  return failureWord.test(text);
}

/** Whether a call of the same effect succeeded between the two with a value that the failed one had been given. */
function worksAround(failed: Call, from: Step, answer: Step): boolean {
  const own = valuesOf(failed);
  if (own.size === 0) return false;
  for (let at = answer.prev; at !== null && at !== from; at = at.prev)
    for (const call of at.chosen?.calls ?? [])
      if (
        call.result.status === 'ok' &&
        call.effect === failed.effect &&
        [...valuesOf(call)].some((value) => own.has(value))
      )
        return true;
  return false;
}

function valuesOf({ args, tool }: Call): Set<string> {
  if (isScratchTool(tool)) return new Set();
  const leaves = leavesOf(args).filter(({ value }) => value !== null && typeof value !== 'boolean');
  return new Set(leaves.map(({ value }) => String(value).toLowerCase()));
}

/** The answer that follows the error before the tool is called again; null when there is none. */
function answerAfter(call: Call, from: Step): Step | null {
  const seen = new Set<Step>();
  let at = from.next.find(({ scope }) => scope === from.scope) ?? from.next[0];
  while (at !== undefined && !seen.has(at)) {
    seen.add(at);
    const { chosen } = at;
    if (chosen?.answer != null) return chosen.answer.type === 'answer' ? at : null;
    if (
      chosen === null ||
      chosen.calls.some(({ tool, handoffTo }) => tool === call.tool || handoffTo)
    )
      return null;
    at = at.next[0];
  }
  return null;
}

function sharesWord(said: string, { result, tool }: Call, length: number): boolean {
  const words = (text: string) =>
    (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => word.length >= length);
  const own = new Set(words(said));
  return words(errorText(result.text ?? '')).some((word) => own.has(word) && word !== tool);
}
