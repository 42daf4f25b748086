import {
  dataOf,
  first,
  type Part,
  toCall,
  toolCall,
  toolResponse,
  toPart,
  toParts,
} from './parts.ts';
import { asText, isArray, isObject, type Json, member, writeJson } from './values.ts';

/** A canonical chat message (semantic conventions for generative AI, message JSON). */
export interface Message {
  readonly role: string;
  readonly parts: readonly Part[];
  readonly name?: string;
  readonly finish_reason?: string;
}

/** Role aliases of the mapping, by lower-case name. */
export type Roles = Readonly<Record<string, string>>;

/** How deep lists and wrappers may nest before the rest is kept as one JSON part. */
const maxDepth = 12;

const known: ReadonlySet<string> = new Set(['system', 'user', 'assistant', 'tool']);

function roleOf(value: Json | undefined, fallback: string, roles: Roles): string {
  const text = asText(value)?.toLowerCase();
  if (text === undefined || text === '') return fallback;
  return known.has(text) ? text : Object.hasOwn(roles, text) ? (roles[text] ?? text) : text;
}

/** Whether a message already has OTel's shape, so that its own bytes are canonical. */
export function isOtelMessage(value: Json | undefined): boolean {
  const role = member(value, 'role');
  const parts = member(value, 'parts');
  return (
    typeof role === 'string' &&
    known.has(role) &&
    isArray(parts) &&
    parts.every((part) => typeof member(part, 'type') === 'string') &&
    !hasOpenAiMembers(value)
  );
}

/** LiteLLM puts calls and ids of OpenAI's shape beside OTel's parts. */
function hasOpenAiMembers(value: Json | undefined): boolean {
  return first(value, 'tool_calls', 'tool_call_id') !== undefined;
}

/** The text of a message as stored. */
export function messageText(message: Message): string {
  return writeJson(message as unknown as Json);
}

function build(role: string, parts: readonly Part[], source?: Json): Message {
  // Anthropic, Bedrock and Pydantic AI send tool results under the role user.
  const answers = parts.length > 0 && parts.every((part) => part.type === 'tool_call_response');
  const name = asText(first(source, 'name'));
  const finish = asText(first(source, 'finish_reason', 'finishReason', 'stop_reason'));
  return {
    role: role === 'user' && answers ? 'tool' : role,
    parts,
    ...(name === undefined ? {} : { name }),
    ...(finish === undefined ? {} : { finish_reason: finish }),
  };
}

/** `{role, content, tool_calls, …}`: OpenAI, Anthropic, AI SDK, LangChain's kwargs, OpenInference's folded keys. */
function fromContent(item: Json, fallback: string, roles: Roles): Message {
  const role = roleOf(first(item, 'role'), fallback, roles);
  const id =
    first(item, 'tool_call_id', 'toolCallId') ?? (role === 'tool' ? first(item, 'id') : undefined);
  const content = first(item, 'contents', 'content');
  if (role === 'tool') {
    const parts = isArray(content) ? toParts(content) : [];
    if (parts.some((part) => part.type === 'tool_call_response')) return build(role, parts, item);
    return build(role, [toolResponse(id, content ?? '')], item);
  }
  const reasoning = first(item, 'reasoning_content', 'reasoning');
  const parts: Part[] =
    typeof reasoning === 'string' ? [{ type: 'reasoning', content: reasoning }] : [];
  parts.push(...toParts(content));
  const refusal = first(item, 'refusal');
  if (refusal !== undefined) parts.push({ type: 'refusal', content: refusal });
  const calls = dataOf(first(item, 'tool_calls', 'toolCalls'));
  const have = new Set(parts.filter((p) => p.type === 'tool_call').map((p) => p['id']));
  for (const call of isArray(calls) ? calls.map(toCall) : []) {
    if (call['id'] === undefined || !have.has(call['id'])) parts.push(call);
  }
  const legacy = first(item, 'function_call');
  if (isObject(legacy))
    parts.push(toolCall(undefined, first(legacy, 'name'), first(legacy, 'arguments')));
  const name = first(item, 'function_call_name');
  if (name !== undefined) {
    parts.push(toolCall(undefined, name, first(item, 'function_call_arguments_json')));
  }
  return build(role, parts, item);
}

const eventRoles: Readonly<Record<string, string>> = {
  'gen_ai.system.message': 'system',
  'gen_ai.user.message': 'user',
  'gen_ai.assistant.message': 'assistant',
  'gen_ai.tool.message': 'tool',
  'gen_ai.choice': 'assistant',
};

const objectOf = (value: Json) => (isObject(value) ? value : {});

const chatKeys = ['role', 'content', 'contents', 'tool_calls', 'function_call'];

/** Lists that hold messages, in requests, responses and framework dumps. */
const lists = ['messages', 'choices', 'candidates', 'generations', 'items', 'contents'] as const;

