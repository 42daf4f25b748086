import { type DecisionSpan, spanKey } from './evidence.ts';
import { readsAsError } from './failure-text.ts';
import { parseJson } from './json.ts';
import { parseArguments } from './message.ts';
import { type Call, milliseconds, type Step } from './model.ts';
import type { SpanTree } from './span-tree.ts';

/** Clocks of one process: a tool may seem to start this much before the model's answer was complete (ns). */
export const slack = 50_000_000n;

/** The counted tool spans in order of start; a handoff made by calling a tool is one too. */
export function toolSpans(tree: SpanTree, counted: ReadonlySet<string>): DecisionSpan[] {
  return tree.sorted.filter(
    (span) =>
      (span.kind === 'tool' || (span.kind === 'handoff' && span.tool_name !== '')) &&
      counted.has(spanKey(span)),
  );
}

/**
 * Gives every call of a decision its tool span (BEHAVIOUR §2): the nearest one with its call id, else with its tool and
 * equal arguments, that starts between the decision's end and the next decision of the chain; one to one.
 * Returns the spans that belong to no call.
 */
export function linkResults(
  steps: readonly Step[],
  spans: readonly DecisionSpan[],
  content: ReadonlyMap<string, string>,
): DecisionSpan[] {
  const byCallId = group(spans, ({ tool_call_id }) => tool_call_id);
  const byTool = group(spans, ({ tool_name }) => tool_name);
  const claimed = new Set<DecisionSpan>();

  function nearest(list: readonly DecisionSpan[] | undefined, step: Step, fits: Fits) {
    if (list === undefined) return undefined;
    const until = nextStart(step);
    for (let i = firstFrom(list, step.end - slack); i < list.length; i++) {
      const span = list[i];
      if (span === undefined || (until !== null && span.start > until)) return undefined;
      if (!claimed.has(span) && fits(span)) return span;
    }
    return undefined;
  }

  for (const step of steps) {
    for (const call of step.chosen?.calls ?? []) {
      const span =
        (call.call_id === '' ? undefined : nearest(byCallId.get(call.call_id), step, () => true)) ??
        nearest(byTool.get(call.tool), step, sameCall(call, content));
      if (span === undefined) continue;
      claimed.add(span);
      applySpan(call, span, content);
    }
  }
  return spans.filter((span) => !claimed.has(span));
}

type Fits = (span: DecisionSpan) => boolean;

/** For spans without the call's id: arguments must not differ. */
function sameCall(call: Call, content: ReadonlyMap<string, string>): Fits {
  return (span) => {
    if (span.tool_call_id !== '' && call.call_id !== '') return false;
    const text = payload(span.tool_arguments, content);
    return text === null || call.argsKey === null || parseArguments(text).argsKey === call.argsKey;
  };
}

function nextStart(step: Step): bigint | null {
  let earliest: bigint | null = null;
  for (const { start } of step.next) if (earliest === null || start < earliest) earliest = start;
  return earliest;
}

function group(spans: readonly DecisionSpan[], key: (span: DecisionSpan) => string) {
  const groups = new Map<string, DecisionSpan[]>();
  for (const span of spans) {
    const list = groups.get(key(span));
    if (list === undefined) groups.set(key(span), [span]);
    else list.push(span);
  }
  return groups;
}

/** Index of the first span that starts at or after `time`. */
function firstFrom(spans: readonly DecisionSpan[], time: bigint): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle]?.start ?? 0n) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Takes over what the tool's own span says of the call and its result. */
export function applySpan(call: Call, span: DecisionSpan, content: ReadonlyMap<string, string>) {
  const text = payload(span.tool_result, content);
  // A result of no bytes is known at every level of content.
  const plain = text === null ? (span.tool_result_bytes === 0 ? '' : null) : unquoted(text);
  const { result } = call;
  const { status, detected_by } = statusOf(span);
  result.span = span;
  result.status = status;
  result.detected_by = detected_by;
  result.valid = span.tool_result_valid;
  result.duration_ms = milliseconds(span.start, span.end);
  result.bytes = plain === null ? span.tool_result_bytes : Buffer.byteLength(plain);
  result.text = plain;
  call.argsKey ??= span.tool_arguments_hash === '' ? null : `#${span.tool_arguments_hash}`;
  if (span.tool_effect === 'read' || span.tool_effect === 'write') {
    call.effect = span.tool_effect;
    call.effectInferred = false;
  }
}

export function payload(
  hashes: readonly string[],
  content: ReadonlyMap<string, string>,
): string | null {
  const [hash] = hashes;
  return hash === undefined ? null : (content.get(hash) ?? null);
}

/** Some instrumentations serialise a text result as a JSON string. */
function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  const value = parseJson(text);
  return typeof value === 'string' ? value : text;
}

function statusOf(span: DecisionSpan): Pick<Call['result'], 'status' | 'detected_by'> {
  const decision = span.attributes['decision'];
  if (
    (decision !== undefined && /reject|denied|deny/i.test(decision)) ||
    span.error_type === 'approval_denied'
  )
    return { status: 'denied', detected_by: 'flag' };
  const by = span.tool_error_by || (span.status === 'error' ? 'span' : '');
  if (by === '') return { status: 'ok', detected_by: 'span' };
  const status = /time_?out|deadline/i.test(span.error_type) ? 'timeout' : 'error';
  return { status, detected_by: by === 'flag' || by === 'content' ? by : 'span' };
}

const denial = /\b(?:denied|declined|rejected|refused|not approved|expired)\b/i;

/** A call whose approval was denied was not made, when its result says so too; one that ran all the same stays what it was. */
export function markDenied({ result }: Call) {
  if (result.status !== 'ok' || !denial.test((result.text ?? '').slice(0, 200))) return;
  result.status = 'denied';
  result.detected_by = 'flag';
}

/** What later messages say of the results that have no span, or whose span carries no content. */
export function readResultMessages(steps: readonly Step[], ended: boolean) {
  for (const step of steps) {
    for (const { call, text } of step.informed ?? []) {
      if (call !== null && text !== null) applyMessage(call, text);
    }
  }
  for (const step of steps) {
    for (const { result, server } of step.chosen?.calls ?? []) {
      if (
        result.span === null &&
        result.text === null &&
        !server &&
        (ended || step.next.length > 0)
      )
        result.status = 'missing';
    }
  }
}

/** Takes over a result's text from the message that reports it. */
export function applyMessage({ result }: Call, text: string) {
  if (result.text === null) {
    result.text = text;
    result.bytes = Buffer.byteLength(text);
  }
  if (result.span !== null) return;
  result.status = readsAsError(text) ? 'error' : 'ok';
  result.detected_by = 'content';
}
