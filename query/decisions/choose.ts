import type { FinishReason, NoneReason, WhyAnswer } from './answer.ts';
import type { Link, Seen } from './chain.ts';
import { type Message, type Part, parseArguments } from './message.ts';
import type { Call, Chosen, Result, Step } from './model.ts';
import { effectOfName } from './tools.ts';

const finishes: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  tool_call: 'tool_call',
  tool_calls: 'tool_call',
  content_filter: 'content_filter',
  compaction: 'compaction',
  error: 'error',
};

export function finishOf({ call: { span }, output }: Link): FinishReason {
  const reported = span.finish_reason || (output?.[0]?.message?.finish ?? '');
  return finishes[reported] ?? (span.status === 'error' ? 'error' : 'unknown');
}

/** The message that counts, and the other choices of a request for several (n > 1). */
export interface Choice {
  readonly message: Message | undefined;
  readonly others: readonly Message[];
}

/**
 * Of several choices the one that a later input holds, else the first. Messages without a finish reason of their own
 * are one answer in several pieces.
 */
export function pickChoice(output: readonly Seen[], heldLater: (seen: Seen) => boolean): Choice {
  const known = output.flatMap(({ message }) => (message === undefined ? [] : [message]));
  const [first] = known;
  if (first === undefined || known.length < output.length)
    return { message: undefined, others: [] };
  if (known.length === 1) return { message: first, others: [] };
  if (known.some(({ finish }) => finish === ''))
    return { message: { ...first, parts: known.flatMap(({ parts }) => parts) }, others: [] };
  const held = output.find(heldLater)?.message ?? first;
  return { message: held, others: known.filter((message) => message !== held) };
}

/** What the message says was chosen; null when nothing can be said. */
export function chosenOf(step: Step, message: Message): Chosen | null {
  const calls = message.parts
    .filter(({ type }) => type === 'tool_call')
    .map((part, k) => callOf(step, part, k));
  if (calls.length > 0) return { calls, answer: null, value: null, none: null };
  const withheld = message.parts.some((part) => part.type === 'text' && part.withheld);
  // A picture, a sound: something was answered, and it is no text.
  const media = message.parts.some(({ type }) => type === 'other');
  const said = withheld ? null : textOf(message);
  const text = said === '' && media ? null : said;
  if (text?.trim() === '') return emptyChoice(step);
  const type = message.refusal ? 'refusal' : 'answer';
  return { calls, answer: { type, text }, value: null, none: null };
}

/** A choice with no text and no call: why there is none, or an empty answer. */
function emptyChoice(step: Step): Chosen {
  const reason = noneReason(step);
  if (reason !== null) return { calls: [], answer: null, value: null, none: reason };
  return { calls: [], answer: { type: 'answer', text: '' }, value: null, none: null };
}

/** What can be said of the choice when the output's content is not known. */
export function unknownChoice(step: Step): Chosen | null {
  const reason = noneReason(step);
  if (reason !== null && reason !== 'truncated')
    return { calls: [], answer: null, value: null, none: reason };
  if (step.finish !== 'stop' && step.finish !== 'length') return null;
  return { calls: [], answer: { type: 'answer', text: null }, value: null, none: null };
}

function noneReason(step: Step): NoneReason | null {
  if (/cancel|abort/i.test(step.span?.error_type ?? '')) return 'cancelled';
  if (step.finish === 'error' || step.span?.status === 'error') return 'error';
  if (step.finish === 'length') return 'truncated';
  return step.finish === 'content_filter' ? 'content_filter' : null;
}

export function textOf(message: Message): string {
  return message.parts
    .filter(({ type }) => type === 'text')
    .map(({ text }) => text)
    .join('\n');
}

/** What the model said of its reasons beside the choice itself. */
export function statedReasons(step: Step, message: Message): WhyAnswer[] {
  const calls = message.parts.some(({ type }) => type === 'tool_call');
  return message.parts.flatMap(({ type, text }): WhyAnswer[] => {
    if (text === '') return [];
    if (type === 'reasoning') return [{ kind: 'reasoning', text, span_id: step.span_id }];
    return type === 'text' && calls ? [{ kind: 'text', text, span_id: step.span_id }] : [];
  });
}

function callOf(step: Step, part: Part, k: number): Call {
  const { args, argsKey } = part.withheld ? unknownArguments : parseArguments(part.text);
  return {
    id: `${step.id}.c${k}`,
    step,
    tool: part.name,
    call_id: part.id,
    args,
    argsText: part.withheld ? null : part.text,
    argsKey,
    valid: null,
    violations: [],
    effect: effectOfName(part.name),
    effectInferred: true,
    server: part.server,
    handoffTo: null,
    sources: null,
    unsourced: null,
    result: noResult(),
  };
}

const unknownArguments = { args: null, argsKey: null } as const;

export function noResult(): Result {
  return {
    span: null,
    status: 'unknown',
    detected_by: null,
    valid: null,
    duration_ms: null,
    bytes: null,
    text: null,
  };
}
