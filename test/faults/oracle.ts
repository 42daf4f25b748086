import type { PlannedTask } from './plan.ts';

/** What the store must say of a task: counted in the plan, by nothing that the product shares. */
export interface Expected {
  readonly task_id: string;
  readonly day: string;
  readonly state: string;
  readonly spans: number;
  readonly llm_calls: number;
  readonly tool_calls: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly traces: number;
  /** In 1e-9 USD, exact. */
  readonly nano_usd: number;
}

// OpenAI's list prices in 1e-9 USD per token: input, cached input, output.
const prices: Readonly<Record<string, readonly [number, number, number]>> = {
  'gpt-4o': [2500, 1250, 10_000],
  'gpt-4o-mini': [150, 75, 600],
};

export function expect(task: PlannedTask): Expected {
  let llm = 0;
  let tools = 0;
  let input = 0;
  let output = 0;
  let cached = 0;
  let cost = 0;
  const traces = new Set<string>();
  let first = 0n;
  const begin = (time: bigint) => {
    if (first === 0n || time < first) first = time;
  };
  for (const span of task.spans) {
    begin(span.start);
    traces.add(span.trace);
    if (span.kind === 'tool') tools += 1;
    if (span.kind !== 'chat') continue;
    llm += 1;
    input += span.input;
    output += span.output;
    cached += span.cached;
    const [full, reduced, written] = prices[span.model] ?? [NaN, NaN, NaN];
    cost += (span.input - span.cached) * full + span.cached * reduced + span.output * written;
  }
  for (const log of task.logs) begin(log.time);
  return {
    task_id: task.id,
    day: new Date(Number(first / 1_000_000n)).toISOString().slice(0, 10),
    state: 'done',
    spans: task.spans.length,
    llm_calls: llm,
    tool_calls: tools,
    input_tokens: input,
    output_tokens: output,
    cache_read_tokens: cached,
    traces: traces.size,
    nano_usd: cost,
  };
}
