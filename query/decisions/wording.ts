import { isRecord, parseJson } from './json.ts';
import type { Call, Chosen, Step } from './model.ts';

// What moves the cursor, turns the writing or is not seen; the joiners of emoji and of several scripts may stay.
const controls = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** White space, line breaks and control characters made single spaces: hostile text must not move the cursor. */
export function oneLine(text: string): string {
  return harmless(text).replace(/\s+/g, ' ').trim();
}

/** Every control character made a space. */
export function harmless(text: string): string {
  return text.replace(controls, ' ');
}

/** At most `length` characters, the last of them `…` when something was left out. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  // Half a character is none.
  const end = /[\ud800-\udbff]/.test(text[length - 2] ?? '') ? length - 2 : length - 1;
  return `${text.slice(0, end)}…`;
}

/** A decision in one line, such as `get_user → ok`. Without content only names and statuses are given. */
export function summarise(step: Step, withoutContent = false): string {
  const { chosen, kind } = step;
  const topic = topicOf(step, withoutContent);
  if (chosen === null) return kind === 'declared' ? `${topic}: open` : 'not captured';
  if (chosen.none !== null) return `nothing chosen: ${chosen.none}`;
  if (chosen.value !== null) return valueSummary(topic, chosen, withoutContent);
  if (chosen.answer !== null) return answerSummary(step, withoutContent);
  return chosen.calls.map((call) => callSummary(call, withoutContent)).join(', ');
}

/** What a declared decision is about, in one line. */
export function topicOf({ topic, subject }: Step, withoutContent = false): string {
  const name = topic ?? 'decision';
  return cut(oneLine(subject === undefined || withoutContent ? name : `${name} of ${subject}`), 70);
}

function valueSummary(topic: string, { value, said }: Chosen, withoutContent: boolean): string {
  return said && withoutContent ? topic : `${topic}: ${cut(oneLine(value ?? ''), 70)}`;
}

function answerSummary({ chosen }: Step, withoutContent: boolean): string {
  const text = chosen?.answer?.text ?? null;
  const verb = chosen?.answer?.type === 'refusal' ? 'refused' : 'answered the user';
  if (text === null || withoutContent) return verb;
  return text === '' ? 'answered nothing' : `${verb}: ${cut(oneLine(text), 70)}`;
}

function callSummary(call: Call, withoutContent: boolean): string {
  const name = call.handoffTo === null ? call.tool : `handed off to ${call.handoffTo}`;
  if (call.handoffTo !== null && call.result.span === null && call.result.text === null)
    return name;
  const { status, text } = call.result;
  if (status !== 'error' || text === null || withoutContent) return `${name} → ${status}`;
  return `${name} → error: ${cut(errorText(text), 120)}`;
}

/** An error's text: of JSON the message in it, of text all but the word `Error:` before it. */
export function errorText(text: string): string {
  return oneLine(messageIn(text) ?? text).replace(/^error:\s*/i, '');
}

/** What a JSON error says in words; undefined when it says nothing, or says it somewhere else. */
function messageIn(text: string): string | undefined {
  if (!text.trimStart().startsWith('{')) return undefined;
  const value = parseJson(text);
  if (!isRecord(value)) return undefined;
  const error = value['error'] ?? value['exception'];
  const own = isRecord(error) ? (error['message'] ?? error['detail']) : error;
  const said = [own, value['message'], value['detail'], value['reason']];
  return said.find((word) => typeof word === 'string' && word !== '') as string | undefined;
}
