import { type Json, list, records, text } from './json.ts';
import type { Message, Part } from './message.ts';
import { blobOrUri } from './openai-chat-message.ts';
import type { ModelToolCall } from './wire.ts';

/** A message of the Anthropic API as OTel writes it; results of tools get the role `tool`. */
export function anthropicMessage(message: Json): Message {
  const parts = contentParts(message['content']);
  const results = parts.length > 0 && parts.every(({ type }) => type === 'tool_call_response');
  return { role: results ? 'tool' : (text(message['role']) ?? 'user'), parts };
}

/** Content is a text or a list of blocks. */
export function contentParts(content: unknown): Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', content }];
  return records(content).map(blockPart);
}

export function toolCallOf(block: Json): ModelToolCall[] {
  const name = text(block['name']);
  if (block['type'] !== 'tool_use' || !name) return [];
  return [{ id: text(block['id']) ?? '', name, arguments: JSON.stringify(block['input'] ?? {}) }];
}

function blockPart(block: Json): Part {
  const type = text(block['type']) ?? '';
  const id = text(block['id']);
  switch (type) {
    case 'text':
      return { type: 'text', content: text(block['text']) ?? '' };
    case 'thinking':
      return { type: 'reasoning', content: text(block['thinking']) ?? '' };
    case 'tool_use':
      return { type: 'tool_call', id, name: text(block['name']) ?? '', arguments: block['input'] };
    case 'server_tool_use':
    case 'mcp_tool_use': {
      const name = text(block['name']) ?? '';
      const call = { type: name, input: block['input'] };
      return { type: 'server_tool_call', id, name, server_tool_call: call };
    }
    case 'tool_result':
      return resultPart(block);
    case 'image':
    case 'document':
      return sourcePart(type, block);
    default:
      if (!type.endsWith('_tool_result')) return { type: 'generic', content: block };
      return {
        type: 'server_tool_call_response',
        id: text(block['tool_use_id']),
        server_tool_call_response: block['content'],
      };
  }
}

function resultPart(block: Json): Part {
  const content = block['content'];
  const blocks = records(content);
  const plain = blocks.length > 0 && blocks.every((inner) => inner['type'] === 'text');
  return {
    type: 'tool_call_response',
    id: text(block['tool_use_id']),
    response: plain ? blocks.map((inner) => text(inner['text']) ?? '').join('\n') : content,
    ...(block['is_error'] === true && { is_error: true }),
  };
}

function sourcePart(modality: string, block: Json): Part {
  const source = (records([block['source']])[0] ?? {}) as Json;
  const id = text(source['file_id']);
  if (id) return { type: 'file', modality, file_id: id };
  const data = text(source['data']);
  if (source['type'] === 'text') return { type: 'text', content: data ?? '' };
  if (data === undefined) return blobOrUri(modality, text(source['url']) ?? '');
  return { type: 'blob', modality, mime_type: text(source['media_type']) ?? '', content: data };
}

/** The system prompt: a text or text blocks. */
export function systemParts(system: unknown): Part[] {
  return typeof system === 'string' || list(system).length > 0 ? contentParts(system) : [];
}
