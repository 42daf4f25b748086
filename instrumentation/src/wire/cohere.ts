import type { Attributes } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import type { RequestBody } from './body.ts';
import { cohereResponse } from './cohere-response.ts';
import { assembleCohereStream } from './cohere-stream.ts';
import { type Json, list, number, record, records, text } from './json.ts';
import { openaiChat } from './openai-chat.ts';
import { chatMessage } from './openai-chat-message.ts';
import type { ModelRequest, Wire } from './wire.ts';

/** Cohere chat, `POST …/v2/chat`. Its messages and tools look like OpenAI's. */
export const cohereChat: Wire = {
  name: 'cohere-chat',
  operation: 'chat',
  provider: 'cohere',
  matches: (path) => path.endsWith('/v2/chat'),
  accepts: ({ json, written }) =>
    typeof json['model'] === 'string' && written('messages').startsWith('['),
  request,
  response: (body) => cohereResponse(body),
  stream: assembleCohereStream,
};

function request(body: RequestBody, path: string): ModelRequest {
  const { json, written } = body;
  return {
    ...openaiChat.request(body, path),
    attributes: requestAttributes(json),
    identity: () => written('messages', 'tools', 'documents', 'response_format'),
    messages: () => records(json['messages']).map(withPlan).map(chatMessage),
  };
}

/** What the model said before it called tools. */
function withPlan(message: Json): Json {
  const plan = text(message['tool_plan']);
  return plan && message['content'] === undefined ? { ...message, content: plan } : message;
}

function requestAttributes(body: Json): Attributes {
  const stop = list(body['stop_sequences']).filter((item) => typeof item === 'string');
  const format = text(record(body['response_format'])?.['type']);
  return known({
    'gen_ai.request.model': text(body['model']),
    'gen_ai.request.temperature': number(body['temperature']),
    'gen_ai.request.top_p': number(body['p']),
    'gen_ai.request.top_k': number(body['k']),
    'gen_ai.request.max_tokens': number(body['max_tokens']),
    'gen_ai.request.frequency_penalty': number(body['frequency_penalty']),
    'gen_ai.request.presence_penalty': number(body['presence_penalty']),
    'gen_ai.request.seed': number(body['seed']),
    'gen_ai.request.stop_sequences': stop.length > 0 ? stop : undefined,
    'gen_ai.request.stream': body['stream'] === true ? true : undefined,
    'gen_ai.output.type': format === 'json_object' ? 'json' : format,
  });
}
