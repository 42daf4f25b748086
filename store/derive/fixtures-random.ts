import type { LogRow } from '../tables/logs.ts';
import type { SpanRow } from '../tables/spans.ts';
import { logRow, ms, spanRow, stateLog } from './fixtures.ts';

/** Uniform numbers in [0, 1) that a seed decides (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The items in another order, decided by `random`. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
  }
  return copy;
}

const KINDS = [
  'agent',
  'llm',
  'llm',
  'llm',
  'tool',
  'tool',
  'task',
  'embedding',
  'http',
  'handoff',
];
const STATES = [
  'queued',
  'running',
  'waiting_for_approval',
  'running',
  'done',
  'failed',
  'cancelled',
];

/**
 * Telemetry of every shape the rules speak of: traces with none, one and several declared ids, run ids, ids that span
 * traces, lost parents, cycles, open spans, wrappers, approvals, handoffs and logs without a trace.
 */
export function randomTelemetry(seed: number, traces = 12): { spans: SpanRow[]; logs: LogRow[] } {
  const random = randomFrom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const ids = ['', '', 'A', 'B', 'C', 't3'];
  const spans: SpanRow[] = [];
  const logs: LogRow[] = [];
  for (let t = 0; t < traces; t++) {
    const trace_id = `t${t}`;
    const size = 1 + Math.floor(random() * 12);
    const day = random() < 0.1 ? 86_400_000 : 0;
    for (let i = 0; i < size; i++) {
      const start = ms(day + t * 60_000 + Math.floor(random() * 40_000));
      const parent = random() < 0.1 ? `lost${i}` : `s${Math.floor(random() * Math.max(i, 1))}`;
      const kind = pick(KINDS);
      const open = random() < 0.05;
      const counts = random() < 0.6 && kind !== 'tool' && kind !== 'http';
      const id = random() < 0.25 ? pick(ids) : '';
      spans.push(
        spanRow(
          {
            trace_id,
            span_id: `s${i}`,
            parent_id: i === 0 && random() < 0.9 ? '' : parent,
            start,
            end: open ? 0n : start + BigInt(1 + Math.floor(random() * 5e9)),
            kind,
            status: random() < 0.1 ? 'error' : 'unset',
            error_message: random() < 0.5 ? 'it broke' : '',
            provider: 'openai',
            response_model: pick(['gpt-4o', 'gpt-4o-mini']),
            response_id: random() < 0.2 ? pick(['r1', 'r2']) : '',
            input_tokens: counts ? BigInt(Math.floor(random() * 50)) : null,
            output_tokens: counts ? BigInt(Math.floor(random() * 9)) : null,
            tool_name: kind === 'tool' ? pick(['search', 'book', 'escalate_to_human']) : '',
            tool_error_by: kind === 'tool' && random() < 0.2 ? 'content' : '',
            agent_name: random() < 0.3 ? pick(['support', 'refunds']) : '',
            task_attempt: random() < 0.1 ? 2 : null,
            task_id: id,
            task_id_kind: id === '' ? '' : pick(['declared', 'run']),
          },
          random() < 0.1 ? [[start + 5n, 'agent.handoff', { 'agent.handoff.to': 'refunds' }]] : [],
        ),
      );
    }
    for (let i = 0; i < 3; i++) {
      const at = ms(day + t * 60_000 + Math.floor(random() * 60) * 1000);
      const task = pick(ids);
      const values = {
        trace_id: random() < 0.2 ? '' : trace_id,
        hash: BigInt(logs.length + 1),
        task_id_kind: task === '' ? '' : 'declared',
      };
      if (random() < 0.7) logs.push(stateLog(at, task, pick(STATES), values));
      else {
        const status = pick(['requested', 'approved', 'denied', 'expired']);
        const attributes: [string, string][] = [
          ['agent.approval.id', pick(['p1', 'p2'])],
          ['agent.approval.status', status],
        ];
        logs.push(
          logRow({ event_name: 'agent.approval', time: at, task_id: task, ...values, attributes }),
        );
      }
    }
  }
  return { spans, logs };
}
