import { flatMapGrowing, type Made } from './growing.ts';
import { foldIndexed } from './indexed.ts';
import type { Mapping } from './mapping.ts';
import {
  fromAiSdkResponse,
  isOtelMessage,
  type Message,
  messageText,
  toMessages,
  toTool,
} from './messages.ts';
import { dataOf, first, type Part, toParts } from './parts.ts';
import type { Piece } from './resolve.ts';
import {
  asText,
  isArray,
  type Json,
  jsonOf,
  member,
  parseJson,
  textOf,
  writeJson,
} from './values.ts';

/** A message in the form it is stored in. */
export interface StoredMessage {
  readonly text: string;
  readonly role: string;
  readonly finish: string;
  /** Parts of a system message, which may move to the system instructions. */
  readonly parts: readonly Part[] | null;
}

/** Content as found on a span: the pieces of one source, and what reading them takes. */
export interface Found {
  readonly pieces: readonly Piece[];
  /** The first piece's value, after the transform that selects the content. */
  readonly value: Json;
  readonly role: 'user' | 'assistant';
  /** Splits the text of a JSON array into the texts of its elements. */
  readonly split: (text: string) => readonly string[] | null;
  readonly attribute: (key: string) => Json | undefined;
}

/** Reads content in every shape the mapping names. */
export interface ContentParsers {
  messages(parser: string, found: Found): readonly StoredMessage[];
  /** JSON of a parts array, '' when there is none. */
  system(found: Found): string;
  tools(parser: string, found: Found): readonly string[];
}

function stored(message: Message, text = messageText(message)): StoredMessage {
  return {
    text,
    role: message.role,
    finish: message.finish_reason ?? '',
    parts: message.role === 'system' ? message.parts : null,
  };
}

/** A whole span event as the message it stands for. */
function eventMessage(piece: Piece): Json {
  const fields: Record<string, Json> = Object.create(null);
  for (const { key, value } of piece.event?.attributes ?? []) fields[key] = dataOf(jsonOf(value));
  fields['event.name'] = piece.event?.name ?? '';
  return fields;
}

/** The part of a dotted key after its index prefix. */
function indexedEntries(found: Found) {
  return found.pieces.map(({ source, key, value }) => {
    const prefix = source.key.indexOf('{i}');
    return { path: key.slice(prefix), value };
  });
}

const foldedText = (item: Json): Json =>
  asText(first(first(item, 'prompt', 'completion'), 'text')) ?? '';

/**
 * Parsers for one request. They remember messages by their text, which may be a slice of a large attribute: they must
 * not outlive the request.
 */
export function createContentParsers(mapping: Mapping): ContentParsers {
  const roles = mapping.role_aliases;
  const known = new Map<string, Map<string, readonly StoredMessage[]>>();
  const lists = new Map<string, Made<StoredMessage>>();

  const ofData = (data: Json, role: string) =>
    toMessages(data, role, roles).map((message) => stored(message));

  /** A message in OTel's shape keeps its bytes: hashes then agree with what the agent sent. */
  const ofElement = (raw: string, role: string): readonly StoredMessage[] => {
    const text = raw.trim();
    const ofRole = known.get(role) ?? new Map<string, readonly StoredMessage[]>();
    known.set(role, ofRole);
    const hit = ofRole.get(text);
    if (hit !== undefined) return hit;
    const data = parseJson(text);
    const messages =
      data !== undefined && isOtelMessage(data)
        ? [stored(data as unknown as Message, text)]
        : ofData(data ?? text, role);
    if (ofRole.size >= 2000) ofRole.clear();
    if (text.length < 10_000) ofRole.set(text, messages);
    return messages;
  };

  const ofText = ({ value, split }: Found, role: string): readonly StoredMessage[] => {
    if (typeof value !== 'string') return ofData(value, role);
    const elements = split(value.trim());
    if (elements === null) return ofData(dataOf(value), role);
    const made = lists.get(role) ?? new WeakMap();
    lists.set(role, made);
    return flatMapGrowing(made, elements, (element) => ofElement(element, role));
  };

  const sliced = (parser: string, found: Found): readonly StoredMessage[] => {
    const [, before, key = ''] = /^slice_(before)?.*\((.*)\)$/.exec(parser) ?? [];
    const index = Number(found.attribute(key) ?? Number.NaN);
    const all = ofText(found, 'user');
    if (!Number.isInteger(index)) return before === undefined ? [] : all;
    return before === undefined ? all.slice(index) : all.slice(0, index);
  };

  return {
    messages: (parser, found) => {
      const [, name = '', argument] = /^(\w+)(?:\((.*)\))?$/.exec(parser) ?? [];
      const role = argument === 'user' || argument === 'assistant' ? argument : found.role;
      switch (name) {
        case 'fold_oi_messages':
        case 'fold_traceloop_messages':
          return ofData(foldIndexed(indexedEntries(found), mapping.limits), role);
        case 'fold_texts':
          return ofData(foldIndexed(indexedEntries(found), mapping.limits).map(foldedText), role);
        case 'fold_legacy_events':
        case 'fold_legacy_choice':
          return found.pieces.flatMap((piece) => ofData(eventMessage(piece), role));
        case 'fold_aisdk_response': {
          const byName = found.pieces.map((p) => [p.key.split('.').at(-1) ?? '', jsonOf(p.value)]);
          return fromAiSdkResponse(Object.fromEntries(byName)).map((message) => stored(message));
        }
        case 'slice_before':
        case 'slice_from':
          return sliced(parser, found);
        case 'parse_text':
          return ofData(asText(found.value) ?? '', role);
        default:
          return ofText(found, role);
      }
    },
    system: (found) => systemText(found.value),
    tools: (parser, found) =>
      parser === 'fold_tools'
        ? foldIndexed(indexedEntries(found), mapping.limits).flatMap(toTool).map(writeJson)
        : toolTexts(found),
  };
}

/** Parts that already are OTel's keep their bytes. */
function systemText(value: Json): string {
  const data = dataOf(value);
  const raw = typeof value === 'string' ? value.trim() : '';
  if (isArray(data)) {
    const shaped = data.every((part) => typeof member(part, 'type') === 'string');
    const otel = shaped && data.every((part) => member(part, 'content') !== undefined);
    if (otel && raw !== '' && data.length > 0) return raw;
  }
  const parts = isArray(member(data, 'parts')) ? toParts(member(data, 'parts')) : toParts(data);
  return parts.length === 0 ? '' : writeJson(parts as unknown as Json);
}

function toolTexts({ value, split }: Found): readonly string[] {
  const text = asText(value) ?? '';
  const elements = split(text.trim());
  if (elements === null) return toTool(value).map(writeJson);
  return elements.flatMap((element) => {
    const raw = element.trim();
    const data = parseJson(raw);
    const otel =
      typeof member(data, 'type') === 'string' && typeof member(data, 'name') === 'string';
    return otel ? [raw] : toTool(data ?? null).map(writeJson);
  });
}

/** The text of a piece that is kept as it is. */
export function pieceText(pieces: readonly Piece[], value: Json): string {
  const [only] = pieces;
  if (only === undefined) return '';
  if (!only.source.key.endsWith('.*')) return asText(value) ?? textOf(only.value);
  const prefix = only.source.key.length - 1;
  const entries = pieces.map(({ key, value: v }) => [key.slice(prefix), jsonOf(v)] as const);
  return writeJson(Object.fromEntries(entries));
}
