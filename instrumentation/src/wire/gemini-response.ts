import type { Attributes } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { contentCalls, contentParts } from './gemini-content.ts';
import { type Json, number, record, records, text } from './json.ts';
import type { OutputMessage } from './message.ts';
import type { ModelError, ModelResponse } from './wire.ts';

/** An answer with its candidates; of a stream, put together from its chunks. */
export function geminiResponse(body: Json, textBytes?: number): ModelResponse {
  const candidates = records(body['candidates']);
  const blocked = text(record(body['promptFeedback'])?.['blockReason']);
  const reasons = candidates.flatMap((candidate) => text(candidate['finishReason']) ?? []);
  const messages = candidates.map(outputMessage);
  return {
    attributes: {
      ...known({
        'gen_ai.response.id': text(body['responseId']),
        'gen_ai.response.model': text(body['modelVersion']),
        'gen_ai.response.finish_reasons':
          reasons.length > 0 ? reasons : blocked ? [blocked] : undefined,
      }),
      ...usageAttributes(record(body['usageMetadata'])),
    },
    messages,
    textBytes:
      textBytes ??
      messages
        .flatMap(({ parts }) => parts)
        .reduce(
          (sum, part) => sum + (part.type === 'text' ? Buffer.byteLength(part.content) : 0),
          0,
        ),
    calls: candidates.flatMap((candidate) => contentCalls(record(candidate['content']))),
    error: errorOf(body),
  };
}

const reasons: Readonly<Record<string, string>> = { STOP: 'stop', MAX_TOKENS: 'length' };

function outputMessage(candidate: Json): OutputMessage {
  const parts = contentParts(record(candidate['content']));
  const reason = text(candidate['finishReason']);
  const called = reason === 'STOP' && parts.some(({ type }) => type === 'tool_call');
  return {
    role: 'assistant',
    parts,
    finish_reason: called ? 'tool_call' : reason && (reasons[reason] ?? 'content_filter'),
  };
}

/** Thoughts are counted beside the answer, and prompts of tools beside the prompt: OTel's counts include both. */
function usageAttributes(usage: Json | undefined): Attributes {
  if (!usage) return {};
  const of = (key: string): number | undefined => number(usage[key]);
  const sum = (a: number | undefined, b: number | undefined): number | undefined =>
    a === undefined && b === undefined ? undefined : (a ?? 0) + (b ?? 0);
  return known({
    'gen_ai.usage.input_tokens': sum(of('promptTokenCount'), of('toolUsePromptTokenCount')),
    'gen_ai.usage.output_tokens': sum(of('candidatesTokenCount'), of('thoughtsTokenCount')),
    'gen_ai.usage.cache_read.input_tokens': of('cachedContentTokenCount'),
    'gen_ai.usage.reasoning.output_tokens': of('thoughtsTokenCount'),
  });
}

function errorOf(body: Json): ModelError | undefined {
  const error = record(body['error']);
  return error && { type: text(error['status']), message: text(error['message']) };
}
