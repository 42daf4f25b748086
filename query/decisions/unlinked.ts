import { noResult } from './choose.ts';
import type { DecisionSpan } from './evidence.ts';
import { parseArguments } from './message.ts';
import type { Call, Step } from './model.ts';
import { applySpan, payload, slack } from './results.ts';
import type { SpanTree } from './span-tree.ts';
import { effectOfName } from './tools.ts';

/** A tool call that code made: its span chose nothing and no decision knows of it. */
export function callOfSpan(
  span: DecisionSpan,
  step: Step | null,
  id: string,
  content: ReadonlyMap<string, string>,
): Call {
  const text = payload(span.tool_arguments, content);
  const call: Call = {
    id,
    step,
    tool: span.tool_name,
    call_id: span.tool_call_id,
    argsText: text,
    ...(text === null ? { args: null, argsKey: null } : parseArguments(text)),
    valid: span.tool_arguments_valid,
    violations: [],
    effect: effectOfName(span.tool_name),
    effectInferred: true,
    server: false,
    handoffTo: null,
    sources: null,
    unsourced: null,
    result: noResult(),
  };
  applySpan(call, span, content);
  return call;
}

/**
 * Without content a decision's calls are read off the tool spans of the same agent's run that follow it, before the
 * next decision there. Returns the spans that remain without a call.
 */
export function inferCalls(
  steps: readonly Step[],
  spans: readonly DecisionSpan[],
  tree: SpanTree,
  content: ReadonlyMap<string, string>,
): DecisionSpan[] {
  const byScope = new Map<string, Step[]>();
  for (const step of steps) {
    if (step.kind !== 'inference') continue;
    const list = byScope.get(step.scope);
    if (list === undefined) byScope.set(step.scope, [step]);
    else list.push(step);
  }
  for (const list of byScope.values()) list.sort((a, b) => (a.end < b.end ? -1 : 1));
  const rest: DecisionSpan[] = [];
  const found = new Map<Step, DecisionSpan[]>();
  for (const span of spans) {
    const step = lastEnded(byScope.get(tree.place(span).scope) ?? [], span.start + slack);
    if (step === undefined || !callsUnknown(step)) rest.push(span);
    else if (found.get(step)?.push(span) === undefined) found.set(step, [span]);
  }
  for (const [step, own] of found) {
    const calls = own.map((span, k) => callOfSpan(span, step, `${step.id}.c${k}`, content));
    step.chosen = { calls, answer: null, value: null, none: null };
  }
  return rest;
}

function callsUnknown({ span, finish, chosen }: Step): boolean {
  if (span === null || span.output_messages.length > 0) return false;
  return finish === 'tool_call' || (finish === 'unknown' && chosen === null);
}

/** The last of `steps`, which are in order of their end, that ended at or before `time`. */
function lastEnded(steps: readonly Step[], time: bigint): Step | undefined {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((steps[middle]?.end ?? 0n) <= time) low = middle + 1;
    else high = middle;
  }
  return steps[low - 1];
}
