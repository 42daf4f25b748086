import type { Attributes } from '@opentelemetry/api';
import { known } from '../attributes.ts';
import { type Json, list, number, parse, record, records, text } from './json.ts';
import type { Part } from './message.ts';
import type { ModelResponse, ModelToolCall } from './wire.ts';

const reasons: Readonly<Record<string, string>> = {
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop',
  MAX_TOKENS: 'length',
  TOOL_CALL: 'tool_call',
  ERROR: 'error',
};

/** A whole answer; streams are put together to the same shape first. */
export function cohereResponse(body: Json, textBytes?: number): ModelResponse {
  const message = record(body['message']);
  const reason = text(body['finish_reason']);
  const calls = list(message?.['tool_calls']).flatMap(toolCall);
  const said = records(message?.['content']).map(partOf);
  const plan = text(message?.['tool_plan']);
  const parts: Part[] = [
    ...(plan ? [{ type: 'text' as const, content: plan }] : []),
    ...said,
    ...calls.map(callPart),
  ];
  return {
    attributes: {
      ...known({
        'gen_ai.response.id': text(body['id']),
        'gen_ai.response.finish_reasons': reason ? [reason] : undefined,
      }),
      ...usageAttributes(record(body['usage'])),
    },
    messages:
      message && (parts.length > 0 || reason)
        ? [{ role: 'assistant', parts, finish_reason: reason && (reasons[reason] ?? reason) }]
        : [],
    textBytes:
      textBytes ??
      parts.reduce(
        (sum, part) => sum + (part.type === 'text' ? Buffer.byteLength(part.content) : 0),
        0,
      ),
    calls,
    error: message ? undefined : errorOf(body),
  };
}

function partOf(part: Json): Part {
  const thinking = text(part['thinking']);
  if (thinking !== undefined) return { type: 'reasoning', content: thinking };
  return { type: 'text', content: text(part['text']) ?? '' };
}

function toolCall(value: unknown): ModelToolCall[] {
  const call = record(value);
  const target = record(call?.['function']);
  const name = text(target?.['name']);
  if (!name) return [];
  return [{ id: text(call?.['id']) ?? '', name, arguments: text(target?.['arguments']) ?? '' }];
}

function callPart({ id, name, arguments: written }: ModelToolCall): Part {
  return { type: 'tool_call', id, name, arguments: parse(written) ?? written };
}

function usageAttributes(usage: Json | undefined): Attributes {
  const tokens = record(usage?.['tokens']) ?? record(usage?.['billed_units']);
  return known({
    'gen_ai.usage.input_tokens': number(tokens?.['input_tokens']),
    'gen_ai.usage.output_tokens': number(tokens?.['output_tokens']),
    'gen_ai.usage.cache_read.input_tokens': number(usage?.['cached_tokens']),
  });
}

function errorOf(body: Json): ModelResponse['error'] {
  const message = text(body['message']);
  return message === undefined ? undefined : { type: undefined, message };
}
