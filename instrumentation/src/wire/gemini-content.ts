import { type Json, record, records, text } from './json.ts';
import type { Message, Part } from './message.ts';
import type { ModelToolCall } from './wire.ts';

/** Contents: a list of turns, one turn, or (in SDK shorthand) a text. */
export function contentsOf(contents: unknown): Json[] {
  if (typeof contents === 'string') return [{ role: 'user', parts: [{ text: contents }] }];
  return Array.isArray(contents) ? [...records(contents)] : records([contents]).slice();
}

export function contentMessage(content: Json): Message {
  const parts = contentParts(content);
  const results = parts.length > 0 && parts.every(({ type }) => type === 'tool_call_response');
  const role = text(content['role']) ?? 'user';
  return { role: results ? 'tool' : role === 'model' ? 'assistant' : role, parts };
}

export function contentParts(content: Json | undefined): Part[] {
  return records(content?.['parts']).map(partOf);
}

export function contentCalls(content: Json | undefined): ModelToolCall[] {
  return records(content?.['parts']).flatMap((part) => {
    const call = record(part['functionCall']);
    const name = text(call?.['name']);
    if (!call || !name) return [];
    return [{ id: text(call['id']) ?? '', name, arguments: JSON.stringify(call['args'] ?? {}) }];
  });
}

function partOf(part: Json): Part {
  const said = text(part['text']);
  if (said !== undefined) {
    return { type: part['thought'] === true ? 'reasoning' : 'text', content: said };
  }
  const call = record(part['functionCall']);
  if (call) {
    const name = text(call['name']) ?? '';
    return { type: 'tool_call', id: text(call['id']), name, arguments: call['args'] ?? {} };
  }
  const response = record(part['functionResponse']);
  if (response) {
    // Without ids the name is what pairs a result with its call.
    const id = text(response['id']) ?? text(response['name']);
    return { type: 'tool_call_response', id, response: response['response'] };
  }
  return dataPart(part);
}

function dataPart(part: Json): Part {
  const inline = record(part['inlineData']) ?? record(part['inline_data']);
  if (inline) {
    const mime = text(inline['mimeType']) ?? text(inline['mime_type']) ?? '';
    const content = text(inline['data']) ?? '';
    return { type: 'blob', modality: modalityOf(mime), mime_type: mime, content };
  }
  const file = record(part['fileData']) ?? record(part['file_data']);
  if (file) {
    const modality = modalityOf(text(file['mimeType']) ?? '');
    return { type: 'uri', modality, uri: text(file['fileUri']) ?? '' };
  }
  const code = record(part['executableCode']);
  if (code) return { type: 'server_tool_call', name: 'code_execution', server_tool_call: code };
  const ran = record(part['codeExecutionResult']);
  if (ran) return { type: 'server_tool_call_response', server_tool_call_response: ran };
  return { type: 'generic', content: part };
}

function modalityOf(mime: string): string {
  const kind = mime.split('/')[0] ?? '';
  return ['image', 'audio', 'video'].includes(kind) ? kind : 'file';
}
