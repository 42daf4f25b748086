import type { Attributes } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { type Json, number, record, records, text } from './json.ts';
import { costOf } from './openai-chat-response.ts';
import { itemCalls, itemParts } from './openai-responses-item.ts';
import type { ModelError, ModelResponse } from './wire.ts';

/** A response object and its output items; of a stream that broke off, what came of them. */
export function openaiResponse(
  body: Json,
  output: readonly Json[],
  textBytes?: number,
): ModelResponse {
  const calls = output.flatMap(itemCalls);
  const reason = finishReason(body, calls.length > 0);
  const parts = output.flatMap(itemParts);
  const called = reason === 'tool_calls' ? 'tool_call' : reason;
  return {
    attributes: {
      ...known({
        'gen_ai.response.id': text(body['id']),
        'gen_ai.response.model': text(body['model']),
        'gen_ai.response.finish_reasons': reason ? [reason] : undefined,
        'gen_ai.response.status': statusOf(body),
        'openai.response.service_tier': text(body['service_tier']),
      }),
      ...usageAttributes(record(body['usage'])),
    },
    messages:
      parts.length > 0 || reason
        ? [{ role: 'assistant', parts, ...(called && { finish_reason: called }) }]
        : [],
    textBytes: textBytes ?? Buffer.byteLength(parts.map(saidIn).join('')),
    calls,
    error: errorOf(body),
  };
}

function saidIn(part: ReturnType<typeof itemParts>[number]): string {
  return part.type === 'text' ? part.content : '';
}

/** Completed is what is expected; only the other ends are worth an attribute. */
function statusOf(body: Json): string | undefined {
  const status = text(body['status']);
  return status === 'completed' ? undefined : status;
}

/** The API names no finish reason: it follows from the status, its details and the calls. */
function finishReason(body: Json, called: boolean): string | undefined {
  switch (body['status']) {
    case 'completed':
      return called ? 'tool_calls' : 'stop';
    case 'incomplete': {
      const reason = text(record(body['incomplete_details'])?.['reason']);
      return reason === 'max_output_tokens' ? 'length' : (reason ?? 'length');
    }
    case 'failed':
      return 'error';
    default:
      return undefined;
  }
}

function usageAttributes(usage: Json | undefined): Attributes {
  if (!usage) return {};
  const input = record(usage['input_tokens_details']);
  const output = record(usage['output_tokens_details']);
  return known({
    'gen_ai.usage.input_tokens': number(usage['input_tokens']),
    'gen_ai.usage.output_tokens': number(usage['output_tokens']),
    'gen_ai.usage.cache_read.input_tokens': number(input?.['cached_tokens']),
    'gen_ai.usage.cache_write.input_tokens': number(input?.['cache_write_tokens']),
    'gen_ai.usage.reasoning.output_tokens': number(output?.['reasoning_tokens']),
    'gen_ai.usage.cost': costOf(usage),
  });
}

function errorOf(body: Json): ModelError | undefined {
  const error = records([body['error']])[0];
  if (!error) return undefined;
  return {
    type: text(error['code']) ?? text(error['type']),
    message: text(error['message']),
  };
}
