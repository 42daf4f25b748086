import { type Json, list, number, parse, record, records, text } from './json.ts';
import { type KeepText, keptText } from './kept-text.ts';
import type { Part } from './message.ts';
import { type Choice, chatResponse } from './openai-chat-response.ts';
import { repeatedChunk } from './repeated-chunk.ts';
import type { ModelToolCall, StreamAssembler, StreamLimits } from './wire.ts';

const maxChoices = 128;
const maxCalls = 256;

interface PartialCall {
  id: string;
  name: string;
  arguments: string;
}

interface PartialChoice {
  finishReason: string | undefined;
  text: string;
  textBytes: number;
  reasoning: string;
  refusal: string;
  readonly calls: Map<number, PartialCall>;
}

/** Collects the chunks of a streamed chat completion. */
export function assembleChatStream({ maxChars }: StreamLimits): StreamAssembler {
  const choices = new Map<number, PartialChoice>();
  const head: Record<string, unknown> = {};
  const keep = keptText(maxChars);
  const repeated = repeatedChunk(onlyText);
  let last: PartialChoice | undefined;
  let complete = false;

  const say = (choice: PartialChoice, content: string | undefined): void => {
    choice.textBytes += Buffer.byteLength(content ?? '');
    choice.text = keep(choice.text, content);
  };
  const add = (value: unknown): void => {
    const chunk = record(value);
    const index = number(chunk?.['index']) ?? 0;
    const delta = record(chunk?.['delta']);
    const choice = choices.get(index) ?? emptyChoice();
    if (choices.size >= maxChoices && !choices.has(index)) return;
    choices.set(index, choice);
    last = choice;
    choice.finishReason = text(chunk?.['finish_reason']) ?? choice.finishReason;
    if (!delta) return;
    // Mistral's reasoning models stream lists of parts.
    const parts = records(delta['content']);
    say(choice, text(delta['content']) ?? texts(parts));
    choice.refusal = keep(choice.refusal, text(delta['refusal']));
    const reasoning =
      text(delta['reasoning_content']) ?? text(delta['reasoning']) ?? thoughts(parts);
    choice.reasoning = keep(choice.reasoning, reasoning);
    for (const call of list(delta['tool_calls'])) addCall(choice, record(call) ?? {}, keep);
  };

  return {
    push: (data) => {
      if (complete) return;
      const said = repeated.said(data);
      if (said !== undefined && last) {
        say(last, said);
        return;
      }
      if (data.trim() === '[DONE]') {
        complete = true;
        return;
      }
      const chunk = record(parse(data));
      if (!chunk) return;
      mergeHead(head, chunk);
      repeated.parsed(data, chunk);
      for (const choice of list(chunk['choices'])) add(choice);
    },
    complete: () => complete,
    result: () =>
      chatResponse(
        head,
        [...choices].sort(([a], [b]) => a - b).map(([, choice]) => finished(choice)),
      ),
  };
}

const headKeys = ['id', 'model', 'service_tier', 'system_fingerprint', 'usage', 'error'] as const;

/** Id, model, usage and error come on different chunks; Groq puts usage under a name of its own. */
function mergeHead(head: Record<string, unknown>, chunk: Json): void {
  for (const key of headKeys) {
    const value = chunk[key];
    if (value !== undefined && value !== null) head[key] = value;
  }
  const groq = record(record(chunk['x_groq'])?.['usage']);
  if (groq) head['usage'] = groq;
}

/** The text of a chunk that holds nothing else: one choice, and no other part of an answer. */
function onlyText(chunk: Json): string | undefined {
  const [choice, second] = list(chunk['choices']);
  const { content, role: _, ...rest } = record(record(choice)?.['delta']) ?? {};
  if (second !== undefined || Object.values(rest).some((value) => value !== null)) return undefined;
  return text(content);
}

function texts(parts: readonly Json[]): string {
  return parts.map((part) => text(part['text']) ?? '').join('');
}

function thoughts(parts: readonly Json[]): string {
  return parts.map((part) => texts(records(part['thinking']))).join('');
}

function emptyChoice(): PartialChoice {
  return {
    finishReason: undefined,
    text: '',
    textBytes: 0,
    reasoning: '',
    refusal: '',
    calls: new Map(),
  };
}

function addCall(choice: PartialChoice, delta: Json, keep: KeepText): void {
  const index = number(delta['index']) ?? choice.calls.size;
  const call = choice.calls.get(index) ?? { id: '', name: '', arguments: '' };
  if (choice.calls.size >= maxCalls && !choice.calls.has(index)) return;
  choice.calls.set(index, call);
  const target = record(delta['function']) ?? record(delta['custom']);
  call.id = text(delta['id']) ?? call.id;
  call.name = text(target?.['name']) ?? call.name;
  call.arguments = keep(call.arguments, text(target?.['arguments']) ?? text(target?.['input']));
}

function finished(choice: PartialChoice): Choice {
  const calls: ModelToolCall[] = [...choice.calls]
    .sort(([a], [b]) => a - b)
    .map(([, call]) => call)
    .filter(({ name }) => name !== '');
  const parts: Part[] = [];
  if (choice.reasoning) parts.push({ type: 'reasoning', content: choice.reasoning });
  if (choice.text) parts.push({ type: 'text', content: choice.text });
  if (choice.refusal) parts.push({ type: 'refusal', content: choice.refusal });
  for (const call of calls) {
    const { id, name } = call;
    parts.push({
      type: 'tool_call',
      id,
      name,
      arguments: parse(call.arguments) ?? call.arguments,
    });
  }
  const { finishReason, textBytes } = choice;
  return { finishReason, parts, text: choice.text, textBytes, calls };
}
