import type { RecordedRun, RecordedTool } from './recording.ts';

/** One tool call of a run, in the order of the file. */
export interface CountedCall {
  readonly decision: number;
  readonly call_id: string;
  readonly tool: string;
  readonly arguments: unknown;
  readonly result: string;
  readonly failed: boolean;
}

/** What a run holds, counted in the file. Costs in USD. */
export interface CountedRun {
  readonly task_id: string;
  readonly success: boolean;
  readonly llm_calls: number;
  readonly calls: readonly CountedCall[];
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cost_usd: number;
}

// OpenAI's list price of gpt-4o in USD per token, since 2024-10-01: $2.50, $1.25 cached, $10.00 per million.
const INPUT = 2.5 / 1e6;
const CACHED = 1.25 / 1e6;
const OUTPUT = 10 / 1e6;

/**
 * Counts a run in the file, by itself: nothing here is shared with the code that replays, ingests or asks. The token
 * estimate is the one that the replay documents (`recorded-model.ts`), written a second time.
 */
export function countRun(run: RecordedRun, tools: readonly RecordedTool[]): CountedRun {
  const calls: CountedCall[] = [];
  let llm = 0;
  let input = 0;
  let output = 0;
  let cached = 0;
  let seen = quarter(JSON.stringify(tools));
  let promptBefore = 0;
  for (const [index, message] of run.traj.entries()) {
    let text = message.content ?? '';
    for (const call of message.tool_calls ?? []) {
      text += call.function.name + call.function.arguments;
      const answer = run.traj[index + 1];
      if (answer?.role !== 'tool') throw new Error(`message ${index} has no result after it`);
      calls.push({
        decision: llm,
        call_id: call.id,
        tool: call.function.name,
        arguments: JSON.parse(call.function.arguments),
        result: answer.content ?? '',
        failed: /^(error|exception|traceback|failed)/i.test((answer.content ?? '').trim()),
      });
    }
    if (message.role === 'assistant') {
      llm += 1;
      input += seen;
      output += quarter(text);
      cached += promptBefore >= 1024 ? promptBefore - (promptBefore % 128) : 0;
      promptBefore = seen;
    }
    seen += quarter(text);
  }
  return {
    task_id: `tau-airline-${run.task_id}-${run.trial}`,
    success: run.reward === 1,
    llm_calls: llm,
    calls,
    input_tokens: input,
    output_tokens: output,
    cache_read_tokens: cached,
    cost_usd: (input - cached) * INPUT + cached * CACHED + output * OUTPUT,
  };
}

function quarter(text: string): number {
  return Math.ceil(new TextEncoder().encode(text).length / 4);
}
