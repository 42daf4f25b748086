import type { Touched } from '../store/derive/deriver.ts';
import type { EvaluationRow } from '../store/tables/evaluations.ts';
import type { LogRow } from '../store/tables/logs.ts';
import type { MessageRow } from '../store/tables/messages.ts';
import type { MetricHistogramRow } from '../store/tables/metrics-histogram.ts';
import type { MetricNumberRow } from '../store/tables/metrics-number.ts';
import type { OutcomeRow } from '../store/tables/outcomes.ts';
import type { SpanRow } from '../store/tables/spans.ts';
import type { TaskTraceRow } from '../store/tables/task-traces.ts';
import type { TraceBoundsRow } from '../store/tables/trace-bounds.ts';
import type { ModelName, Normaliser } from './normalise/normaliser.ts';
import type { Accepted } from './queue.ts';

/** The rows of a batch of requests but for its spans, each list sorted by its table's partition day. */
export interface Rows {
  readonly taskTraces: TaskTraceRow[];
  readonly bounds: TraceBoundsRow[];
  readonly messages: MessageRow[];
  readonly logs: LogRow[];
  readonly numbers: MetricNumberRow[];
  readonly histograms: MetricHistogramRow[];
  readonly outcomes: OutcomeRow[];
  readonly evaluations: EvaluationRow[];
  /** Models to be priced, by project. */
  readonly models: ReadonlyMap<string, readonly ModelName[]>;
  /** What has to be derived again, by project. */
  readonly touched: readonly Touched[];
}

const nanosPerDay = 86_400_000_000_000n;
/** How long the event loop may wait while a batch is normalised: acks go out in between. */
const sliceMs = 10;

/**
 * Normalises a batch, request by request. `onSpans` takes the spans of each at once: most of what a batch is, they are
 * gone then before the next request is decoded, and cost the garbage collector nothing.
 */
export async function rowsOf(
  normaliser: Normaliser,
  requests: readonly Accepted[],
  onSpans: (rows: readonly SpanRow[]) => void,
): Promise<Rows> {
  const rows = emptyRows();
  let sliceEnd = performance.now() + sliceMs;
  for (const request of requests) {
    onSpans(addRequest(rows, normaliser, request));
    if (performance.now() < sliceEnd) continue;
    await new Promise((resolve) => setImmediate(resolve));
    sliceEnd = performance.now() + sliceMs;
  }
  rows.logs.sort((a, b) => Number(a.time / nanosPerDay - b.time / nanosPerDay));
  rows.numbers.sort((a, b) => Number(a.time / nanosPerDay - b.time / nanosPerDay));
  rows.histograms.sort((a, b) => Number(a.time / nanosPerDay - b.time / nanosPerDay));
  rows.messages.sort((a, b) => a.day - b.day);
  return { ...rows, touched: touchedOf(rows) };
}

type Growing = Omit<Rows, 'models' | 'touched'> & {
  readonly models: Map<string, ModelName[]>;
  /** Messages already in the batch: chats repeat their history in every request. */
  readonly known: Set<string>;
};

function emptyRows(): Growing {
  return {
    taskTraces: [],
    bounds: [],
    messages: [],
    logs: [],
    numbers: [],
    histograms: [],
    outcomes: [],
    evaluations: [],
    models: new Map(),
    known: new Set(),
  };
}

/** Adds what a request holds, and returns its spans. */
function addRequest(rows: Growing, normaliser: Normaliser, request: Accepted): readonly SpanRow[] {
  const { project } = request;
  const payload = request.payload();
  if (payload.signal === 'metrics') {
    const side = normaliser.normaliseMetrics(project, payload.decoded.batches);
    append(rows.numbers, side.numbers);
    append(rows.histograms, side.histograms);
    append(rows.taskTraces, side.taskTraces);
    noteModels(rows, project, side.models);
    return [];
  }
  const side =
    payload.signal === 'traces'
      ? normaliser.normaliseSpans(project, payload.decoded.batches)
      : normaliser.normaliseLogs(project, payload.decoded.batches);
  if ('logs' in side) {
    append(rows.logs, side.logs);
    append(rows.evaluations, side.evaluations);
  }
  append(rows.taskTraces, side.taskTraces);
  append(rows.bounds, side.bounds);
  append(rows.outcomes, side.outcomes);
  for (const message of side.messages) {
    const key = `${project} ${message.day} ${message.trace_id} ${message.hash}`;
    if (rows.known.has(key)) continue;
    rows.known.add(key);
    rows.messages.push(message);
  }
  noteModels(rows, project, side.models);
  return 'spans' in side ? side.spans : [];
}

function noteModels({ models }: Growing, project: string, named: readonly ModelName[]): void {
  if (named.length === 0) return;
  const known = models.get(project) ?? [];
  models.set(project, known);
  append(known, named);
}

/** Not `push(...from)`: a request can hold more rows than a call may have arguments. */
function append<T>(to: T[], from: readonly T[]): void {
  for (const row of from) to.push(row);
}

function touchedOf(rows: Growing): Touched[] {
  const projects = new Map<string, { traces: Set<string>; tasks: Set<string> }>();
  const of = (project: string) => {
    const known = projects.get(project) ?? { traces: new Set(), tasks: new Set() };
    projects.set(project, known);
    return known;
  };
  for (const { project, trace_id } of rows.bounds) of(project).traces.add(trace_id);
  for (const { project, task_id, trace_id } of rows.taskTraces) {
    // Logs without a trace, and metrics: the task id is all there is to find them by.
    if (trace_id === '') of(project).tasks.add(task_id);
  }
  return [...projects].map(([project, { traces, tasks }]) => ({
    project,
    traces: [...traces],
    tasks: [...tasks],
  }));
}
