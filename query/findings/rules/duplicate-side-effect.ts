import type { Call } from '../../decisions/model.ts';
import type { Found, Rule } from '../rule.ts';
import { callSpans, placeOf } from '../rule.ts';

/**
 * A writing tool succeeded twice in the task with the same arguments, or under the same idempotency key.
 * Blind spots: effects that are only guessed from the tool's name; duplicates over several tasks; a tool that is
 * idempotent by itself.
 */
export const duplicateSideEffect: Rule = {
  id: 'duplicate_side_effect',
  version: 2,
  class: 'fact',
  severity: 'error',
  level: 'M',
  parameters: {},
  find: ({ calls }) => {
    const done = new Map<string, Call>();
    return calls.flatMap((call): Found[] => {
      if (call.effect !== 'write' || call.result.status !== 'ok') return [];
      const keys = keysOf(call);
      const [key, first] = firstDone(keys, done);
      for (const own of keys) if (!done.has(own)) done.set(own, call);
      if (first === undefined) return [];
      const same = key?.startsWith('key')
        ? 'under the same idempotency key'
        : 'with the same arguments';
      const text = `${call.tool} succeeded ${same} as in ${placeOf(first.step)}`;
      const spans = [...new Set([...callSpans(first), ...callSpans(call)])];
      return [
        { step: call.step, call, spans, text, detail: { effect_inferred: call.effectInferred } },
      ];
    });
  },
};

function keysOf({ tool, argsKey, result }: Call): string[] {
  const key = result.span?.tool_side_effect_key ?? '';
  return [
    ...(key === '' ? [] : [`key ${tool} ${key}`]),
    ...(argsKey === null ? [] : [`args ${tool} ${argsKey}`]),
  ];
}

function firstDone(keys: readonly string[], done: ReadonlyMap<string, Call>) {
  const key = keys.find((own) => done.has(own));
  return [key, key === undefined ? undefined : done.get(key)] as const;
}
