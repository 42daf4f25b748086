import type { Attributes } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import type { RequestBody } from './body.ts';
import { type Json, number, record, text } from './json.ts';
import type { ModelRequest, ModelResponse, StreamAssembler, Wire } from './wire.ts';

const gemini = /\/models\/([^/:]+):(?:batchEmbedContents|embedContent)$/;
const deployment = /\/deployments\/([^/]+)\/embeddings$/;

/** What the APIs of embeddings have in common: a model, inputs, and a count of tokens. */
const embeddings: Omit<Wire, 'name' | 'provider' | 'matches'> = {
  operation: 'embeddings',
  accepts: ({ json }) => ['input', 'texts', 'inputs', 'images'].some((key) => key in json),
  request,
  response,
  stream: () => unstreamed,
  // Half a megabyte of numbers takes 10 ms to parse.
  maxBodyBytes: 524_288,
};

export const openaiEmbeddings: Wire = {
  ...embeddings,
  name: 'openai-embeddings',
  provider: 'openai',
  matches: (path) => path.endsWith('/embeddings'),
};

export const cohereEmbed: Wire = {
  ...embeddings,
  name: 'cohere-embed',
  provider: 'cohere',
  matches: (path) => /\/v[12]\/embed$/.test(path),
};

export const ollamaEmbed: Wire = {
  ...embeddings,
  name: 'ollama-embed',
  provider: 'ollama',
  matches: (path) => path.endsWith('/api/embed'),
};

export const geminiEmbed: Wire = {
  ...embeddings,
  name: 'gemini-embed',
  provider: 'gcp.gemini',
  matches: (path) => gemini.test(path),
  accepts: () => true,
};

const inputKeys = ['input', 'texts', 'inputs', 'images', 'requests', 'content'];

function request({ json: body, written, items }: RequestBody, path: string): ModelRequest {
  const [, named] = gemini.exec(path) ?? deployment.exec(path) ?? [];
  const model = text(body['model'])?.replace(/^models\//, '') ?? named;
  const format = body['encoding_format'] ?? body['embedding_types'];
  const formats = [format ?? []].flat().filter((item) => typeof item === 'string');
  const inputs = inputKeys.find((key) => key in body) ?? '';
  return {
    model,
    stream: false,
    attributes: known({
      'gen_ai.request.model': model,
      'gen_ai.request.encoding_formats': formats.length > 0 ? formats : undefined,
      'gen_ai.embeddings.dimension.count': number(
        body['dimensions'] ?? body['output_dimension'] ?? body['outputDimensionality'],
      ),
    }),
    toolsWritten: '',
    tools: () => [],
    prompt: () => '',
    messageCount: () => items(inputs).length || 1,
    identity: () => written(...inputKeys),
    messages: () => [],
    system: () => [],
  };
}

function response(body: Json): ModelResponse {
  const error = record(body['error']);
  return {
    attributes: {
      ...known({
        'gen_ai.response.id': text(body['id']),
        'gen_ai.response.model': text(body['model']),
      }),
      ...usageAttributes(body),
    },
    messages: [],
    textBytes: 0,
    calls: [],
    error: error && {
      type: text(error['code']) ?? text(error['status']) ?? text(error['type']),
      message: text(error['message']),
    },
  };
}

function usageAttributes(body: Json): Attributes {
  const usage = record(body['usage']);
  const billed = record(record(body['meta'])?.['billed_units']);
  return known({
    'gen_ai.usage.input_tokens':
      number(usage?.['prompt_tokens']) ??
      number(billed?.['input_tokens']) ??
      number(body['prompt_eval_count']) ??
      number(record(body['usageMetadata'])?.['promptTokenCount']),
    'gen_ai.usage.cost': number(usage?.['cost']),
  });
}

const unstreamed: StreamAssembler = {
  push: () => undefined,
  complete: () => false,
  result: () => ({ attributes: {}, messages: [], textBytes: 0, calls: [], error: undefined }),
};
