import { createHash } from 'node:crypto';
import type { DecisionSpan, TaskEvidence } from '../../query/decisions/evidence.ts';
import type { Store } from '../../store/connection.ts';
import { createDeriver } from '../../store/derive/deriver.ts';
import { logRow, spanRow } from '../../store/derive/fixtures.ts';
import { insert } from '../../store/insert.ts';
import { logs } from '../../store/tables/logs.ts';
import { messages } from '../../store/tables/messages.ts';
import { outcomes } from '../../store/tables/outcomes.ts';
import { type SpanRow, spans } from '../../store/tables/spans.ts';
import { taskTraces } from '../../store/tables/task-traces.ts';
import { traceBounds } from '../../store/tables/trace-bounds.ts';
import { outcomeRow } from '../clickhouse/rows.ts';

/** How a task is stored: under which ids, when, and how it ended. */
export interface StoredAs {
  readonly project?: string;
  readonly task: string;
  readonly workflow?: string;
  /** Start of the first span, milliseconds since 1970. */
  readonly at: number;
  readonly state?: string;
  readonly verdict?: 'success' | 'failure';
  /** Whose verdict it is; `explicit` unless given. */
  readonly source?: string;
  /** The trace that it lies on; one of its own unless given. */
  readonly trace?: string;
  /** Columns of every span. */
  readonly own?: Partial<SpanRow>;
}

const dayNs = 86_400_000_000_000n;

function numberOf(text: string): bigint {
  return BigInt(`0x${createHash('sha256').update(text).digest('hex').slice(0, 15)}`);
}

/** Writes what ingest would have stored for tasks, derives them, and returns the ids of their traces. */
export async function storeEvidence(
  store: Store,
  tasks: readonly (StoredAs & { readonly evidence: TaskEvidence })[],
): Promise<string[]> {
  const parts = tasks.map((task) => rowsOf(task.evidence, task));
  const bounds = parts.flatMap((part) => part.bounds);
  await insert(
    store,
    taskTraces,
    parts.flatMap(({ links }) => links),
  );
  await insert(store, traceBounds, bounds);
  await insert(
    store,
    messages,
    parts.flatMap(({ texts }) => texts),
  );
  await insert(
    store,
    spans,
    parts.flatMap((part) => part.spans),
  );
  await insert(
    store,
    logs,
    parts.flatMap((part) => part.logs),
  );
  await insert(
    store,
    outcomes,
    parts.flatMap(({ verdicts }) => verdicts),
  );
  const byProject = new Map<string, string[]>();
  for (const { project, trace_id } of bounds)
    byProject.set(project, [...(byProject.get(project) ?? []), trace_id]);
  const touched = [...byProject].map(([project, traces]) => ({ project, traces, tasks: [] }));
  await createDeriver(store).derive(touched);
  return bounds.map(({ trace_id }) => trace_id);
}

function rowsOf(evidence: TaskEvidence, as: StoredAs) {
  const { project = 'p', task, workflow = 'w', at, state = 'done' } = as;
  const [first] = evidence.spans;
  if (first === undefined) throw new Error('no span');
  const trace_id = as.trace ?? createHash('md5').update(`${project} ${task}`).digest('hex');
  const shift = BigInt(at) * 1_000_000n - first.start;
  const rows = evidence.spans.map((span) =>
    spanRow({
      ...toRow(span),
      project,
      trace_id,
      start: span.start + shift,
      end: span.end + shift,
      task_id: task,
      task_id_kind: 'declared',
      workflow,
      ...as.own,
    }),
  );
  const last = rows.reduce((end, row) => (row.end > end ? row.end : end), 0n);
  const start = rows[0]?.start ?? 0n;
  const names = { project, task_id: task, task_id_kind: 'declared', workflow, trace_id };
  const told = evidence.logs.map((log) => ({
    event_name: log.event_name,
    time: log.time + shift,
    attributes: Object.entries(log.attributes),
  }));
  const ending = {
    event_name: 'agent.task.state',
    time: last,
    attributes: [['agent.task.state', state]] as [string, string][],
  };
  const bounds = { project, trace_id, first: start, last };
  return {
    links: [{ ...bounds, task_id: task }],
    bounds: [bounds],
    texts: [...evidence.content].map(([key, content]) => ({
      project,
      day: Number(start / dayNs),
      trace_id,
      hash: numberOf(key),
      content,
    })),
    spans: rows,
    logs: [...told, ...(state === '' ? [] : [ending])].map((log) =>
      logRow({
        ...names,
        span_id: first.span_id,
        hash: numberOf(JSON.stringify(log, text)),
        ...log,
      }),
    ),
    verdicts:
      as.verdict === undefined
        ? []
        : [
            outcomeRow({
              project,
              key: task,
              task_id: task,
              outcome: as.verdict,
              ...(as.source !== undefined && { source: as.source }),
              at: last / 1000n,
            }),
          ],
  };
}

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

function toRow(span: DecisionSpan) {
  const count = (value: number | null) => (value === null ? null : BigInt(value));
  const flag = (value: boolean | null) => (value === null ? null : Number(value));
  const { events, attributes, trace_id: _trace, start: _start, end: _end, ...plain } = span;
  return {
    ...plain,
    ver: (1n << 63n) | 1n,
    input_tokens: count(span.input_tokens),
    output_tokens: count(span.output_tokens),
    cache_read_tokens: count(span.cache_read_tokens),
    cache_write_tokens: count(span.cache_write_tokens),
    reasoning_tokens: count(span.reasoning_tokens),
    tool_polling: Number(span.tool_polling),
    tool_arguments_valid: flag(span.tool_arguments_valid),
    tool_result_bytes: count(span.tool_result_bytes),
    tool_result_valid: flag(span.tool_result_valid),
    input_messages: span.input_messages.map(numberOf),
    output_messages: span.output_messages.map(numberOf),
    system_instructions: span.system_instructions.map(numberOf),
    tool_definitions: span.tool_definitions.map(numberOf),
    tool_arguments: span.tool_arguments.map(numberOf),
    tool_result: span.tool_result.map(numberOf),
    attributes: Object.entries(attributes),
    'events.time': events.map(({ time }) => time),
    'events.name': events.map(({ name }) => name),
    'events.attributes': events.map((event) => Object.entries(event.attributes)),
  };
}
