import type { Attributes } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { instructions, type RequestBody } from './body.ts';
import { type Json, list, number, record, records, text } from './json.ts';
import type { ToolDefinition } from './message.ts';
import { chatMessage } from './openai-chat-message.ts';
import { chatResponse, choiceOf } from './openai-chat-response.ts';
import { assembleChatStream } from './openai-chat-stream.ts';
import type { ModelRequest, Wire } from './wire.ts';

/**
 * OpenAI chat completions, `POST …/chat/completions`, also of Azure OpenAI, Mistral, Groq, OpenRouter and every other
 * compatible host.
 */
export const openaiChat: Wire = {
  name: 'openai-chat',
  operation: 'chat',
  provider: 'openai',
  matches: (path) => path.endsWith('/chat/completions'),
  request,
  response: (body) => chatResponse(body, list(body['choices']).map(choiceOf)),
  stream: assembleChatStream,
};

/** Azure OpenAI names the deployment in the path; it stands in for a model that the body leaves out. */
const deployment = /\/deployments\/([^/]+)\/chat\/completions$/;

function request({ json: body, written, messages }: RequestBody, path: string): ModelRequest {
  const model = text(body['model']) ?? deployment.exec(path)?.[1];
  return {
    model,
    stream: body['stream'] === true,
    attributes: { ...requestAttributes(body), ...known({ 'gen_ai.request.model': model }) },
    toolsWritten: written('tools'),
    tools: () => list(body['tools']).flatMap(toolDefinition),
    prompt: () => instructions(messages('messages')).map(spokenText).join('\n'),
    messageCount: () => messages('messages').length,
    identity: () => written('messages', 'tools', 'tool_choice', 'response_format'),
    messages: () => records(body['messages']).map(chatMessage),
    system: () => [],
  };
}

function requestAttributes(body: Json): Attributes {
  const format = text(record(body['response_format'])?.['type']);
  const stop = [body['stop'] ?? []].flat().filter((item) => typeof item === 'string');
  const choices = number(body['n']);
  return known({
    'openai.api.type': 'chat_completions',
    'openai.request.service_tier': text(body['service_tier']),
    'gen_ai.request.temperature': number(body['temperature']),
    'gen_ai.request.top_p': number(body['top_p']),
    'gen_ai.request.max_tokens': number(body['max_completion_tokens'] ?? body['max_tokens']),
    'gen_ai.request.frequency_penalty': number(body['frequency_penalty']),
    'gen_ai.request.presence_penalty': number(body['presence_penalty']),
    'gen_ai.request.seed': number(body['seed']),
    'gen_ai.request.choice.count': choices === 1 ? undefined : choices,
    'gen_ai.request.stop_sequences': stop.length > 0 ? stop : undefined,
    'gen_ai.request.reasoning.level': text(body['reasoning_effort']),
    'gen_ai.request.stream': body['stream'] === true ? true : undefined,
    'gen_ai.output.type': format?.startsWith('json') ? 'json' : format,
  });
}

export function toolDefinition(value: unknown): ToolDefinition[] {
  const tool = record(value);
  const type = text(tool?.['type']) ?? 'function';
  const definition = record(tool?.[type]) ?? tool;
  const name = text(definition?.['name']);
  if (!name) return [];
  return [
    {
      type,
      name,
      description: text(definition?.['description']),
      parameters: definition?.['parameters'],
    },
  ];
}

function spokenText(message: Json): string {
  const content = message['content'];
  if (typeof content === 'string') return content;
  return list(content)
    .map((part) => text(record(part)?.['text']) ?? '')
    .join('\n');
}
