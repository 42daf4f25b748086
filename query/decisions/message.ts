import { canonical, isRecord, parseJson } from './json.ts';

export type PartType = 'text' | 'reasoning' | 'tool_call' | 'tool_result' | 'other';

/** One part of a message: its text (a call's raw arguments, a result's text), and what names it. */
export interface Part {
  readonly type: PartType;
  readonly text: string;
  /** Tool call id, of calls and results. */
  readonly id: string;
  /** Tool name, of calls. */
  readonly name: string;
  /** A call that the provider runs itself. */
  readonly server: boolean;
  /** Its text was not recorded; an empty one is known. */
  readonly withheld: boolean;
}

export interface Message {
  readonly role: string;
  readonly parts: readonly Part[];
  readonly finish: string;
  /** Equal for messages with the same role and parts, however they were serialised. */
  readonly identity: string;
  readonly refusal: boolean;
}

/** A message in the shape of OTel's `gen_ai.input.messages`; other text is a message of one text part. */
export function parseMessage(text: string): Message {
  const value = parseJson(text);
  if (!isRecord(value)) return message('', [textPart(text)], '', false);
  const raw = Array.isArray(value['parts']) ? value['parts'] : [];
  const own = value['content'];
  const parts = typeof own === 'string' ? [textPart(own)] : raw.map(parsePart);
  const refusal = raw.some((part) => isRecord(part) && part['type'] === 'refusal');
  return message(textOf(value['role']), parts, textOf(value['finish_reason']), refusal);
}

/** System instructions are a list of parts without a role: a system message. */
export function parseInstructions(text: string): Message {
  const value = parseJson(text);
  const parts = Array.isArray(value) ? value.map(parsePart) : [textPart(text)];
  return message('system', parts, '', false);
}

function message(role: string, all: readonly Part[], finish: string, refusal: boolean): Message {
  const parts = all.filter((part) => part.type !== 'text' || part.text !== '' || part.withheld);
  return new ParsedMessage(role, parts, finish, refusal);
}

/** Most messages are never compared, and what makes them the same takes long to say: it is said when asked for. */
class ParsedMessage implements Message {
  readonly role: string;
  readonly parts: readonly Part[];
  readonly finish: string;
  readonly refusal: boolean;
  #identity: string | undefined;

  constructor(role: string, parts: readonly Part[], finish: string, refusal: boolean) {
    this.role = role;
    this.parts = parts;
    this.finish = finish;
    this.refusal = refusal;
  }

  get identity(): string {
    if (this.#identity !== undefined) return this.#identity;
    let own = this.role;
    for (const part of this.parts) {
      // Reasoning is seldom sent back, so it is no part of what makes two messages the same.
      if (part.type === 'reasoning') continue;
      const { type, id } = part;
      const name = type === 'tool_call' ? part.name : '';
      const text = type === 'tool_call' ? canonicalText(part.text) : part.text.trim();
      // The lengths tell where one ends and the next begins.
      own += `\n${type} ${id.length} ${name.length} ${text.length} ${id}${name}${text}`;
    }
    this.#identity = own;
    return own;
  }
}

/** Arguments of a call from their text. */
export interface ParsedArguments {
  /** The parsed value; the text itself when it is not JSON. No text at all means an empty object. */
  readonly args: unknown;
  /** Equal for equal arguments. */
  readonly argsKey: string;
}

// Arguments that were asked for last: the same ones come back with the next messages of a chat.
const lately = new Map<string, ParsedArguments>();
const maxLately = 1_000;
const maxLength = 1_000;

/** Parses the arguments of a call. Providers send calls without arguments with no text. */
export function parseArguments(text: string): ParsedArguments {
  const known = lately.get(text);
  if (known !== undefined) return known;
  const parsed = text.trim() === '' ? {} : parseJson(text);
  // Some instrumentations encode the text once more.
  const inner = typeof parsed === 'string' ? parseJson(parsed) : undefined;
  const args = isRecord(inner) ? inner : parsed === undefined ? text : parsed;
  const made = { args, argsKey: canonical(args) };
  if (text.length > maxLength) return made;
  if (lately.size >= maxLately) lately.clear();
  lately.set(text, made);
  return made;
}

/** JSON in its canonical form, any other text as it is. */
function canonicalText(text: string): string {
  const { args, argsKey } = parseArguments(text);
  return args === text ? text : argsKey;
}

const contentKeys = ['content', 'text', 'refusal', 'arguments', 'server_tool_call'];

function parsePart(value: unknown): Part {
  if (typeof value === 'string') return textPart(value);
  if (!isRecord(value)) return { ...textPart(''), type: 'other' };
  const type = textOf(value['type']);
  const id = textOf(value['id'] ?? value['call_id']);
  const name = textOf(value['name']);
  const [kind, text] = typeAndText(type, value);
  return {
    type: kind,
    text,
    id,
    name,
    server: type === 'server_tool_call' || type === 'server_tool_call_response',
    // Without content, parts are sent bare: their kinds, and of calls the names.
    withheld: text === '' && !contentKeys.some((key) => Object.hasOwn(value, key)),
  };
}

function typeAndText(
  type: string,
  value: Readonly<Record<string, unknown>>,
): readonly [PartType, string] {
  switch (type) {
    case 'text':
    case 'refusal':
      return ['text', textOf(value['content'] ?? value['text'] ?? value['refusal'])];
    case 'reasoning':
    case 'thinking':
      return ['reasoning', textOf(value['content'] ?? value['text'])];
    case 'tool_call':
      return ['tool_call', raw(value['arguments'])];
    case 'server_tool_call':
      return ['tool_call', raw(value['arguments'] ?? value['server_tool_call'])];
    case 'tool_call_response':
      return ['tool_result', resultText(value['response'] ?? value['result'])];
    case 'server_tool_call_response':
      return ['tool_result', raw(value['server_tool_call_response'] ?? value['response'])];
    default:
      return ['other', canonical(value)];
  }
}

function textPart(text: string): Part {
  return { type: 'text', text, id: '', name: '', server: false, withheld: false };
}

function raw(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The text of a tool result: plain, JSON, or the text parts of an MCP content list. */
function resultText(value: unknown): string {
  if (!Array.isArray(value) || value.length === 0) return raw(value);
  const texts = value.map((item) =>
    isRecord(item) && item['type'] === 'text' && typeof item['text'] === 'string'
      ? item['text']
      : undefined,
  );
  return texts.every((text) => text !== undefined) ? texts.join('\n') : raw(value);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Parses each payload once and gives messages small numbers, equal for equal identities. */
export interface Messages {
  /** Undefined when the payload of this hash is not known. */
  readonly message: (hash: string) => Message | undefined;
  readonly instructions: (hash: string) => Message | undefined;
  readonly identity: (message: Message) => number;
}

export function readMessages(content: ReadonlyMap<string, string>): Messages {
  const numbers = new Map<string, number>();
  const cached = (parse: (text: string) => Message) => {
    const parsed = new Map<string, Message>();
    return (hash: string) => {
      const known = parsed.get(hash);
      const text = known === undefined ? content.get(hash) : undefined;
      if (text === undefined) return known;
      const fresh = parse(text);
      parsed.set(hash, fresh);
      return fresh;
    };
  };
  return {
    message: cached(parseMessage),
    instructions: cached(parseInstructions),
    identity: ({ identity }) => {
      const number = numbers.get(identity) ?? numbers.size;
      numbers.set(identity, number);
      return number;
    },
  };
}
