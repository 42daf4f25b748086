import { describe, expect, it } from 'vitest';
import { assembleAnthropicStream } from './anthropic-stream.ts';
import type { Json } from './json.ts';
import { assembleChatStream } from './openai-chat-stream.ts';
import { repeatedChunk } from './repeated-chunk.ts';
import type { StreamAssembler } from './wire.ts';

const words = ['Hel', 'lo', ' "you"', '\n', '', ' back\\slash', 'ü🦊', 'm', 'content', '}', 'end'];
const head = { id: 'c', object: 'chat.completion.chunk', model: 'm' };
const chunk = (delta: object, more: object = {}): Json => ({
  ...head,
  choices: [{ index: 0, delta, finish_reason: null }],
  usage: null,
  ...more,
});

const flows: Record<string, readonly Json[]> = {
  plain: words.map((content) => chunk({ content })),
  padded: words.map((content, index) => chunk({ content }, { obfuscation: 'x'.repeat(index % 5) })),
  'two choices by turns': words.map((content, index) => ({
    ...head,
    choices: [{ index: index % 2, delta: { content }, finish_reason: null }],
  })),
  'with reasoning that repeats': words.map((content) => chunk({ content, reasoning: 'hm' })),
  'with a call that repeats': words.map((content) =>
    chunk({ content, tool_calls: [{ index: 0, function: { arguments: ' ' } }] }),
  ),
  'with usage that changes': words.map((content, index) =>
    chunk({ content }, { usage: { completion_tokens: index } }),
  ),
  'text that stands elsewhere, too': ['m', 'm', 'c', 'x', 'y'].map((content) =>
    chunk({ role: 'm', content }),
  ),
};

/** The same answer, each chunk written in a way of its own, so that none repeats another. */
function unlike(chunks: readonly Json[]): readonly string[] {
  return chunks.map((value, index) => JSON.stringify({ ...value, [`only_${index}`]: index }));
}

function result(assembler: StreamAssembler, chunks: readonly string[]) {
  for (const data of chunks) assembler.push(data);
  return assembler.result();
}

describe.each(Object.entries(flows))('a chat stream: %s', (_, chunks) => {
  it.each([0, 1])('is the same as when each chunk is parsed, indented by %i', (indent) => {
    const limits = { maxChars: 1_000 };
    const written = chunks.map((value) => JSON.stringify(value, null, indent));
    expect(result(assembleChatStream(limits), written)).toEqual(
      result(assembleChatStream(limits), unlike(chunks)),
    );
  });
});

it('is the same for the events of Anthropic', () => {
  const delta = (change: object, index = 0): Json => ({
    type: 'content_block_delta',
    index,
    delta: change,
  });
  const block = (index: number, type: string): Json => ({
    type: 'content_block_start',
    index,
    content_block: { type },
  });
  const events = [
    { type: 'message_start', message: { id: 'm', model: 'c', usage: { input_tokens: 1 } } },
    block(0, 'thinking'),
    ...words.map((thinking) => delta({ type: 'thinking_delta', thinking })),
    block(1, 'text'),
    ...words.map((text) => delta({ type: 'text_delta', text }, 1)),
    block(2, 'text'),
    ...words.map((text) => delta({ type: 'text_delta', text }, 2)),
  ];
  const limits = { maxChars: 1_000 };
  const parsed = result(assembleAnthropicStream(limits), unlike(events));
  expect(parsed.textBytes).toBe(2 * Buffer.byteLength(words.join('')));
  expect(
    result(
      assembleAnthropicStream(limits),
      events.map((event) => JSON.stringify(event)),
    ),
  ).toEqual(parsed);
});

it('sees most chunks of a stream without parsing them', () => {
  let asked = 0;
  const repeated = repeatedChunk((value) => {
    asked += 1;
    return String(value['text']);
  });
  const seen = Array.from({ length: 100 }, (_, index) => {
    const data = JSON.stringify({ id: 'c', text: `word ${index}` });
    const said = repeated.said(data);
    if (said === undefined) repeated.parsed(data, JSON.parse(data) as Json);
    return said;
  });
  expect(seen.slice(1)).toEqual(Array.from({ length: 99 }, (_, index) => `word ${index + 1}`));
  expect(asked).toBe(2);
});
