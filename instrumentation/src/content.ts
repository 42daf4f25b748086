import type { Attributes } from '@opentelemetry/api';
import { guard } from './guard.ts';
import { contentJson } from './plain.ts';
import { contentLevel, runtime } from './runtime.ts';
import type { Message, OutputMessage, Part } from './wire/message.ts';

/** A text as it may be recorded; `undefined` when there is none or the redact hook threw. */
export function redacted(text: string | undefined, attribute: string): string | undefined {
  if (text === undefined) return undefined;
  return guard('redact', () => redact(text, attribute), undefined);
}

/** A text that is recorded from the metadata level on because the developer wrote it for the record. */
export function spoken(text: string | undefined, attribute: string): string | undefined {
  return contentLevel() === 'none' ? undefined : redacted(text, attribute);
}

/**
 * A value as the text of a content attribute: strings as they are, the rest as JSON, redacted and cut to the limit.
 * `undefined` when it may not be recorded.
 */
export function contentText(value: unknown, attribute: string): string | undefined {
  return guard(
    'redact',
    () => {
      const text =
        typeof value === 'string'
          ? redact(value, attribute)
          : contentJson(value, (leaf) => redact(leaf, attribute));
      return cut(text, runtime().settings.maxContentChars);
    },
    undefined,
  );
}

/**
 * Messages as the JSON of one attribute. Too long: the oldest messages after the leading system ones go first, then the
 * longest texts are shortened, and `agent.content.*` says so.
 */
export function messagesContent(attribute: string, messages: readonly Message[]): Attributes {
  const limit = runtime().settings.maxContentChars;
  const texts = guard(
    'redact',
    () => messages.map((message) => contentJson(message, (leaf) => redact(leaf, attribute))),
    undefined,
  );
  if (!texts) return {};
  const pinned = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer');
  let size = texts.reduce((sum, text) => sum + text.length + 1, 1);
  let from = Math.max(pinned, 0);
  const head = texts.slice(0, from);
  while (size > limit && from < texts.length - 1) {
    size -= (texts[from]?.length ?? 0) + 1;
    from += 1;
  }
  const dropped = from - head.length;
  const kept = [...head, ...texts.slice(from)];
  if (size > limit) return shortened(attribute, messages, dropped, head.length, limit);
  return {
    [attribute]: `[${kept.join(',')}]`,
    ...(dropped > 0 && { 'agent.content.dropped_messages': dropped }),
  };
}

/** What a message is, without what it says: kinds of parts, names and ids of tool calls. */
export function outline(message: OutputMessage): object {
  return {
    role: message.role,
    parts: message.parts.map(outlinePart),
    ...(message.finish_reason !== undefined && { finish_reason: message.finish_reason }),
  };
}

function outlinePart(part: Part): object {
  if (part.type === 'tool_call') return { type: part.type, id: part.id, name: part.name };
  return { type: part.type };
}

function shortened(
  attribute: string,
  messages: readonly Message[],
  dropped: number,
  pinned: number,
  limit: number,
): Attributes {
  const kept = [...messages.slice(0, pinned), ...messages.slice(pinned + dropped)];
  const leaves = kept.reduce((sum, message) => sum + message.parts.length, 1);
  const each = Math.floor(limit / (2 * leaves));
  const text = guard(
    'redact',
    () => contentJson(kept, (leaf) => cut(redact(leaf, attribute), each)),
    undefined,
  );
  if (text === undefined || text.length > 2 * limit) return { 'agent.content.truncated': true };
  return {
    [attribute]: text,
    'agent.content.truncated': true,
    ...(dropped > 0 && { 'agent.content.dropped_messages': dropped }),
  };
}

function redact(text: string, attribute: string): string {
  const hook = runtime().settings.redact;
  if (!hook) return text;
  const result: unknown = hook(text, attribute);
  if (typeof result !== 'string') throw new TypeError('redact must return a string');
  return result;
}

function cut(text: string, limit: number): string {
  return text.length <= limit
    ? text
    : `${text.slice(0, limit)}…[${text.length - limit} characters more]`;
}
