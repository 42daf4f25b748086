import { type Boundaries, boundaryOfTrace, spanTaskId, traceBoundaries } from './boundaries.ts';
import type { TaskLog, TaskSpan } from './telemetry.ts';
import type { Trace } from './trace.ts';

/** How a task got its id: named by its telemetry, by a framework's run, by the session of records outside any trace, or by its trace; `ambiguous`: see {@link attribute}. */
export type Attribution = 'declared' | 'run' | 'session' | 'trace' | 'ambiguous';

/** The task to which a span or log belongs. */
export interface Owner {
  readonly task: string;
  readonly by: Attribution;
}

/** Owners of a trace's spans and logs, by index; null for a log that names no task and has no trace. */
export interface Owners {
  readonly spans: readonly Owner[];
  readonly logs: readonly (Owner | null)[];
}

/**
 * Which task each item of a trace belongs to (BEHAVIOUR §1.2). The declared id of the nearest ancestor wins, then the
 * trace's only declared id; where several are declared and none above, the trace id, marked `ambiguous`. Run ids count
 * only when nothing is declared, and only one that no other run id of the trace encloses or stands beside: frameworks
 * put a fresh one on every sub-agent. Everything else is named by its workflow's boundary: its trace, the conversation's
 * `segments` by trace, or the nearest span that begins a task.
 */
export function attribute(
  trace: Trace,
  boundaries: Boundaries = traceBoundaries,
  segments: ReadonlyMap<string, string> = new Map(),
): Owners {
  if (trace.id === '') return { spans: [], logs: trace.logs.map(ownerOfLoneLog) };
  const declared = distinctIds(trace, 'declared');
  if (declared.size > 1) return nearestDeclared(trace);
  const [only] = declared;
  if (only !== undefined) return single(trace, { task: only, by: 'declared' });
  const run = outermostRun(trace);
  if (run !== null) return single(trace, { task: run, by: 'run' });
  const boundary = boundaryOfTrace(boundaries, trace);
  if (boundary.by === 'span') return nearestBoundary(trace, boundary.match);
  return single(trace, { task: segments.get(trace.id) ?? trace.id, by: 'trace' });
}

/** Nothing on the trace names a task. */
export function isUnnamed(trace: Trace): boolean {
  return distinctIds(trace, 'declared').size === 0 && outermostRun(trace) === null;
}

/** Whether a span of a workflow with a `span:` boundary begins a task. */
export function beginsTask({ name, kind }: TaskSpan, match: string): boolean {
  return name === match || kind === match;
}

function nearestBoundary(trace: Trace, match: string): Owners {
  const rest: Owner = { task: trace.id, by: 'trace' };
  return inherited(trace, rest, (span) =>
    beginsTask(span, match) ? { task: spanTaskId(trace.id, span.span_id), by: 'trace' } : null,
  );
}

interface Named {
  readonly task_id: string;
  readonly task_id_kind: string;
}

function idOf(item: Named, kind: 'declared' | 'run'): string {
  return (item.task_id_kind === 'run') === (kind === 'run') ? item.task_id : '';
}

function distinctIds(trace: Trace, kind: 'declared' | 'run'): Set<string> {
  const ids = new Set<string>();
  for (const span of trace.spans) ids.add(idOf(span, kind));
  for (const log of trace.logs) if (namesTrace(log)) ids.add(idOf(log, kind));
  ids.delete('');
  return ids;
}

// Who approves does so in a request of his own, which is no part of the task that waits for him.
function namesTrace(log: TaskLog): boolean {
  return log.event_name !== 'agent.approval';
}

function single(trace: Trace, owner: Owner): Owners {
  return {
    spans: trace.spans.map(() => owner),
    logs: trace.logs.map((log) => ownOwner(log) ?? owner),
  };
}

function ownOwner(log: TaskLog): Owner | null {
  const own = idOf(log, 'declared');
  return own === '' ? null : { task: own, by: 'declared' };
}

function nearestDeclared(trace: Trace): Owners {
  return inherited(trace, { task: trace.id, by: 'ambiguous' }, (span) => {
    const own = idOf(span, 'declared');
    return own === '' ? null : { task: own, by: 'declared' };
  });
}

/** Each span's own owner, else that of the nearest ancestor with one, else `none`. */
function inherited(trace: Trace, none: Owner, ownOf: (span: TaskSpan) => Owner | null): Owners {
  const spans = new Array<Owner>(trace.spans.length).fill(none);
  for (const i of trace.order) {
    const span = trace.spans[i];
    const own = span === undefined ? null : ownOf(span);
    spans[i] = own ?? spans[trace.parent[i] ?? -1] ?? none;
  }
  const ownerOfLog = (log: TaskLog) =>
    ownOwner(log) ?? spans[trace.indexOf.get(log.span_id) ?? -1] ?? none;
  return { spans, logs: trace.logs.map(ownerOfLog) };
}

function outermostRun(trace: Trace): string | null {
  const ids = distinctIds(trace, 'run');
  if (ids.size > 1) {
    const above = new Array<string>(trace.spans.length).fill('');
    const outermost = new Set<string>();
    for (const i of trace.order) {
      const span = trace.spans[i];
      const own = span === undefined ? '' : idOf(span, 'run');
      above[i] = above[trace.parent[i] ?? -1] || own;
      outermost.add(above[i] ?? '');
    }
    outermost.delete('');
    if (outermost.size !== 1) return null;
    const [only] = outermost;
    return only ?? null;
  }
  const [only] = ids;
  return only ?? null;
}

function ownerOfLoneLog(log: TaskLog): Owner | null {
  if (log.task_id === '') return null;
  const { task_id: task, task_id_kind: kind } = log;
  return { task, by: kind === 'run' || kind === 'session' ? kind : 'declared' };
}
