import { createHash } from 'node:crypto';
import type {
  DecisionLog,
  DecisionSpan,
  TaskEvidence,
  TaskFacts,
} from '../../query/decisions/evidence.ts';
import { keysOf, span } from './recorded-run.ts';

/** A part of a message in the shape of OTel. */
export type Part = Readonly<Record<string, unknown>>;

export interface ChatMessage {
  readonly role: string;
  readonly parts: readonly Part[];
  readonly finish_reason?: string;
}

export const user = (content: string): ChatMessage => ({ role: 'user', parts: [text(content)] });
export const system = (content: string): ChatMessage => ({
  role: 'system',
  parts: [text(content)],
});
export const says = (content: string): ChatMessage => ({
  role: 'assistant',
  parts: [text(content)],
});
export const calls = (...parts: Part[]): ChatMessage => ({ role: 'assistant', parts });
export const call = (id: string, name: string, args: unknown): Part => ({
  type: 'tool_call',
  id,
  name,
  arguments: args,
});
export const result = (id: string, response: unknown): ChatMessage => ({
  role: 'tool',
  parts: [{ type: 'tool_call_response', id, response }],
});

function text(content: string): Part {
  return { type: 'text', content };
}

export interface ModelOptions extends Partial<DecisionSpan> {
  readonly input?: readonly ChatMessage[];
  readonly output?: ChatMessage | readonly ChatMessage[];
  readonly tools?: readonly object[];
}

export interface ToolOptions extends Partial<DecisionSpan> {
  readonly args?: unknown;
  readonly result?: string;
}

/** Builds the evidence of a task span by span; every span starts 10 ms after the one before ended and lasts 100 ms. */
export function scenario(facts: Partial<TaskFacts> = {}) {
  const content = new Map<string, string>();
  const spans: DecisionSpan[] = [];
  const logs: DecisionLog[] = [];
  let clock = 1_760_000_000_000_000_000n;
  let count = 0;

  function put(value: unknown): string {
    const own = typeof value === 'string' ? value : JSON.stringify(value);
    const hash = createHash('sha256').update(own).digest('hex').slice(0, 16);
    content.set(hash, own);
    return hash;
  }

  function add(own: Partial<DecisionSpan>): DecisionSpan {
    clock += 10_000_000n;
    const start = own.start ?? clock;
    const end = own.end ?? start + 100_000_000n;
    if (end > clock) clock = end;
    count++;
    const made = span({ span_id: count.toString(16).padStart(16, '0'), ...own, start, end });
    spans.push(made);
    return made;
  }

  return {
    /** Nanoseconds since 1970. */
    now: () => clock,
    /** Stores a value as payload and gives its hash. */
    put,
    wait: (ms: number) => {
      clock += BigInt(ms) * 1_000_000n;
    },
    span: add,
    model: ({ input, output, tools, ...own }: ModelOptions): DecisionSpan =>
      add({
        kind: 'llm',
        request_model: 'm-1',
        response_model: 'm-1',
        input_messages: (input ?? []).map(put),
        output_messages: output === undefined ? [] : [output].flat().map(put),
        tool_definitions: (tools ?? []).map(put),
        ...own,
      }),
    tool: ({ args, result: returned, ...own }: ToolOptions): DecisionSpan =>
      add({
        kind: 'tool',
        ...(args === undefined ? {} : { tool_arguments: [put(args)] }),
        ...(returned === undefined ? {} : { tool_result: [put(returned)] }),
        ...own,
      }),
    log: (event_name: string, attributes: Record<string, string>, at?: DecisionSpan) => {
      clock += 10_000_000n;
      const { trace_id = '', span_id = '' } = at ?? {};
      logs.push({ trace_id, span_id, time: clock, event_name, agent_name: '', attributes });
    },
    evidence: (): TaskEvidence => ({
      task: { ...doneTask, ...facts },
      spans,
      logs,
      calls: keysOf(spans),
      content,
      costs: new Map(spans.map((own) => [`${own.trace_id} ${own.span_id}`, 0.5])),
    }),
  };
}

const doneTask: TaskFacts = {
  task_id: 't',
  workflow: 'w',
  state: 'done',
  outcome: 'failure',
  outcome_source: 'explicit',
  outcome_score: null,
  outcome_reason: null,
  cost_usd: null,
  duration_ms: null,
  model_ms: null,
  tool_ms: null,
  human_wait_ms: null,
};
