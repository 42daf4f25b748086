import { cohereResponse } from './cohere-response.ts';
import { type Json, number, parse, record, text } from './json.ts';
import { keptText } from './kept-text.ts';
import type { StreamAssembler, StreamLimits } from './wire.ts';

const maxEntries = 256;

/** Collects the events of a streamed chat. */
export function assembleCohereStream({ maxChars }: StreamLimits): StreamAssembler {
  const contents = new Map<number, { text?: string; thinking?: string }>();
  const calls = new Map<number, { id: string; name: string; arguments: string }>();
  const keep = keptText(maxChars);
  let head: Json = {};
  let plan = '';
  let textBytes = 0;
  let complete = false;

  const content = (index: number, change: Json): void => {
    const block = contents.get(index) ?? {};
    if (contents.size >= maxEntries && !contents.has(index)) return;
    contents.set(index, block);
    const said = text(change['text']);
    const thought = text(change['thinking']);
    textBytes += Buffer.byteLength(said ?? '');
    if (said !== undefined) block.text = keep(block.text ?? '', said);
    if (thought !== undefined) block.thinking = keep(block.thinking ?? '', thought);
  };
  const call = (index: number, change: Json | undefined): void => {
    const entry = calls.get(index) ?? { id: '', name: '', arguments: '' };
    if (calls.size >= maxEntries && !calls.has(index)) return;
    calls.set(index, entry);
    const target = record(change?.['function']);
    entry.id = text(change?.['id']) ?? entry.id;
    entry.name = text(target?.['name']) ?? entry.name;
    entry.arguments = keep(entry.arguments, text(target?.['arguments']));
  };
  const take = (event: Json): void => {
    const index = number(event['index']) ?? 0;
    const delta = record(event['delta']);
    const message = record(delta?.['message']);
    const id = text(event['id']);
    if (id) head = { ...head, id };
    const said = record(message?.['content']);
    if (said) content(index, said);
    plan = keep(plan, text(message?.['tool_plan']));
    if (record(message?.['tool_calls'])) call(index, record(message?.['tool_calls']));
    if (event['type'] === 'message-end') {
      head = { ...head, finish_reason: delta?.['finish_reason'], usage: delta?.['usage'] };
      complete = true;
    }
  };

  return {
    push: (data) => {
      const event = complete ? undefined : record(parse(data));
      if (event) take(event);
    },
    complete: () => complete,
    result: () => {
      const message = {
        content: inOrder(contents).filter((block) => block.text ?? block.thinking),
        tool_plan: plan,
        tool_calls: inOrder(calls).map(({ id, ...target }) => ({ id, function: target })),
      };
      return cohereResponse({ ...head, message }, textBytes + Buffer.byteLength(plan));
    },
  };
}

function inOrder<T>(entries: ReadonlyMap<number, T>): T[] {
  return [...entries].sort(([a], [b]) => a - b).map(([, entry]) => entry);
}
