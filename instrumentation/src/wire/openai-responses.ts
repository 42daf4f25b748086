import type { Attributes } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { instructions, type RequestBody } from './body.ts';
import { type Json, list, number, record, records, text } from './json.ts';
import { type Part, type ToolDefinition, textOf } from './message.ts';
import { inputMessages, itemParts } from './openai-responses-item.ts';
import { openaiResponse } from './openai-responses-response.ts';
import { assembleResponsesStream } from './openai-responses-stream.ts';
import type { ModelRequest, Wire } from './wire.ts';

/** OpenAI responses, `POST …/responses`, also of Azure OpenAI and compatible hosts. */
export const openaiResponses: Wire = {
  name: 'openai-responses',
  operation: 'chat',
  provider: 'openai',
  matches: (path) => path.endsWith('/responses'),
  accepts: ({ json }) =>
    (typeof json['model'] === 'string' || record(json['prompt']) !== undefined) &&
    ('input' in json || 'prompt' in json || 'conversation' in json),
  request,
  response: (body) => openaiResponse(body, records(body['output'])),
  stream: assembleResponsesStream,
};

function request({ json: body, written, messages }: RequestBody): ModelRequest {
  const system = () => instructionParts(body['instructions']);
  return {
    model: text(body['model']),
    stream: body['stream'] === true,
    attributes: requestAttributes(body),
    toolsWritten: written('tools'),
    tools: () => list(body['tools']).flatMap(toolDefinition),
    prompt: () => textOf([...system(), ...instructions(messages('input')).flatMap(itemParts)]),
    messageCount: () => (typeof body['input'] === 'string' ? 1 : messages('input').length),
    identity: () => written(...identity),
    messages: () => inputMessages(body['input']),
    system,
  };
}

const identity = [
  ...['input', 'instructions', 'tools', 'tool_choice'],
  ...['previous_response_id', 'conversation', 'text'],
];

function instructionParts(instructions: unknown): Part[] {
  if (typeof instructions === 'string') {
    return instructions === '' ? [] : [{ type: 'text', content: instructions }];
  }
  return records(instructions).flatMap(itemParts);
}

function requestAttributes(body: Json): Attributes {
  const format = text(record(record(body['text'])?.['format'])?.['type']);
  const conversation = body['conversation'];
  const prompt = record(body['prompt']);
  return known({
    'openai.api.type': 'responses',
    'openai.request.service_tier': text(body['service_tier']),
    'gen_ai.request.model': text(body['model']),
    'gen_ai.request.temperature': number(body['temperature']),
    'gen_ai.request.top_p': number(body['top_p']),
    'gen_ai.request.max_tokens': number(body['max_output_tokens']),
    'gen_ai.request.reasoning.level': text(record(body['reasoning'])?.['effort']),
    'gen_ai.request.previous_response.id': text(body['previous_response_id']),
    'gen_ai.request.stream': body['stream'] === true ? true : undefined,
    'gen_ai.conversation.id': text(conversation) ?? text(record(conversation)?.['id']),
    'gen_ai.prompt.name': text(prompt?.['id']),
    'gen_ai.prompt.version': text(prompt?.['version']),
    'gen_ai.output.type': format?.startsWith('json') ? 'json' : format,
  });
}

/** Tools of the provider have no name of their own: their type is what answers name them by. */
function toolDefinition(value: unknown): ToolDefinition[] {
  const tool = record(value);
  const type = text(tool?.['type']);
  if (!tool || !type) return [];
  const name = text(tool['name']) ?? text(tool['server_label']) ?? type;
  const allowed = type === 'mcp' ? tool['allowed_tools'] : undefined;
  return [
    {
      type,
      name,
      description: text(tool['description']) ?? text(tool['server_description']),
      parameters: tool['parameters'] ?? tool['format'] ?? allowed,
    },
  ];
}
