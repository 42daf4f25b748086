import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { type DecisionSpan, spanKey, type TaskEvidence } from '../../query/decisions/evidence.ts';

/** A run as τ-bench recorded it. */
export interface RecordedRun {
  readonly task_id: number;
  readonly trial: number;
  readonly reward: number;
  readonly traj: readonly RecordedMessage[];
}

export interface RecordedMessage {
  readonly role: string;
  readonly content: string | null;
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly function: { readonly name: string; readonly arguments: string };
  }[];
  readonly tool_call_id?: string;
  readonly name?: string;
}

const fixtures = new URL('../fixtures/tau-bench/', import.meta.url);
const data = process.env['PLUMBLINE_TEST_DATA'] ?? new URL('../../../shared/data', import.meta.url);

function readJson<T>(url: URL | string): T {
  return JSON.parse(readFileSync(url, 'utf8')) as T;
}

/** The committed runs: a failure, a failure in which nothing was done, a success. */
export function committedRuns(): RecordedRun[] {
  return readJson(new URL('runs.json', fixtures));
}

/** A committed file by name. */
export function fixture<T>(name: string): T {
  return readJson(new URL(name, fixtures));
}

/** All 100 recorded runs where the data is at hand, else the committed ones. */
export function recordedRuns(): { readonly runs: RecordedRun[]; readonly complete: boolean } {
  const folder = typeof data === 'string' ? data : data.pathname;
  const file = `${folder}/tau-bench/gpt-4o-airline.json`;
  return existsSync(file)
    ? { runs: readJson(file), complete: true }
    : { runs: committedRuns(), complete: false };
}

/** Ids of the model spans and tool spans of a run, in order. */
export interface Ids {
  readonly trace: string;
  readonly model: (k: number) => string;
  readonly tool: (k: number) => string;
}

function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

export function ownIds(run: RecordedRun): Ids {
  const seed = `${run.task_id}-${run.trial}`;
  return {
    trace: digest(seed, 32),
    model: (k) => digest(`${seed} model ${k}`, 16),
    tool: (k) => digest(`${seed} tool ${k}`, 16),
  };
}

/** The spans that an instrumented agent would have sent for a run. Times, tokens and cost are simulated. */
export function evidenceOf(run: RecordedRun, ids = ownIds(run)): TaskEvidence {
  const content = new Map<string, string>();
  const put = (value: unknown) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const hash = digest(text, 16);
    content.set(hash, text);
    return hash;
  };
  const definitions = fixture<{ function: object }[]>('tools.json').map((tool) =>
    put({ type: 'function', ...tool.function }),
  );
  const spans: DecisionSpan[] = [];
  let clock = 1_763_632_820_000_000_000n;
  const tick = (ms: number) => {
    clock += BigInt(ms) * 1_000_000n;
    return clock;
  };
  const inputs: string[] = [];
  let models = 0;
  let tools = 0;
  for (const message of run.traj) {
    if (message.role === 'assistant') {
      const start = tick(5);
      spans.push(
        span({
          trace_id: ids.trace,
          span_id: ids.model(models++),
          kind: 'llm',
          start,
          end: tick(900),
          request_model: 'gpt-4o',
          response_model: 'gpt-4o',
          input_tokens: 100,
          output_tokens: 10,
          ttft_ms: 380,
          finish_reason: message.tool_calls ? 'tool_call' : 'stop',
          input_messages: [...inputs],
          output_messages: [put(outputOf(message))],
          tool_definitions: definitions,
        }),
      );
    }
    if (message.role === 'tool') {
      const start = tick(5);
      const text = message.content ?? '';
      spans.push(
        span({
          trace_id: ids.trace,
          span_id: ids.tool(tools++),
          kind: 'tool',
          start,
          end: tick(45),
          tool_name: message.name ?? '',
          tool_call_id: message.tool_call_id ?? '',
          tool_error_by: /^error/i.test(text) ? 'content' : '',
          tool_result: [put(text)],
        }),
      );
    }
    inputs.push(put(inputOf(message)));
  }
  return { task: factsOf(run), spans, logs: [], calls: keysOf(spans), content, costs: new Map() };
}

/** Every span counts: none of them is a wrapper of another. */
export function keysOf(spans: readonly DecisionSpan[]): Set<string> {
  return new Set(spans.map(spanKey));
}

function outputOf(message: RecordedMessage): object {
  const calls = (message.tool_calls ?? []).map((call) => ({
    type: 'tool_call',
    id: call.id,
    name: call.function.name,
    arguments: call.function.arguments,
  }));
  const text = message.content ? [{ type: 'text', content: message.content }] : [];
  const finish_reason = calls.length > 0 ? 'tool_call' : 'stop';
  return { role: 'assistant', parts: [...text, ...calls], finish_reason };
}

/** As the next request carries it: the same message in other bytes. */
function inputOf(message: RecordedMessage): object {
  if (message.role === 'tool')
    return {
      role: 'tool',
      parts: [{ type: 'tool_call_response', id: message.tool_call_id, response: message.content }],
    };
  const calls = (message.tool_calls ?? []).map((call) => ({
    name: call.function.name,
    arguments: JSON.parse(call.function.arguments) as unknown,
    id: call.id,
    type: 'tool_call',
  }));
  const text = message.content ? [{ type: 'text', content: message.content }] : [];
  return { role: message.role, parts: [...text, ...calls] };
}

function factsOf(run: RecordedRun): TaskEvidence['task'] {
  return {
    task_id: `tau-airline-${run.task_id}-${run.trial}`,
    workflow: 'airline-support',
    state: 'done',
    outcome: run.reward === 1 ? 'success' : 'failure',
    outcome_source: 'evaluation',
    outcome_score: run.reward,
    outcome_reason: null,
    cost_usd: null,
    duration_ms: null,
    model_ms: null,
    tool_ms: null,
    human_wait_ms: null,
  };
}

/** A span of which only some columns matter. */
export function span(own: Partial<DecisionSpan> & Pick<DecisionSpan, 'span_id'>): DecisionSpan {
  return { ...blank, ...own };
}

const blank: DecisionSpan = {
  trace_id: '0af7651916cd43dd8448eb211c80319c',
  span_id: '',
  parent_id: '',
  start: 0n,
  end: 0n,
  name: '',
  kind: 'other',
  operation: '',
  status: 'unset',
  provider: '',
  request_model: '',
  response_model: '',
  response_id: '',
  previous_response_id: '',
  input_tokens: null,
  output_tokens: null,
  cache_read_tokens: null,
  cache_write_tokens: null,
  reasoning_tokens: null,
  ttft_ms: null,
  finish_reason: '',
  error_type: '',
  error_message: '',
  agent_name: 'airline',
  request_hash: '',
  tool_name: '',
  tool_call_id: '',
  tool_type: '',
  tool_effect: '',
  tool_risk: '',
  tool_polling: false,
  tool_error_by: '',
  tool_arguments_hash: '',
  tool_arguments_valid: null,
  tool_result_hash: '',
  tool_result_shape: '',
  tool_result_bytes: null,
  tool_result_valid: null,
  tool_side_effect_key: '',
  handoff_from: '',
  handoff_to: '',
  input_messages: [],
  output_messages: [],
  system_instructions: [],
  tool_definitions: [],
  tool_arguments: [],
  tool_result: [],
  outputs: [],
  events: [],
  attributes: {},
};
