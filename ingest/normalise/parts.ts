import { boolean } from './numbers.ts';
import { asText, isArray, isObject, type Json, member, parseJson } from './values.ts';

/** A canonical message part: OTel's shapes, see `message_model` in the mapping's source. */
export type Part = { readonly type: string } & { readonly [key: string]: Json };

type Obj = { readonly [key: string]: Json };

/** First member that is there and not null. */
export function first(value: Json | undefined, ...keys: readonly string[]): Json | undefined {
  for (const key of keys) {
    const found = member(value, key);
    if (found !== undefined && found !== null) return found;
  }
  return undefined;
}

/** JSON text as data; other text, and data, as they are. */
export function dataOf(value: Json | undefined): Json {
  if (typeof value !== 'string') return value ?? null;
  return /^\s*[[{"]/.test(value) ? (parseJson(value) ?? value) : value;
}

export const textPart = (content: Json): Part => ({ type: 'text', content });

/** A model's call of a tool; arguments that are JSON text become data. */
export function toolCall(id: Json | undefined, name: Json | undefined, input?: Json): Part {
  return {
    type: 'tool_call',
    ...(id === undefined ? {} : { id }),
    name: asText(name) ?? '',
    arguments: dataOf(input),
  };
}

/** The answer of a tool; a list that holds one text is that text. */
export function toolResponse(id: Json | undefined, response?: Json, failed?: boolean): Part {
  const [only, ...others] = isArray(response) ? response : [];
  const textual = isObject(only) && member(only, 'type') === 'text';
  const keys = textual ? ['text', 'content'] : ['text'];
  const text = others.length === 0 && isObject(only) ? first(only, ...keys) : undefined;
  return {
    type: 'tool_call_response',
    ...(id === undefined ? {} : { id }),
    response: text ?? response ?? null,
    ...(failed === true ? { is_error: true } : {}),
  };
}

function uriPart(value: Json | undefined, modality: string): Part {
  const uri = asText(isObject(value) ? first(value, 'url', 'uri', 'file_uri') : value) ?? '';
  const [, mime, content] = /^data:([^;,]*);base64,(.*)$/s.exec(uri) ?? [];
  if (content !== undefined) return { type: 'blob', modality, mime_type: mime ?? '', content };
  return { type: 'uri', modality, uri };
}

const resultIds = [
  'id',
  'call_id',
  'toolCallId',
  'tool_call_id',
  'tool_use_id',
  'toolUseId',
  'ref',
];
const callIds = ['id', 'call_id', 'toolCallId', 'toolUseId', 'tool_call_id', 'ref'];

const response = (part: Json): Part => {
  const failed = boolean(first(part, 'is_error', 'isError') ?? null);
  const body = first(part, 'response', 'result', 'output', 'content');
  const status = member(part, 'status') === 'error';
  return toolResponse(first(part, ...resultIds), body, failed === true || status);
};

const call = (part: Json): Part =>
  toolCall(
    first(part, ...callIds),
    first(part, 'name', 'toolName') ?? first(member(part, 'function'), 'name'),
    first(part, 'arguments', 'args', 'input') ?? first(member(part, 'function'), 'arguments'),
  );

const reasoning = (part: Json): Part => {
  const summary = member(part, 'summary');
  const texts = isArray(summary) ? summary.map((s) => asText(first(s, 'text')) ?? '') : [];
  const content = first(part, 'content', 'thinking', 'text', 'data') ?? texts.join('\n');
  const signature = first(part, 'signature');
  return { type: 'reasoning', content, ...(signature === undefined ? {} : { signature }) };
};

const text = (part: Json): Part => textPart(first(part, 'content', 'text') ?? '');

/** Part types of every vendor, by their `type`. */
const byType: Readonly<Record<string, (part: Obj) => Part>> = {
  text,
  input_text: text,
  output_text: text,
  thinking: reasoning,
  redacted_thinking: reasoning,
  reasoning,
  tool_call: call,
  tool_use: call,
  toolUse: call,
  'tool-call': call,
  function_call: call,
  function: call,
  tool_call_response: response,
  tool_result: response,
  toolResult: response,
  'tool-result': response,
  function_call_output: response,
  image_url: (part) => uriPart(first(part, 'image_url', 'url'), 'image'),
  input_image: (part) => uriPart(first(part, 'image_url', 'url'), 'image'),
  'image-url': (part) => uriPart(first(part, 'url'), 'image'),
  refusal: (part) => ({ type: 'refusal', content: first(part, 'refusal', 'content') ?? '' }),
};

/** Parts that say what they are by the name of their one member (Gemini, Bedrock). */
const byMember: Readonly<Record<string, (value: Json, part: Obj) => Part>> = {
  functionCall: call,
  function_call: call,
  toolUse: call,
  toolRequest: call,
  toolResponse: response,
  functionResponse: (value) => toolResponse(first(value, 'id', 'name'), first(value, 'response')),
  function_response: (value) => toolResponse(first(value, 'id', 'name'), first(value, 'response')),
  toolResult: response,
  inlineData: (value) => ({
    type: 'blob',
    modality: 'file',
    mime_type: first(value, 'mimeType', 'mime_type') ?? '',
    content: first(value, 'data') ?? '',
  }),
  text: (value, part) =>
    member(part, 'thought') === true ? { type: 'reasoning', content: value } : textPart(value),
};

/** An entry of a message's list of tool calls, which may lack a type. */
export function toCall(value: Json): Part {
  const wrapped = first(value, 'tool_call');
  return call(isObject(wrapped) ? wrapped : value);
}

/** One part of any vendor as a canonical part; an unknown one is kept as it is. */
export function toPart(value: Json): Part {
  if (typeof value === 'string') return textPart(value);
  if (!isObject(value)) return { type: 'json', content: value };
  // OpenInference wraps: {message_content: {…}}, {tool_call: {…}}, or says the type in the first and the call in the second.
  const content = first(value, 'message_content');
  const called = first(value, 'tool_call');
  const wrapped = isObject(called) && Object.keys(content ?? {}).length < 2 ? called : content;
  if (isObject(wrapped)) return toPart(wrapped);
  if (member(value, 'tool.name') !== undefined) {
    return toolCall(undefined, member(value, 'tool.name'), member(value, 'tool.args'));
  }
  const type = member(value, 'type');
  if (typeof type === 'string') {
    const convert = Object.hasOwn(byType, type) ? byType[type] : undefined;
    return convert === undefined ? { ...value, type } : convert(value);
  }
  for (const key of Object.keys(byMember)) {
    const inner = first(value, key);
    if (inner !== undefined)
      return byMember[key]?.(inner, value) ?? { type: 'json', content: value };
  }
  return 'function' in value ? call(value) : { type: 'json', content: value };
}

/** Message content of any shape as parts; empty text gives none. */
export function toParts(content: Json | undefined): readonly Part[] {
  const data = dataOf(content);
  if (data === null || data === '') return [];
  if (isArray(data)) return data.map(toPart);
  return [isObject(data) ? toPart(data) : textPart(typeof content === 'string' ? content : data)];
}
