import { type Attribution, attribute, isUnnamed, type Owner, type Owners } from './attribution.ts';
import { type Boundaries, segments, traceBoundaries } from './boundaries.ts';
import { type Call, type Calls, callsOf } from './calls.ts';
import type { HandoffSpan } from './handoffs.ts';
import { callOfLog, toldOtherwise } from './log-calls.ts';
import { hear, type Signals, VERDICTS } from './signals.ts';
import type { TaskLog, TaskSpan } from './telemetry.ts';
import { compareText, compareTime, groupTraces, type Trace } from './trace.ts';
import { atOnce, type Turns } from './turns.ts';
import { type Repeats, repeatsOf } from './twins.ts';

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
  /** The spans of other tasks around it, the nearest first: what it does not say itself is as they say. */
  around: readonly TaskSpan[];
  readonly members: Member[];
  readonly calls: Call[];
  readonly logs: TaskLog[];
  readonly handoffs: HandoffSpan[];
  readonly signals: Signals;
  /** Calls that log records and metrics tell of. */
  readonly told: Call[];
}

/** Splits spans and logs of one project into tasks; every span is in exactly one. Ordered by task id. */
export function splitTasks(
  spans: readonly TaskSpan[],
  logs: readonly TaskLog[],
  boundaries: Boundaries = traceBoundaries,
): Parts[] {
  return atOnce(splittingTasks(spans, logs, boundaries));
}

/** {@link splitTasks}, interruptible. */
export function* splittingTasks(
  spans: readonly TaskSpan[],
  logs: readonly TaskLog[],
  boundaries: Boundaries,
): Turns<Parts[]> {
  const tasks = new Map<string, Parts>();
  const heard = logs.filter((log) => !VERDICTS.has(log.event_name));
  const traces = yield* groupTraces(spans, heard);
  const talks = segments(traces, boundaries, isUnnamed);
  const owners = new Map<string, Owners>();
  for (const trace of traces) {
    yield;
    owners.set(trace.id, attribute(trace, boundaries, talks));
  }
  const repeats = repeatsOf(traces);
  for (const trace of traces) {
    yield;
    const own = owners.get(trace.id) ?? NOBODY;
    const repeated = repeats.get(trace.id);
    const found = callsOf(trace);
    if (repeated === undefined) addTrace(tasks, trace, own, found);
    else {
      const calls = found.calls.filter(({ index }) => repeated.get(index)?.dropped !== true);
      const joined = withCaller(trace, own, found.calls, repeated, owners);
      addTrace(tasks, trace, joined, { calls, inside: found.inside });
    }
  }
  for (const parts of tasks.values()) {
    yield;
    parts.calls.push(...toldOtherwise(parts.calls, parts.told));
    sortParts(parts);
  }
  return [...tasks.values()].filter(isTask).sort((a, b) => compareText(a.task, b.task));
}

/** A session is a task only where something happened in it that no other task has. */
function isTask({ by, calls, signals }: Parts): boolean {
  return by !== 'session' || calls.length > 0 || signals.states.length > 0;
}

const NOBODY: Owners = { spans: [], logs: [] };

/** A gateway's trace that names no task, and tells nothing but what its caller tells, is a part of the caller's task. */
function withCaller(
  trace: Trace,
  own: Owners,
  calls: readonly Call[],
  repeated: Repeats,
  owners: ReadonlyMap<string, Owners>,
): Owners {
  if (own.spans.some(({ by }) => by !== 'trace')) return own;
  const callers = calls
    .filter(({ kind }) => kind !== 'tool')
    .map(({ index }) => repeated.get(index)?.caller);
  const theirs = callers.map((caller) =>
    caller === undefined || caller.trace === trace
      ? undefined
      : owners.get(caller.trace.id)?.spans[caller.index],
  );
  const [first] = theirs;
  if (first === undefined || theirs.some((one) => one?.task !== first.task)) return own;
  return { spans: own.spans.map(() => first), logs: own.logs.map(() => first) };
}

function addTrace(
  tasks: Map<string, Parts>,
  trace: Trace,
  owners: Owners,
  { calls, inside }: Calls,
): void {
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
    if (inOther && parts.around.length === 0) parts.around = ancestors(trace, i);
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
    const call = callOfLog(log);
    if (call !== null) parts.told.push(call);
    if (log.kind === 'approval') {
      const id = log.tool_call_id || String(log.hash);
      parts.signals.decisions.push({ at: log.time, id, status: log.call_status });
    }
    const event = { time: log.time, name: log.event_name, attributes: log.attributes };
    hear(parts.signals, event, insideOf(trace.indexOf.get(log.span_id) ?? -1));
  });
}

function ancestors(trace: Trace, index: number): TaskSpan[] {
  const found: TaskSpan[] = [];
  for (let up = trace.parent[index] ?? -1; up >= 0; up = trace.parent[up] ?? -1) {
    const span = trace.spans[up];
    if (span !== undefined) found.push(span);
  }
  return found;
}

const STRENGTH: readonly Attribution[] = ['declared', 'run', 'session', 'ambiguous', 'trace'];

function partsOf(tasks: Map<string, Parts>, project: string, { task, by }: Owner): Parts {
  let parts = tasks.get(task);
  if (parts === undefined) {
    parts = {
      project,
      task,
      by,
      startedIn: '',
      around: [],
      members: [],
      calls: [],
      logs: [],
      handoffs: [],
      signals: { states: [], approvals: [], decisions: [], handoffs: [] },
      told: [],
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
