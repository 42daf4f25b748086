import type { Call } from '../../decisions/model.ts';
import { isScratchTool } from '../../decisions/tools.ts';
import type { Found, Rule } from '../rule.ts';
import { callsByScope, spansOfCalls } from '../rule.ts';
import { outcomeOf, sameCalls } from './repeated-call.ts';

/**
 * The same call with the same result three times in the task, or two calls in turn (A B A B A B) whatever they return.
 * Asking for a status until it changes is waiting, and no loop.
 * Blind spots: cycles of three and more different calls; tools marked as polling are left out.
 */
export const loop: Rule = {
  id: 'loop',
  version: 2,
  class: 'fact',
  severity: 'warn',
  level: 'M',
  parameters: { repeats: 3 },
  find: (trajectory, parameters) => {
    const repeats = parameters['repeats'] ?? 3;
    const waits = waitsFor(trajectory.calls);
    return [
      ...sameTriple(trajectory.calls, repeats, waits),
      ...callsByScope(trajectory).flatMap((calls) => inTurn(calls, repeats, waits)),
    ];
  },
};

/** One finding per triple, at the call that made it a loop. */
function sameTriple(calls: readonly Call[], repeats: number, waits: Waits): Found[] {
  return sameCalls(calls).flatMap((same): Found[] => {
    const call = same[repeats - 1];
    if (call === undefined || waits(call)) return [];
    const text = `${call.tool} was called ${same.length} times with the same arguments and the same result`;
    const covers = same.slice(repeats - 1);
    const detail = { calls: same.length };
    return [{ step: call.step, call, covers, spans: spansOfCalls(same), text, detail }];
  });
}

const waiting = /(?:^|[^a-z])(?:poll|wait|status|state|progress)(?:[^a-z]|$)/;

type Waits = (call: Call) => boolean;

/** Whether a call asks for a status that was another one in the end. */
function waitsFor(calls: readonly Call[]): Waits {
  const keyOf = ({ tool, argsKey }: Call) => `${tool} ${argsKey}`;
  const asking = calls.filter(({ tool }) => waiting.test(tool.toLowerCase()));
  const ends = new Map(asking.map((call) => [keyOf(call), outcomeOf(call)]));
  return (call) => (ends.get(keyOf(call)) ?? outcomeOf(call)) !== outcomeOf(call);
}

/** Where two different calls took turns for `repeats` rounds; found once per run of turns. */
function inTurn(all: readonly Call[], repeats: number, waits: Waits): Found[] {
  const calls = all.filter(
    ({ tool, argsKey, result }) =>
      argsKey !== null && !isScratchTool(tool) && result.span?.tool_polling !== true,
  );
  const keys = calls.map(({ tool, argsKey }) => `${tool} ${argsKey}`);
  const found: Found[] = [];
  let length = 1;
  for (let i = 1; i < keys.length; i++) {
    const turns = keys[i] !== keys[i - 1] && (length < 2 || keys[i] === keys[i - 2]);
    length = turns ? length + 1 : keys[i] === keys[i - 1] ? 1 : 2;
    const call = calls[i];
    if (length !== 2 * repeats || call === undefined) continue;
    const own = calls.slice(i + 1 - length, i + 1);
    if (own.some(waits)) continue;
    const same = own.filter(({ tool, argsKey }) => tool === call.tool && argsKey === call.argsKey);
    // The plainer statement wins where the results were the same too.
    const outcome = outcomeOf(call);
    if (outcome !== '' && same.every((own) => outcomeOf(own) === outcome)) continue;
    const text = `${own[0]?.tool} and ${call.tool} took turns ${repeats} times with the same arguments`;
    found.push({ step: call.step, call, spans: spansOfCalls(own), text });
  }
  return found;
}
