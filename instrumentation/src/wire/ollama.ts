import type { Attributes } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { instructions, type RequestBody } from './body.ts';
import { type Json, list, number, parse, record, records, text } from './json.ts';
import { keptText } from './kept-text.ts';
import type { Message, Part } from './message.ts';
import { toolDefinition } from './openai-chat.ts';
import type {
  ModelRequest,
  ModelResponse,
  ModelToolCall,
  StreamAssembler,
  StreamLimits,
  Wire,
} from './wire.ts';

/** Ollama chat, `POST …/api/chat`: one JSON object per line, unless `stream` is false. */
export const ollamaChat: Wire = {
  name: 'ollama-chat',
  operation: 'chat',
  provider: 'ollama',
  matches: (path) => path.endsWith('/api/chat'),
  // Many an application has an /api/chat of its own.
  accepts: ({ json, written }) =>
    typeof json['model'] === 'string' && written('messages').startsWith('['),
  request,
  response: (body) => ollamaResponse(body),
  stream: assembleOllamaStream,
  framing: 'lines',
};

function request({ json: body, written, messages }: RequestBody): ModelRequest {
  const stream = body['stream'] !== false;
  return {
    model: text(body['model']),
    stream,
    attributes: requestAttributes(body, stream),
    toolsWritten: written('tools'),
    tools: () => list(body['tools']).flatMap(toolDefinition),
    prompt: () =>
      instructions(messages('messages'))
        .map((message) => text(message['content']) ?? '')
        .join('\n'),
    messageCount: () => messages('messages').length,
    identity: () => written('messages', 'tools', 'format'),
    messages: () => records(body['messages']).map(chatMessage),
    system: () => [],
  };
}

function requestAttributes(body: Json, stream: boolean): Attributes {
  const options = record(body['options']);
  const stop = list(options?.['stop']).filter((item) => typeof item === 'string');
  return known({
    'gen_ai.request.model': text(body['model']),
    'gen_ai.request.temperature': number(options?.['temperature']),
    'gen_ai.request.top_p': number(options?.['top_p']),
    'gen_ai.request.top_k': number(options?.['top_k']),
    'gen_ai.request.max_tokens': number(options?.['num_predict']),
    'gen_ai.request.frequency_penalty': number(options?.['frequency_penalty']),
    'gen_ai.request.presence_penalty': number(options?.['presence_penalty']),
    'gen_ai.request.seed': number(options?.['seed']),
    'gen_ai.request.stop_sequences': stop.length > 0 ? stop : undefined,
    'gen_ai.request.reasoning.level': text(body['think']),
    'gen_ai.request.stream': stream ? true : undefined,
    'gen_ai.output.type': body['format'] ? 'json' : undefined,
  });
}

function chatMessage(message: Json): Message {
  const role = text(message['role']) ?? 'user';
  if (role !== 'tool') return { role, parts: messageParts(message) };
  const id = text(message['tool_call_id']) ?? text(message['tool_name']);
  return { role, parts: [{ type: 'tool_call_response', id, response: message['content'] }] };
}

function messageParts(message: Json): Part[] {
  const parts: Part[] = [];
  const thinking = text(message['thinking']);
  const said = text(message['content']);
  if (thinking) parts.push({ type: 'reasoning', content: thinking });
  if (said) parts.push({ type: 'text', content: said });
  for (const image of list(message['images'])) {
    parts.push({ type: 'blob', modality: 'image', content: text(image) ?? '' });
  }
  for (const call of records(message['tool_calls'])) {
    const target = record(call['function']);
    const name = text(target?.['name']) ?? '';
    parts.push({ type: 'tool_call', id: text(call['id']), name, arguments: target?.['arguments'] });
  }
  return parts;
}

function ollamaResponse(body: Json, textBytes?: number): ModelResponse {
  const message = record(body['message']);
  const reason = text(body['done_reason']);
  const calls = records(message?.['tool_calls']).flatMap(toolCall);
  const finish = calls.length > 0 && reason === 'stop' ? 'tool_call' : reason;
  const error = text(body['error']);
  return {
    attributes: known({
      'gen_ai.response.model': text(body['model']),
      'gen_ai.response.finish_reasons': reason ? [reason] : undefined,
      'gen_ai.usage.input_tokens': number(body['prompt_eval_count']),
      'gen_ai.usage.output_tokens': number(body['eval_count']),
    }),
    messages: message
      ? [{ role: 'assistant', parts: messageParts(message), finish_reason: finish }]
      : [],
    textBytes: textBytes ?? Buffer.byteLength(text(message?.['content']) ?? ''),
    calls,
    error: error === undefined ? undefined : { type: undefined, message: error },
  };
}

function toolCall(call: Json): ModelToolCall[] {
  const target = record(call['function']);
  const name = text(target?.['name']);
  if (!name) return [];
  const written = JSON.stringify(target?.['arguments'] ?? {});
  return [{ id: text(call['id']) ?? '', name, arguments: written }];
}

const maxCalls = 256;

/** Collects the lines of a streamed chat; the last one has the counts. */
function assembleOllamaStream({ maxChars }: StreamLimits): StreamAssembler {
  const keep = keptText(maxChars);
  const calls: unknown[] = [];
  let head: Json = {};
  let content = '';
  let thinking = '';
  let textBytes = 0;
  let complete = false;
  return {
    push: (data) => {
      const line = complete ? undefined : record(parse(data));
      if (!line) return;
      const message = record(line['message']);
      head = { ...head, ...line };
      content = keep(content, text(message?.['content']));
      thinking = keep(thinking, text(message?.['thinking']));
      textBytes += Buffer.byteLength(text(message?.['content']) ?? '');
      for (const call of list(message?.['tool_calls']))
        if (calls.length < maxCalls) calls.push(call);
      complete = line['done'] === true;
    },
    complete: () => complete,
    result: () =>
      ollamaResponse({ ...head, message: { content, thinking, tool_calls: calls } }, textBytes),
  };
}
