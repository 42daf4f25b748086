import { type Json, list, parse, record, records, text } from './json.ts';
import type { Message, Part } from './message.ts';
import { blobOrUri } from './openai-chat-message.ts';
import type { ModelToolCall } from './wire.ts';

/** The input of a response: a text, or items, as messages. */
export function inputMessages(input: unknown): Message[] {
  if (typeof input === 'string') {
    return [{ role: 'user', parts: [{ type: 'text', content: input }] }];
  }
  return records(input).map((item) => ({ role: roleOf(item), parts: itemParts(item) }));
}

function roleOf(item: Json): string {
  const type = text(item['type']) ?? 'message';
  if (type === 'message') return text(item['role']) ?? 'user';
  return type.endsWith('_output') || type === 'mcp_approval_response' ? 'tool' : 'assistant';
}

/** One input or output item as parts. */
export function itemParts(item: Json): Part[] {
  const type = text(item['type']) ?? 'message';
  const id = text(item['call_id']) ?? text(item['id']);
  switch (type) {
    case 'message':
      return contentParts(item['content']);
    case 'reasoning':
      return reasoningParts(item);
    case 'function_call':
    case 'custom_tool_call': {
      const written = text(item['arguments']) ?? text(item['input']) ?? '';
      const value = type === 'function_call' ? (parse(written) ?? written) : written;
      return [{ type: 'tool_call', id, name: text(item['name']) ?? '', arguments: value }];
    }
    case 'computer_call':
    case 'local_shell_call':
    case 'shell_call':
    case 'apply_patch_call':
      return [{ type: 'tool_call', id, name: nameOf(type), arguments: actionOf(item) }];
    default:
      if (type.endsWith('_call_output')) {
        return [{ type: 'tool_call_response', id, response: item['output'] }];
      }
      return type.endsWith('_call')
        ? serverParts(type, item)
        : [{ type: 'generic', content: item }];
  }
}

/** Calls that the application is to run. */
export function itemCalls(item: Json): ModelToolCall[] {
  return itemParts(item).flatMap((part) =>
    part.type === 'tool_call'
      ? [
          {
            id: part.id ?? '',
            name: part.name,
            arguments:
              text(item['arguments']) ?? text(item['input']) ?? JSON.stringify(part.arguments),
          },
        ]
      : [],
  );
}

function nameOf(type: string): string {
  return type.slice(0, -'_call'.length);
}

function actionOf(item: Json): unknown {
  return item['action'] ?? item['operation'] ?? item['actions'] ?? {};
}

/** Tools that the provider runs: web and file search, code interpreter, image generation, remote MCP. */
function serverParts(type: string, item: Json): Part[] {
  const id = text(item['id']);
  const name = text(item['name']) ?? nameOf(type);
  const { id: _, type: __, output, outputs, result, results, error, ...call } = item;
  const answer = output ?? outputs ?? result ?? results ?? error;
  const parts: Part[] = [
    { type: 'server_tool_call', id, name, server_tool_call: { type: nameOf(type), ...call } },
  ];
  if (answer !== undefined && answer !== null) {
    parts.push({ type: 'server_tool_call_response', id, server_tool_call_response: answer });
  }
  return parts;
}

function reasoningParts(item: Json): Part[] {
  const thoughts = [...list(item['content']), ...list(item['summary'])];
  return thoughts.flatMap((thought): Part[] => {
    const content = text(record(thought)?.['text']);
    return content ? [{ type: 'reasoning', content }] : [];
  });
}

function contentParts(content: unknown): Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', content }];
  return records(content).map(contentPart);
}

function contentPart(part: Json): Part {
  switch (part['type']) {
    case 'input_text':
    case 'output_text':
    case 'text':
      return { type: 'text', content: text(part['text']) ?? '' };
    case 'refusal':
      return { type: 'refusal', content: text(part['refusal']) ?? '' };
    case 'input_image':
      return located('image', part, text(part['image_url']));
    case 'input_file':
      return located('file', part, text(part['file_data']) ?? text(part['file_url']));
    default:
      return { type: 'generic', content: part };
  }
}

function located(modality: string, part: Json, url: string | undefined): Part {
  const id = text(part['file_id']);
  return id ? { type: 'file', modality, file_id: id } : blobOrUri(modality, url ?? '');
}
