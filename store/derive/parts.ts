import { type Attribution, attribute, isUnnamed, type Owner, type Owners } from './attribution.ts';
import { type Boundaries, segments, traceBoundaries } from './boundaries.ts';
import { type Call, callsOf } from './calls.ts';
import type { HandoffSpan } from './handoffs.ts';
import { hear, type Signals, VERDICTS } from './signals.ts';
import type { TaskLog, TaskSpan } from './telemetry.ts';
import { compareText, compareTime, groupTraces, type Trace } from './trace.ts';

/** A span of a task and what its trace says about it. */
export interface Member {
  readonly span: TaskSpan;
  readonly depth: number;
  /** Nothing of the task lies above it: it has no parent, or its parent belongs to another task. */
  readonly root: boolean;
}

/** Everything that belongs to one task, over all its traces. */
export interface Parts {
  readonly project: string;
  readonly task: string;
  by: Attribution;
  /** The task inside which this one was started, as far as the trace shows. */
  startedIn: string;
  readonly members: Member[];
  readonly calls: Call[];
  readonly logs: TaskLog[];
  readonly handoffs: HandoffSpan[];
  readonly signals: Signals;
}

/** Splits spans and logs of one project into tasks; every span is in exactly one. Ordered by task id. */
export function splitTasks(
  spans: readonly TaskSpan[],
  logs: readonly TaskLog[],
  boundaries: Boundaries = traceBoundaries,
): Parts[] {
  const tasks = new Map<string, Parts>();
  const heard = logs.filter((log) => !VERDICTS.has(log.event_name));
  const traces = groupTraces(spans, heard);
  const talks = segments(traces, boundaries, isUnnamed);
  for (const trace of traces) addTrace(tasks, trace, attribute(trace, boundaries, talks));
  for (const parts of tasks.values()) sortParts(parts);
  return [...tasks.values()].sort((a, b) => compareText(a.task, b.task));
}

function addTrace(tasks: Map<string, Parts>, trace: Trace, owners: Owners): void {
  const { calls, inside } = callsOf(trace);
  const insideOf = (index: number) => trace.spans[inside[index] ?? -1] ?? null;
  trace.spans.forEach((span, i) => {
    const owner = owners.spans[i];
    if (owner === undefined) return;
    const parts = partsOf(tasks, span.project, owner);
    const above = owners.spans[trace.parent[i] ?? -1];
    const inOther = above !== undefined && above.task !== owner.task;
    parts.members.push({
      span,
      depth: trace.depth[i] ?? 0,
      root: span.parent_id === '' || inOther,
    });
    if (inOther && above.by === 'declared') parts.startedIn ||= above.task;
    if (span.kind === 'handoff' && span.tool_name === '') {
      parts.handoffs.push({ span, inside: insideOf(i) ?? span });
    }
    for (const event of span.events) hear(parts.signals, event, insideOf(i));
  });
  for (const call of calls) {
    const owner = owners.spans[call.index];
    if (owner !== undefined) partsOf(tasks, call.span.project, owner).calls.push(call);
  }
  trace.logs.forEach((log, i) => {
    const owner = owners.logs[i] ?? null;
    if (owner === null) return;
    const parts = partsOf(tasks, log.project, owner);
    parts.logs.push(log);
    const event = { time: log.time, name: log.event_name, attributes: log.attributes };
    hear(parts.signals, event, insideOf(trace.indexOf.get(log.span_id) ?? -1));
  });
}

const STRENGTH: readonly Attribution[] = ['declared', 'run', 'ambiguous', 'trace'];

function partsOf(tasks: Map<string, Parts>, project: string, { task, by }: Owner): Parts {
  let parts = tasks.get(task);
  if (parts === undefined) {
    parts = {
      project,
      task,
      by,
      startedIn: '',
      members: [],
      calls: [],
      logs: [],
      handoffs: [],
      signals: { states: [], approvals: [], handoffs: [] },
    };
    tasks.set(task, parts);
  }
  if (STRENGTH.indexOf(by) < STRENGTH.indexOf(parts.by)) parts.by = by;
  return parts;
}

function sortParts({ members, calls, logs }: Parts): void {
  members.sort(
    (a, b) =>
      compareTime(a.span.start, b.span.start) || a.depth - b.depth || compareIds(a.span, b.span),
  );
  calls.sort((a, b) => compareTime(a.span.start, b.span.start) || compareIds(a.span, b.span));
  logs.sort(
    (a, b) =>
      compareTime(a.time, b.time) ||
      compareIds(a, b) ||
      compareText(a.event_name, b.event_name) ||
      compareTime(a.hash, b.hash),
  );
}

function compareIds(
  a: { readonly trace_id: string; readonly span_id: string },
  b: { readonly trace_id: string; readonly span_id: string },
): number {
  return compareText(a.trace_id, b.trace_id) || compareText(a.span_id, b.span_id);
}
