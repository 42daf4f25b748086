import type { Attributes } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { type Json, list, number, record, records, text } from './json.ts';
import type { Part, ToolDefinition } from './message.ts';
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
  accepts: (body) =>
    (typeof body['model'] === 'string' || record(body['prompt']) !== undefined) &&
    ('input' in body || 'prompt' in body || 'conversation' in body),
  request,
  response: (body) => openaiResponse(body, records(body['output'])),
  stream: assembleResponsesStream,
};

function request(body: Json): ModelRequest {
  const messages = inputMessages(body['input']);
  const instructions = instructionParts(body['instructions']);
  const spoken = messages.filter(({ role }) => role === 'system' || role === 'developer');
  return {
    model: text(body['model']),
    stream: body['stream'] === true,
    attributes: requestAttributes(body),
    tools: list(body['tools']).flatMap(toolDefinition),
    prompt: [...instructions, ...spoken.flatMap(({ parts }) => parts)]
      .map((part) => (part.type === 'text' ? part.content : ''))
      .join('\n'),
    messageCount: messages.length,
    identity: [
      ...['input', 'instructions', 'tools', 'tool_choice', 'previous_response_id'].map(
        (key) => body[key],
      ),
      body['conversation'],
      body['text'],
    ],
    messages: () => messages,
    system: () => instructions,
  };
}

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
