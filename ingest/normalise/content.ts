import type { Attribute } from '../otlp/model.ts';
import type { TracePayload } from './blobs.ts';
import type { Plan } from './compile.ts';
import {
  createContentParsers,
  type Found,
  pieceText,
  type StoredMessage,
} from './content-parsers.ts';
import { type ContentField, contentFields, scalarFields } from './fields.ts';
import { beginningOf, flatMapGrowing, grow, type Made } from './growing.ts';
import type { Piece } from './resolve.ts';
import { attribute, type Json, jsonOf, parseJson, textOf, writeJson } from './values.ts';

/** The content of a span as columns, and what other rules read from it. */
export interface ContentColumns {
  readonly input: readonly bigint[];
  readonly output: readonly bigint[];
  readonly system: readonly bigint[];
  readonly tools: readonly bigint[];
  readonly arguments: readonly bigint[];
  readonly result: readonly bigint[];
  /** Canonical texts; '' or undefined where the span does not say. */
  readonly systemText: string;
  readonly toolTexts: readonly string[];
  readonly argumentsText: string | undefined;
  readonly resultText: string | undefined;
  /** Finish reason of the first output message, as reported. */
  readonly finishReason: string;
}

/** Columns of a span without content. */
export const noContent: ContentColumns = {
  input: [],
  output: [],
  system: [],
  tools: [],
  arguments: [],
  result: [],
  systemText: '',
  toolTexts: [],
  argumentsText: undefined,
  resultText: undefined,
  finishReason: '',
};

/** Turns the content pieces of one span into columns and stores what they name. */
export type ReadContent = (
  pieces: readonly Piece[],
  attributes: readonly Attribute[],
  payload: TracePayload,
) => ContentColumns;

/** The pieces of one field, grouped by source, in the mapping's order. */
function* groups(pieces: readonly Piece[], field: ContentField): Iterable<readonly Piece[]> {
  const position = scalarFields.length + contentFields.indexOf(field);
  const own = pieces.filter((piece) => piece.source.field === position);
  let start = 0;
  for (let i = 1; i <= own.length; i++) {
    if (own[i]?.source.order === own[start]?.source.order) continue;
    yield own.slice(start, i);
    start = i;
  }
}

const context = {
  start: 0n,
  end: 0n,
  eventTime: 0n,
  scope: '',
  attributes: [],
  parse: parseJson,
};

/**
 * Reads the content of one request's spans; see {@link createContentParsers} for why not longer. `onUsed` is told which
 * pieces gave a field its content.
 */
export function createContentReader(
  plan: Plan,
  onUsed?: (pieces: readonly Piece[]) => void,
): ReadContent {
  const parsers = createContentParsers(plan.mapping);
  const texts: Made<string> = new WeakMap();
  const lift = createSystemLift();
  const redacted = new Set(['', ...plan.mapping.redaction_sentinels]);
  // Looking a text up hashes all of it, and content is long.
  const longest = Math.max(...[...redacted].map((text) => text.length));

  /** The first source of a field that yields something. */
  const firstOf = <T extends string | readonly unknown[]>(
    pieces: readonly Piece[],
    attributes: readonly Attribute[],
    payload: TracePayload,
    field: ContentField,
    read: (parser: string, found: Found) => T,
  ): T | undefined => {
    for (const group of groups(pieces, field)) {
      const [head] = group;
      if (head === undefined) continue;
      const result = attempt(() => {
        const { transform, parser } = head.source;
        const raw: Json = typeof head.value === 'string' ? head.value : textOf(head.value);
        if (raw.length <= longest && redacted.has(raw)) return undefined;
        const value = transform === null ? raw : transform(raw, context);
        if (value === undefined) return undefined;
        return read(parser, {
          pieces: group,
          value,
          role: field === 'output_messages' ? 'assistant' : 'user',
          split: (text) => payload.split(head.key, text),
          attribute: (key) => jsonOf(attribute(attributes, key) ?? null) ?? undefined,
        });
      });
      if (result === undefined || result.length === 0) continue;
      onUsed?.(group);
      return result;
    }
    return undefined;
  };

  return (pieces, attributes, payload) => {
    if (pieces.length === 0) return noContent;
    const { put, putAll } = payload;
    const first = <T extends string | readonly unknown[]>(
      field: ContentField,
      read: (parser: string, found: Found) => T,
    ) => firstOf(pieces, attributes, payload, field, read);
    const text = (_parser: string, found: Found) => pieceText(found.pieces, found.value);
    const all = first('input_messages', parsers.messages) ?? [];
    const output = first('output_messages', parsers.messages) ?? [];
    const tools = first('tool_definitions', parsers.tools) ?? [];
    const stated = first('system_instructions', (_p, f) => parsers.system(f));
    const { system, input } = stated === undefined ? lift(all) : { system: stated, input: all };
    const args = first('tool_arguments', text);
    const result = first('tool_result', text);
    return {
      input: putAll(flatMapGrowing(texts, input, textOfMessage)),
      output: putAll(flatMapGrowing(texts, output, textOfMessage)),
      system: system === '' ? [] : [put(system)],
      tools: putAll(tools),
      arguments: args === undefined ? [] : [put(args)],
      result: result === undefined ? [] : [put(result)],
      systemText: system,
      toolTexts: tools,
      argumentsText: args,
      resultText: result,
      finishReason: output[0]?.finish ?? '',
    };
  };
}

const textOfMessage = ({ text }: StoredMessage): readonly string[] => [text];

interface Lifted {
  /** JSON of a parts array, '' when there is none. */
  readonly system: string;
  readonly input: readonly StoredMessage[];
}

/** {@link liftSystem}, which of a chat that has grown looks at nothing twice. */
function createSystemLift(): (messages: readonly StoredMessage[]) => Lifted {
  const lifted = new WeakMap<readonly StoredMessage[], Lifted>();
  return (messages) => {
    const known = lifted.get(messages);
    if (known !== undefined) return known;
    const before = beginningOf(messages);
    const start = before === undefined ? undefined : lifted.get(before);
    // Behind a message that is no system message nothing is lifted any more.
    const result =
      before === undefined || start === undefined || start.input.length === 0
        ? liftSystem(messages)
        : { ...start, input: grow(start.input, messages.slice(before.length)) };
    lifted.set(messages, result);
    return result;
  };
}

/** System messages at the head of a chat are its system instructions; later ones stay where they were said. */
function liftSystem(messages: readonly StoredMessage[]): Lifted {
  const end = messages.findIndex((message) => message.parts === null);
  const head = messages.slice(0, end < 0 ? messages.length : end);
  const parts = head.flatMap((message) => message.parts ?? []);
  return {
    system: parts.length === 0 ? '' : writeJson(parts as unknown as Json),
    input: messages.slice(head.length),
  };
}

/** Hostile nesting overflows the stack of any recursive reader: such content stays raw, its span survives. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