function fromObject(item: Json, fallback: string, roles: Roles, depth: number): readonly Message[] {
  const again = (value: Json | undefined, role = fallback) =>
    toMessages(value ?? null, role, roles, depth + 1);
  const event = asText(first(item, 'event.name'));
  const role = (event === undefined ? undefined : eventRoles[event]) ?? fallback;
  const kwargs = first(item, 'kwargs');
  if (isObject(kwargs)) {
    const id = first(item, 'id');
    const className = asText(isArray(id) ? id.at(-1) : undefined)?.replace(/Chunk$/, '');
    return [fromContent(kwargs, roleOf(className, fallback, roles), roles)];
  }
  const parts = member(item, 'parts');
  if (isArray(parts) && hasOpenAiMembers(item)) {
    return [fromContent({ ...objectOf(item), content: parts }, role, roles)];
  }
  if (isArray(parts)) {
    return [build(roleOf(first(item, 'role'), role, roles), parts.map(toPart), item)];
  }
  const inner = dataOf(first(item, 'message'));
  // Strands: the choice's message is the list of its content blocks.
  if (isArray(inner) && event === 'gen_ai.choice') return [build(role, toParts(inner), item)];
  if (isObject(inner) || typeof inner === 'string') {
    const finish = first(item, 'finish_reason', 'finishReason');
    const added = finish === undefined ? {} : { finish_reason: asText(finish) ?? '' };
    return again(inner, role).map((message) => ({ ...message, ...added }));
  }
  const type = member(item, 'type');
  if (type === 'function_call_output') return [build('tool', [toPart(item)])];
  const calls = type === 'function_call' || member(item, 'tool.name') !== undefined;
  if (calls || type === 'reasoning') return [build('assistant', [toPart(item)])];
  if (chatKeys.some((key) => first(item, key) !== undefined)) {
    const content = member(item, 'content');
    // Gemini's candidates hold the message in `content`.
    if (isObject(content) && isArray(member(content, 'parts'))) return again(content, role);
    return [fromContent(item, role, roles)];
  }
  for (const key of lists) {
    const list = dataOf(first(item, key));
    if (isArray(list)) return [...again(first(item, 'system'), 'system'), ...again(list, role)];
  }
  const prompt = first(item, 'prompt', 'text');
  if (prompt !== undefined)
    return [...again(first(item, 'system'), 'system'), ...again(prompt, role)];
  return [{ role, parts: [{ type: 'json', content: item }] }];
}

/**
 * Messages of any vendor's JSON as canonical messages. Strings become text of the fallback role, and data of no known
 * shape one `json` part: content is never dropped.
 */
export function toMessages(
  value: Json,
  fallback: string,
  roles: Roles,
  depth = 0,
): readonly Message[] {
  if (value === null || value === '') return [];
  if (depth > maxDepth) return [{ role: fallback, parts: [{ type: 'json', content: value }] }];
  if (isArray(value)) return value.flatMap((item) => toMessages(item, fallback, roles, depth + 1));
  if (isObject(value)) return fromObject(value, fallback, roles, depth);
  return [{ role: fallback, parts: [{ type: 'text', content: asText(value) ?? '' }] }];
}

/** The AI SDK's answer, spread over attributes, as one assistant message. */
export function fromAiSdkResponse(fields: Readonly<Record<string, Json>>): readonly Message[] {
  const parts: Part[] = [];
  const reasoning = fields['reasoning'];
  if (typeof reasoning === 'string') parts.push({ type: 'reasoning', content: reasoning });
  parts.push(
    ...(typeof fields['text'] === 'string' ? [{ type: 'text', content: fields['text'] }] : []),
  );
  const object = fields['object'];
  if (object !== undefined && parts.length === 0)
    parts.push({ type: 'text', content: asText(object) ?? '' });
  const calls = dataOf(fields['toolCalls']);
  if (isArray(calls)) {
    for (const c of calls) {
      parts.push(toolCall(first(c, 'toolCallId'), first(c, 'toolName'), first(c, 'input', 'args')));
    }
  }
  return parts.length === 0 ? [] : [{ role: 'assistant', parts }];
}

/** A declared tool of any vendor as `{type, name, description?, parameters?}`, or null when it has no name. */
export function toTool(value: Json): readonly { readonly [key: string]: Json }[] {
  const data = dataOf(value);
  if (typeof data === 'string') return data === '' ? [] : [{ type: 'function', name: data }];
  const declarations = first(data, 'function_declarations', 'functionDeclarations', 'toolSpec');
  if (isArray(declarations)) return declarations.flatMap(toTool);
  const schema = first(data, 'json_schema', 'tool');
  if (schema !== undefined) return toTool(schema);
  const inner = isObject(declarations) ? declarations : first(data, 'function');
  const tool = isObject(inner) ? inner : data;
  const name = asText(first(tool, 'name'));
  if (name === undefined) return [];
  const description = first(tool, 'description');
  const parameters = dataOf(
    first(tool, 'parameters', 'input_schema', 'inputSchema', 'parameters_json_schema', 'arguments'),
  );
  return [
    {
      type: asText(first(data, 'type')) ?? 'function',
      name,
      ...(description === undefined ? {} : { description }),
      ...(parameters === null ? {} : { parameters }),
    },
  ];
}
