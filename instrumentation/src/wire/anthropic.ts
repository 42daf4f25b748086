import type { Attributes } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { anthropicMessage, systemParts } from './anthropic-message.ts';
import { anthropicResponse } from './anthropic-response.ts';
import { assembleAnthropicStream } from './anthropic-stream.ts';
import type { RequestBody } from './body.ts';
import { type Json, list, number, record, records, text } from './json.ts';
import { type ToolDefinition, textOf } from './message.ts';
import type { ModelRequest, Wire } from './wire.ts';

/** Anthropic messages, `POST …/messages`, and Claude on Vertex AI, `POST …/publishers/anthropic/models/{model}:rawPredict`. */
export const anthropicMessages: Wire = {
  name: 'anthropic-messages',
  operation: 'chat',
  provider: 'anthropic',
  matches: (path) => path.endsWith('/messages') || vertex.test(path),
  accepts: ({ json, written }) =>
    written('messages').startsWith('[') &&
    typeof json['max_tokens'] === 'number' &&
    (typeof json['model'] === 'string' || 'anthropic_version' in json),
  request,
  response: (body) => anthropicResponse(body),
  stream: assembleAnthropicStream,
};

const vertex = /\/publishers\/anthropic\/models\/([^/:]+):(?:stream)?rawPredict$/i;

function request({ json: body, written, messages }: RequestBody, path: string): ModelRequest {
  const system = () => systemParts(body['system']);
  const model = text(body['model']) ?? vertex.exec(path)?.[1];
  return {
    model,
    stream: body['stream'] === true,
    attributes: { ...requestAttributes(body), ...known({ 'gen_ai.request.model': model }) },
    toolsWritten: written('tools'),
    tools: () => list(body['tools']).flatMap(toolDefinition),
    prompt: () => textOf(system()),
    messageCount: () => messages('messages').length,
    identity: () => written('system', 'messages', 'tools', 'tool_choice'),
    messages: () => records(body['messages']).map(anthropicMessage),
    system,
  };
}

function requestAttributes(body: Json): Attributes {
  const stop = list(body['stop_sequences']).filter((item) => typeof item === 'string');
  const format = record(record(body['output_config'])?.['format']) ?? record(body['output_format']);
  return known({
    'anthropic.request.service_tier': text(body['service_tier']),
    'gen_ai.request.temperature': number(body['temperature']),
    'gen_ai.request.top_p': number(body['top_p']),
    'gen_ai.request.top_k': number(body['top_k']),
    'gen_ai.request.max_tokens': number(body['max_tokens']),
    'gen_ai.request.stop_sequences': stop.length > 0 ? stop : undefined,
    'gen_ai.request.reasoning.level': text(record(body['output_config'])?.['effort']),
    'gen_ai.request.stream': body['stream'] === true ? true : undefined,
    'gen_ai.output.type': format ? 'json' : undefined,
  });
}

function toolDefinition(value: unknown): ToolDefinition[] {
  const tool = record(value);
  const name = text(tool?.['name']);
  if (!tool || !name) return [];
  const declared = text(tool['type']) ?? 'custom';
  return [
    {
      type: declared === 'custom' ? 'function' : declared,
      name,
      description: text(tool['description']),
      parameters: tool['input_schema'],
    },
  ];
}
