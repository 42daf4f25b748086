import { type Json, list, parse, record, records, text } from './json.ts';
import type { Message, Part } from './message.ts';

/** A chat message as OTel writes it. Unknown parts stay as `generic`, so that nothing is lost silently. */
export function chatMessage(message: Json): Message {
  const role = text(message['role']) ?? 'user';
  const name = text(message['name']);
  if (role === 'tool' || role === 'function') {
    const response = message['content'];
    const id = text(message['tool_call_id']);
    return { role: 'tool', parts: [{ type: 'tool_call_response', id, response }], name };
  }
  return { role, parts: role === 'assistant' ? answerParts(message) : contentParts(message), name };
}

/** What an assistant said: reasoning, text, refusal, tool calls, in this order. */
export function answerParts(message: Json): Part[] {
  const parts: Part[] = [];
  const reasoning = text(message['reasoning_content']) ?? text(message['reasoning']);
  if (reasoning) parts.push({ type: 'reasoning', content: reasoning });
  parts.push(...contentParts(message));
  const refusal = text(message['refusal']);
  if (refusal) parts.push({ type: 'refusal', content: refusal });
  for (const call of list(message['tool_calls'])) parts.push(...toolCallPart(record(call)));
  const legacy = record(message['function_call']);
  if (legacy) parts.push(...toolCallPart({ function: legacy }));
  return parts;
}

function toolCallPart(call: Json | undefined): Part[] {
  const target = record(call?.['function']) ?? record(call?.['custom']);
  const name = text(target?.['name']);
  if (!name) return [];
  const written = text(target?.['arguments']) ?? text(target?.['input']) ?? '';
  return [
    { type: 'tool_call', id: text(call?.['id']), name, arguments: parse(written) ?? written },
  ];
}

function contentParts(message: Json): Part[] {
  const content = message['content'];
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', content }];
  return list(content).map((part) => contentPart(record(part) ?? {}));
}

function contentPart(part: Json): Part {
  switch (part['type']) {
    case 'text':
      return { type: 'text', content: text(part['text']) ?? '' };
    case 'thinking': {
      const thoughts = records(part['thinking']).map((thought) => text(thought['text']) ?? '');
      return { type: 'reasoning', content: thoughts.join('') };
    }
    case 'refusal':
      return { type: 'refusal', content: text(part['refusal']) ?? '' };
    case 'image_url':
      return blobOrUri('image', text(record(part['image_url'])?.['url']) ?? '');
    case 'input_audio': {
      const audio = record(part['input_audio']);
      return {
        type: 'blob',
        modality: 'audio',
        mime_type: `audio/${text(audio?.['format']) ?? 'wav'}`,
        content: text(audio?.['data']) ?? '',
      };
    }
    case 'file': {
      const file = record(part['file']);
      const id = text(file?.['file_id']);
      if (id) return { type: 'file', modality: 'file', file_id: id };
      return blobOrUri('file', text(file?.['file_data']) ?? '');
    }
    default:
      return { type: 'generic', content: part };
  }
}

export function blobOrUri(modality: string, url: string): Part {
  const data = /^data:([\w./+-]{1,100});base64,/.exec(url);
  if (!data) return { type: 'uri', modality, uri: url };
  return {
    type: 'blob',
    modality,
    mime_type: data[1] ?? '',
    content: url.slice(data[0].length),
  };
}
