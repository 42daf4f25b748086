import type { Attributes } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { type Json, list, number, record, records, text } from './json.ts';
import type { OutputMessage, Part } from './message.ts';
import { answerParts } from './openai-chat-message.ts';
import type { ModelError, ModelResponse, ModelToolCall } from './wire.ts';

/** One choice, put together from a message or from the deltas of a stream. */
export interface Choice {
  readonly finishReason: string | undefined;
  readonly parts: readonly Part[];
  readonly text: string;
  readonly calls: readonly ModelToolCall[];
  /** Set when `text` was not kept whole. */
  readonly textBytes?: number;
}

/** A choice of a whole response body. */
export function choiceOf(value: unknown): Choice {
  const choice = record(value);
  const message = record(choice?.['message']) ?? {};
  return {
    finishReason: text(choice?.['finish_reason']),
    parts: answerParts(message),
    text: text(message['content']) ?? textOf(message['content']),
    calls: list(message['tool_calls']).flatMap(toolCall),
  };
}

function textOf(content: unknown): string {
  return records(content)
    .map((part) => text(part['text']) ?? '')
    .join('');
}

function toolCall(value: unknown): ModelToolCall[] {
  const call = record(value);
  const target = record(call?.['function']) ?? record(call?.['custom']);
  const name = text(target?.['name']);
  if (!name) return [];
  const written = text(target?.['arguments']) ?? text(target?.['input']) ?? '';
  return [{ id: text(call?.['id']) ?? '', name, arguments: written }];
}

/** The response of a body (or the last chunks of a stream) and its choices. */
export function chatResponse(body: Json, choices: readonly Choice[]): ModelResponse {
  const reasons = choices.map(({ finishReason }) => finishReason ?? 'error');
  const finished = choices.some(({ finishReason }) => finishReason !== undefined);
  return {
    attributes: {
      ...known({
        'gen_ai.response.id': text(body['id']),
        'gen_ai.response.model': text(body['model']),
        'gen_ai.response.finish_reasons': finished ? reasons : undefined,
        'openai.response.service_tier': text(body['service_tier']),
        'openai.response.system_fingerprint': text(body['system_fingerprint']),
      }),
      ...usageAttributes(record(body['usage'])),
    },
    messages: choices.map(outputMessage),
    textBytes: choices.reduce(
      (sum, choice) => sum + (choice.textBytes ?? Buffer.byteLength(choice.text)),
      0,
    ),
    calls: choices.flatMap(({ calls }) => calls),
    error: errorOf(body),
  };
}

function outputMessage(choice: Choice): OutputMessage {
  const reason = choice.finishReason;
  const called = reason === 'tool_calls' || reason === 'function_call';
  return { role: 'assistant', parts: choice.parts, finish_reason: called ? 'tool_call' : reason };
}

/** `prompt_tokens` includes cached and `completion_tokens` includes reasoning tokens, as OTel wants them. */
function usageAttributes(usage: Json | undefined): Attributes {
  if (!usage) return {};
  const prompt = record(usage['prompt_tokens_details']);
  const completion = record(usage['completion_tokens_details']);
  return known({
    'gen_ai.usage.input_tokens': number(usage['prompt_tokens']),
    'gen_ai.usage.output_tokens': outputTokens(usage, number(completion?.['reasoning_tokens'])),
    'gen_ai.usage.cache_read.input_tokens':
      number(prompt?.['cached_tokens']) ?? number(usage['prompt_cache_hit_tokens']),
    'gen_ai.usage.cache_write.input_tokens': number(prompt?.['cache_write_tokens']),
    'gen_ai.usage.reasoning.output_tokens': number(completion?.['reasoning_tokens']),
    'gen_ai.usage.cost': costOf(usage),
  });
}

/** xAI counts reasoning tokens beside the completion's: what it says is the total tells. */
function outputTokens(usage: Json, reasoning = 0): number | undefined {
  const completion = number(usage['completion_tokens']);
  if (completion === undefined) return undefined;
  const beside = (number(usage['prompt_tokens']) ?? 0) + completion + reasoning;
  return reasoning > 0 && usage['total_tokens'] === beside ? completion + reasoning : completion;
}

/** In US dollars, as OpenRouter tells it, or Perplexity, with its parts. */
export function costOf(usage: Json): number | undefined {
  return number(usage['cost']) ?? number(record(usage['cost'])?.['total_cost']);
}

function errorOf(body: Json): ModelError | undefined {
  const error = record(body['error']);
  if (!error) return undefined;
  return {
    type: text(error['code']) ?? text(error['type']),
    message: text(error['message']),
  };
}
