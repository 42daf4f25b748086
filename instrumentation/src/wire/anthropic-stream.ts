import { anthropicResponse } from './anthropic-response.ts';
import { type Json, number, parse, record, text } from './json.ts';
import { keptText } from './kept-text.ts';
import { repeatedChunk } from './repeated-chunk.ts';
import type { StreamAssembler, StreamLimits } from './wire.ts';

const maxBlocks = 512;

interface Block {
  readonly start: Json;
  text: string;
  thinking: string;
  json: string;
}

function blockOf(start: Json): Block {
  return {
    start,
    text: text(start['text']) ?? '',
    thinking: text(start['thinking']) ?? '',
    json: '',
  };
}

/** The text of an event that does nothing but say it. */
function onlyText({ type, delta }: Json): string | undefined {
  const change = type === 'content_block_delta' ? record(delta) : undefined;
  return change?.['type'] === 'text_delta' ? text(change['text']) : undefined;
}

/** Collects the events of a streamed message. */
export function assembleAnthropicStream({ maxChars }: StreamLimits): StreamAssembler {
  const blocks = new Map<number, Block>();
  const keep = keptText(maxChars);
  let head: Json = {};
  let textBytes = 0;
  const repeated = repeatedChunk(onlyText);
  let last: Block | undefined;
  let complete = false;

  const say = (block: Block | undefined, said: string): void => {
    textBytes += Buffer.byteLength(said);
    if (block) block.text = keep(block.text, said);
  };
  const delta = (block: Block | undefined, change: Json | undefined): void => {
    last = block;
    if (change?.['type'] === 'text_delta') say(block, text(change['text']) ?? '');
    if (!block) return;
    block.thinking = keep(block.thinking, text(change?.['thinking']));
    block.json = keep(block.json, text(change?.['partial_json']));
  };
  const take = (event: Json): void => {
    const index = number(event['index']) ?? 0;
    switch (event['type']) {
      case 'message_start':
        head = record(event['message']) ?? {};
        return;
      case 'content_block_start': {
        const block = blockOf(record(event['content_block']) ?? {});
        textBytes += Buffer.byteLength(block.text);
        if (blocks.size < maxBlocks) blocks.set(index, block);
        return;
      }
      case 'content_block_delta':
        delta(blocks.get(index), record(event['delta']));
        return;
      case 'message_delta':
        head = { ...head, ...record(event['delta']), usage: merged(head, event) };
        return;
      case 'message_stop':
        complete = true;
        return;
      case 'error':
        head = { ...head, error: event['error'] };
        return;
    }
  };

  return {
    push: (data) => {
      if (complete) return;
      const said = repeated.said(data);
      if (said !== undefined) {
        say(last, said);
        return;
      }
      const event = record(parse(data));
      if (!event) return;
      take(event);
      repeated.parsed(data, event);
    },
    complete: () => complete,
    result: () =>
      anthropicResponse(
        {
          ...head,
          content: [...blocks].sort(([a], [b]) => a - b).map(([, block]) => finished(block)),
        },
        textBytes,
      ),
  };
}

/** The last event repeats some counts, cumulative, and leaves others out. */
function merged(head: Json, event: Json): Json {
  const usage: Record<string, unknown> = { ...record(head['usage']) };
  for (const [key, value] of Object.entries(record(event['usage']) ?? {})) {
    if (value !== null && value !== undefined) usage[key] = value;
  }
  return usage;
}

function finished({ start, text: said, thinking, json }: Block): Json {
  switch (start['type']) {
    case 'text':
      return { ...start, text: said };
    case 'thinking':
      return { ...start, thinking };
    default:
      return json === '' ? start : { ...start, input: parse(json) ?? json };
  }
}
