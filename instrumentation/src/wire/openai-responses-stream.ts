import { type Json, number, parse, record, records, text } from './json.ts';
import { keptText } from './kept-text.ts';
import { openaiResponse } from './openai-responses-response.ts';
import type { StreamAssembler, StreamLimits } from './wire.ts';

const maxItems = 512;
const terminal = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/** Collects the events of a streamed response. The terminal event holds it whole; deltas count if it never comes. */
export function assembleResponsesStream({ maxChars }: StreamLimits): StreamAssembler {
  const items = new Map<number, Json>();
  const said = new Map<number, string>();
  const keep = keptText(maxChars);
  let head: Json = {};
  let textBytes = 0;
  let complete = false;

  const take = (event: Json): void => {
    const type = text(event['type']) ?? '';
    const response = record(event['response']);
    const index = number(event['output_index']) ?? 0;
    if (response) head = response;
    if (type === 'error') head = { ...head, error: record(event['error']) ?? event };
    if (terminal.has(type)) complete = true;
    const item = record(event['item']);
    if (item && (items.has(index) || items.size < maxItems)) items.set(index, item);
    const delta = text(event['delta']);
    if (delta === undefined) return;
    if (type === 'response.output_text.delta') textBytes += Buffer.byteLength(delta);
    if (items.has(index)) said.set(index, keep(said.get(index) ?? '', delta));
  };

  return {
    push: (data) => {
      const event = complete ? undefined : record(parse(data));
      if (event) take(event);
    },
    complete: () => complete,
    result: () => {
      const whole = records(head['output']);
      if (complete && (whole.length > 0 || items.size === 0)) return openaiResponse(head, whole);
      const partial = [...items]
        .sort(([a], [b]) => a - b)
        .map(([index, item]) => withSaid(item, said.get(index) ?? ''));
      return openaiResponse(head, partial, textBytes);
    },
  };
}

/** An item whose `done` event came is whole; else what its deltas brought is filled in. */
function withSaid(item: Json, deltas: string): Json {
  if (item['status'] === 'completed' || deltas === '') return item;
  switch (item['type']) {
    case 'message':
      return { ...item, content: [{ type: 'output_text', text: deltas }] };
    case 'function_call':
      return { ...item, arguments: deltas };
    case 'custom_tool_call':
      return { ...item, input: deltas };
    default:
      return item;
  }
}
