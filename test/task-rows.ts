import { emptyRow } from '../store/tables/empty-row.ts';
import type { OutcomeRow } from '../store/tables/outcomes.ts';
import { type TaskRow, tasks } from '../store/tables/tasks.ts';

/** One call of a task for {@link taskRow}. */
export interface CallSketch {
  readonly kind: 'llm' | 'tool';
  readonly name: string;
  readonly provider?: string;
  readonly ttft?: number | null;
  readonly error?: string;
  readonly input?: number;
  readonly output?: number;
}

/** What a spec says about a task; the rest is plain. Times are milliseconds since 1970. */
export interface TaskSketch {
  readonly id: string;
  readonly workflow?: string;
  readonly project?: string;
  readonly end: number;
  readonly ms?: number;
  readonly state?: string;
  readonly open?: boolean;
  readonly traffic?: string;
  readonly escalated?: boolean;
  readonly calls?: readonly CallSketch[];
  readonly prompts?: readonly string[];
  readonly release?: string;
  readonly version?: string;
}

const DAY = 86_400_000;

const nanos = (ms: number) => BigInt(Math.round(ms)) * 1_000_000n;

/** A derived row as the store holds it, written by hand so that no derivation is trusted. */
export function taskRow(sketch: TaskSketch): TaskRow {
  const { id, end, ms = 1_000, calls = [], open = false } = sketch;
  const started = end - ms;
  const sum = (key: 'input' | 'output') =>
    BigInt(calls.reduce((total, call) => total + (call[key] ?? 0), 0));
  const models = calls.filter(({ kind }) => kind === 'llm').length;
  return {
    ...emptyRow(tasks),
    attribution: 'declared',
    attempts: 1,
    spans: 1,
    project: sketch.project ?? 'test',
    day: Math.floor(started / DAY),
    task_id: id,
    ver: 1n,
    deleted: 0,
    workflow: sketch.workflow ?? 'support',
    release: sketch.release ?? '',
    prompt_versions: sketch.prompts ?? [],
    agent_version_hash: sketch.version ?? '',
    traffic: sketch.traffic ?? 'live',
    declared_state: sketch.state ?? 'done',
    root_ended: open ? 0 : 1,
    started_at: nanos(started),
    ended_at: open ? null : nanos(end),
    last_signal_at: nanos(end),
    llm_calls: models,
    tool_calls: calls.length - models,
    tool_errors: calls.filter(({ kind, error }) => kind === 'tool' && error !== undefined).length,
    escalated: sketch.escalated ? 1 : 0,
    input_tokens: models > 0 ? sum('input') : null,
    output_tokens: models > 0 ? sum('output') : null,
    ...callColumns(calls, started),
  };
}

/** An explicit verdict on a task. */
export function verdict(
  id: string,
  outcome: 'success' | 'failure',
  at: number,
  project = 'test',
): OutcomeRow {
  return {
    project,
    key: `${id}:${outcome}`,
    task_id: id,
    ref: '',
    trace_id: '',
    response_id: '',
    session_id: '',
    outcome,
    score: null,
    reason: '',
    source: 'explicit',
    by: '',
    at: BigInt(Math.round(at)) * 1_000n,
  };
}

function callColumns(calls: readonly CallSketch[], started: number) {
  const count = (value: number | undefined) => (value === undefined ? null : BigInt(value));
  return {
    'calls.span_id': calls.map((_, i) => i.toString(16).padStart(16, '0')),
    'calls.trace_id': calls.map(() => ''),
    'calls.kind': calls.map(({ kind }) => kind),
    'calls.name': calls.map(({ name }) => name),
    'calls.agent': calls.map(() => ''),
    'calls.provider': calls.map(({ provider = '' }) => provider),
    'calls.response_id': calls.map(() => ''),
    'calls.service_tier': calls.map(() => ''),
    'calls.start': calls.map(() => nanos(started)),
    'calls.duration_ms': calls.map(() => 10),
    'calls.ttft_ms': calls.map(({ ttft = null }) => ttft),
    'calls.attempt': calls.map(() => 1),
    'calls.error_by': calls.map(({ error = '' }) => error),
    'calls.input_tokens': calls.map(({ input }) => count(input)),
    'calls.output_tokens': calls.map(({ output }) => count(output)),
    'calls.cache_read_tokens': calls.map(() => null),
    'calls.cache_write_tokens': calls.map(() => null),
    'calls.cache_write_1h_tokens': calls.map(() => null),
    'calls.reasoning_tokens': calls.map(() => null),
    'calls.cost_reported': calls.map(() => null),
  };
}
