import type { Attributes } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import type { RequestBody } from './body.ts';
import { contentMessage, contentParts, contentsOf } from './gemini-content.ts';
import { geminiResponse } from './gemini-response.ts';
import { assembleGeminiStream } from './gemini-stream.ts';
import { type Json, list, number, record, records, text } from './json.ts';
import { type ToolDefinition, textOf } from './message.ts';
import type { ModelRequest, Wire } from './wire.ts';

const call =
  /\/(?:models|tunedModels|endpoints)\/([^/:]+):(generateContent|streamGenerateContent)$/;

/** Google's `POST …/models/{model}:generateContent` and `:streamGenerateContent`, of Gemini and Vertex AI. */
export const geminiGenerateContent: Wire = {
  name: 'gemini-generate-content',
  operation: 'generate_content',
  provider: 'gcp.gemini',
  matches: (path) => call.test(path),
  request,
  response: (body) => geminiResponse(body),
  stream: assembleGeminiStream,
};

function request({ json: body, written, messages }: RequestBody, path: string): ModelRequest {
  const [, encoded, method] = call.exec(path) ?? [];
  const model = encoded && decodeURIComponent(encoded);
  const stream = method === 'streamGenerateContent';
  const system = () => contentParts(systemOf(body));
  return {
    model,
    stream,
    attributes: {
      ...requestAttributes(record(body['generationConfig'])),
      ...known({
        'gen_ai.request.model': model,
        'gen_ai.request.stream': stream ? true : undefined,
      }),
    },
    toolsWritten: written('tools'),
    tools: () => list(body['tools']).flatMap(toolDefinitions),
    prompt: () => textOf(system()),
    messageCount: () => messages('contents').length || contentsOf(body['contents']).length,
    identity: () =>
      written('systemInstruction', 'system_instruction', 'contents', 'tools', 'toolConfig') +
      JSON.stringify(record(body['generationConfig'])?.['responseSchema']),
    messages: () => contentsOf(body['contents']).map(contentMessage),
    system,
  };
}

function systemOf(body: Json): Json | undefined {
  const system = body['systemInstruction'] ?? body['system_instruction'];
  return typeof system === 'string' ? { parts: [{ text: system }] } : record(system);
}

function requestAttributes(config: Json | undefined): Attributes {
  if (!config) return {};
  const stop = list(config['stopSequences']).filter((item) => typeof item === 'string');
  const choices = number(config['candidateCount']);
  const json = config['responseMimeType'] === 'application/json';
  return known({
    'gen_ai.request.temperature': number(config['temperature']),
    'gen_ai.request.top_p': number(config['topP']),
    'gen_ai.request.top_k': number(config['topK']),
    'gen_ai.request.max_tokens': number(config['maxOutputTokens']),
    'gen_ai.request.frequency_penalty': number(config['frequencyPenalty']),
    'gen_ai.request.presence_penalty': number(config['presencePenalty']),
    'gen_ai.request.seed': number(config['seed']),
    'gen_ai.request.choice.count': choices === 1 ? undefined : choices,
    'gen_ai.request.stop_sequences': stop.length > 0 ? stop : undefined,
    'gen_ai.request.reasoning.level': text(record(config['thinkingConfig'])?.['thinkingLevel']),
    'gen_ai.output.type': json ? 'json' : undefined,
  });
}

function toolDefinitions(value: unknown): ToolDefinition[] {
  const tool = record(value) ?? {};
  const declared = records(tool['functionDeclarations']).flatMap((declaration) => {
    const name = text(declaration['name']);
    if (!name) return [];
    return [
      {
        type: 'function',
        name,
        description: text(declaration['description']),
        parameters: declaration['parametersJsonSchema'] ?? declaration['parameters'],
      },
    ];
  });
  const hosted = Object.keys(tool)
    .filter((key) => key !== 'functionDeclarations')
    .map((key) => ({ type: key, name: key }));
  return [...declared, ...hosted];
}
