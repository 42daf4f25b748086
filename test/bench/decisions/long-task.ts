import type { DecisionSpan, TaskEvidence } from '../../../query/decisions/evidence.ts';
import { keysOf, span } from '../../decisions/recorded-run.ts';

/** Decisions after which an agent's run ends and the next one starts with a fresh context. */
const perAgent = 50;

const tools = ['get_order', 'search_flights', 'list_seats', 'update_order'];

/** A failed task of `size` spans: agents one after another, each a chat that grows by a call and its result per turn. */
export function longTask(size: number): TaskEvidence {
  const content = new Map<string, string>();
  let stored = 0;
  const put = (value: unknown) => {
    const hash = (1_000_000_007n * BigInt(stored++) + 12_345_678_901n).toString();
    content.set(hash, typeof value === 'string' ? value : JSON.stringify(value));
    return hash;
  };
  const definitions = tools.map((name) => put(definition(name)));
  const spans: DecisionSpan[] = [];
  let clock = 1_763_632_820_000_000_000n;
  const tick = (ms: number) => {
    clock += BigInt(ms) * 1_000_000n;
    return clock;
  };
  let chat: string[] = [];
  let agent = '';
  for (let turn = 0; spans.length + 2 < size; turn++) {
    if (turn % perAgent === 0) {
      agent = spanId(size + turn);
      chat = [put(text('system', policy)), put(text('user', `Please sort out order ORD${turn}.`))];
      spans.push(
        span({
          span_id: agent,
          kind: 'agent',
          agent_name: `agent-${turn / perAgent}`,
          start: tick(1),
          end: clock + 3_600_000_000_000n,
        }),
      );
    }
    const tool = tools[turn % tools.length] ?? '';
    const args = JSON.stringify({ order_id: `ORD${turn - (turn % 7)}`, limit: 25 + (turn % 9) });
    const call = { type: 'tool_call', id: `call_${turn}`, name: tool, arguments: args };
    const output = put({ role: 'assistant', parts: [call], finish_reason: 'tool_call' });
    spans.push(
      span({
        span_id: spanId(2 * turn),
        parent_id: agent,
        kind: 'llm',
        agent_name: '',
        start: tick(2),
        end: tick(800),
        request_model: 'gpt-4o',
        response_model: 'gpt-4o-2024-08-06',
        input_tokens: 2_000,
        output_tokens: 40,
        finish_reason: 'tool_call',
        input_messages: [...chat],
        output_messages: [output],
        tool_definitions: definitions,
      }),
    );
    const result = resultOf(turn);
    spans.push(
      span({
        span_id: spanId(2 * turn + 1),
        parent_id: agent,
        kind: 'tool',
        agent_name: '',
        start: tick(2),
        end: tick(60),
        tool_name: tool,
        tool_call_id: call.id,
        tool_arguments: [put(args)],
        tool_result: [put(result)],
        tool_result_shape: 'object(flights,id,total)',
        tool_error_by: turn % 97 === 0 ? 'content' : '',
      }),
    );
    const answer = { type: 'tool_call_response', id: call.id, response: result };
    chat.push(put({ role: 'assistant', parts: [call] }), put({ role: 'tool', parts: [answer] }));
  }
  return {
    task: { ...facts, task_id: `long-${size}` },
    spans,
    logs: [],
    calls: keysOf(spans.filter(({ kind }) => kind !== 'agent')),
    content,
    costs: new Map(),
  };
}

function spanId(n: number): string {
  return n.toString(16).padStart(16, '0');
}

function text(role: string, own: string): object {
  return { role, parts: [{ type: 'text', content: own }] };
}

function resultOf(turn: number): string {
  if (turn % 97 === 0) return `Error: order ORD${turn} is locked by another session`;
  const flights = Array.from({ length: 6 }, (_, i) => ({
    flight_number: `HAT${(turn * 7 + i) % 400}`,
    price: 100 + ((turn * 13 + i * 29) % 500),
    date: `2024-05-${10 + (turn % 18)}`,
    seats: { economy: i, business: turn % 5 },
  }));
  return JSON.stringify({ id: `ORD${turn}`, flights, total: turn * 3 });
}

function definition(name: string): object {
  return {
    type: 'function',
    name,
    parameters: {
      type: 'object',
      properties: { order_id: { type: 'string' }, limit: { type: 'integer' } },
      required: ['order_id'],
    },
  };
}

const policy = `You handle orders. ${'Check the order before you change it, and say what you did. '.repeat(40)}`;

const facts: Omit<TaskEvidence['task'], 'task_id'> = {
  workflow: 'orders',
  state: 'done',
  outcome: 'failure',
  outcome_source: 'evaluation',
  outcome_score: 0,
  outcome_reason: null,
  cost_usd: null,
  duration_ms: null,
  model_ms: null,
  tool_ms: null,
  human_wait_ms: null,
};
