import type { Attributes } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { contentParts, toolCallOf } from './anthropic-message.ts';
import { type Json, number, record, records, text } from './json.ts';
import type { ModelError, ModelResponse } from './wire.ts';

/** A whole answer; streams are put together to the same shape first. */
export function anthropicResponse(body: Json, textBytes?: number): ModelResponse {
  const blocks = records(body['content']);
  const reason = text(body['stop_reason']);
  return {
    attributes: {
      ...known({
        'gen_ai.response.id': text(body['id']),
        'gen_ai.response.model': text(body['model']),
        'gen_ai.response.finish_reasons': reason ? [reason] : undefined,
      }),
      ...usageAttributes(record(body['usage'])),
    },
    messages:
      blocks.length > 0 || reason
        ? [
            {
              role: 'assistant',
              parts: contentParts(blocks),
              finish_reason: reason && (reasons[reason] ?? reason),
            },
          ]
        : [],
    textBytes:
      textBytes ??
      blocks.reduce((sum, block) => sum + Buffer.byteLength(text(block['text']) ?? ''), 0),
    calls: blocks.flatMap(toolCallOf),
    error: errorOf(body),
  };
}

const reasons: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_call',
  refusal: 'content_filter',
};

/** `input_tokens` leaves cached tokens out here; OTel's includes them. */
function usageAttributes(usage: Json | undefined): Attributes {
  if (!usage) return {};
  const input = number(usage['input_tokens']);
  const read = number(usage['cache_read_input_tokens']);
  const written = number(usage['cache_creation_input_tokens']);
  const split = record(usage['cache_creation']);
  const details = record(usage['output_tokens_details']);
  return known({
    'gen_ai.usage.input_tokens':
      input === undefined ? undefined : input + (read ?? 0) + (written ?? 0),
    'gen_ai.usage.output_tokens': number(usage['output_tokens']),
    'gen_ai.usage.cache_read.input_tokens': read,
    'gen_ai.usage.cache_write.input_tokens': written,
    'gen_ai.usage.reasoning.output_tokens': number(details?.['thinking_tokens']),
    'anthropic.usage.cache_creation.ephemeral_5m_input_tokens': number(
      split?.['ephemeral_5m_input_tokens'],
    ),
    'anthropic.usage.cache_creation.ephemeral_1h_input_tokens': number(
      split?.['ephemeral_1h_input_tokens'],
    ),
    'anthropic.response.service_tier': text(usage['service_tier']),
  });
}

function errorOf(body: Json): ModelError | undefined {
  const error = record(body['error']);
  return error && { type: text(error['type']), message: text(error['message']) };
}
