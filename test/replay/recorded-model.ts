import type { ChatMessage, Reply, Responder } from '../../demo/llm.ts';
import { type RecordedRun, type Recording, taskIdOf } from './recording.ts';

/** Request header that says which run is being replayed: the same conversation can go on differently in another trial. */
export const RUN_HEADER = 'x-recorded-run';

/** Prompts below this are not cached, and above it in whole blocks, as OpenAI's prompt caching works. */
const CACHE_FLOOR = 1_024;
const CACHE_BLOCK = 128;

/** Estimated speed of the model. The recording has no times, so every latency in a replay is simulated. */
const FIRST_TOKEN_MS = 380;
const TOKEN_MS = 13;

/**
 * A model that says what it said in the recording, and refuses a conversation that differs from the recorded one.
 *
 * The recording has no token counts. They are estimated: a text of n UTF-8 bytes has ceil(n / 4) tokens; a message's
 * text is its content and its calls' names and arguments; the prompt is the messages and the tools' JSON. The prompt
 * of the run's previous call counts as cached, in whole blocks of 128 from 1,024 on.
 *
 * `speed` divides the simulated latencies; `Infinity` answers at once.
 */
export function recordedModel(recording: Recording, speed: number): Responder {
  const runs = new Map(recording.runs.map((run) => [taskIdOf(run), run]));
  return (request, headers) => {
    const run = runs.get(String(headers[RUN_HEADER]));
    if (run === undefined) return { status: 400, message: 'no such recorded run' };
    const at = request.messages.length;
    const next = run.traj[at];
    const differs = differingMessage(request.messages, run);
    if (differs !== -1) return { status: 400, message: `message ${differs} is not as recorded` };
    if (next?.role !== 'assistant') return { status: 400, message: `${at}: not the model's turn` };
    const offered = tokensOf(JSON.stringify(request.tools ?? []));
    const tokens = request.messages.map((message) => tokensOf(textOf(message)));
    const promptOf = (end: number) => sum(tokens.slice(0, end)) + offered;
    const previous = request.messages.findLastIndex((message) => message.role === 'assistant');
    const output = tokensOf(textOf(next));
    return {
      message: answerOf(next),
      finish_reason: next.tool_calls ? 'tool_calls' : 'stop',
      usage: {
        input: promptOf(at),
        cached: previous === -1 ? 0 : cachedOf(promptOf(previous)),
        output,
        reasoning: 0,
      },
      ttftMs: FIRST_TOKEN_MS / speed,
      latencyMs: (FIRST_TOKEN_MS + output * TOKEN_MS) / speed,
    };
  };
}

function answerOf(message: ChatMessage): Reply['message'] {
  const content = message.content ?? null;
  return message.tool_calls ? { content, tool_calls: message.tool_calls } : { content };
}

/** Index of the first message that is not the recorded one, -1 if all are. */
function differingMessage(messages: readonly ChatMessage[], run: RecordedRun): number {
  return messages.findIndex((message, index) => {
    const recorded = run.traj[index];
    return recorded === undefined || essence(message) !== essence(recorded);
  });
}

function essence(message: ChatMessage): string {
  const { role, content = null, tool_calls: calls = [], tool_call_id: id = null } = message;
  const parts = calls.map((call) => [call.id, call.function.name, call.function.arguments]);
  return JSON.stringify([role, content, parts, id]);
}

function textOf(message: ChatMessage): string {
  const calls = (message.tool_calls ?? []).map((c) => c.function.name + c.function.arguments);
  return (message.content ?? '') + calls.join('');
}

function tokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / 4);
}

function cachedOf(prompt: number): number {
  return prompt < CACHE_FLOOR ? 0 : Math.floor(prompt / CACHE_BLOCK) * CACHE_BLOCK;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
