import type { TaskRow } from '../tables/tasks.ts';
import { type Boundaries, traceBoundaries } from './boundaries.ts';
import { bundles } from './bundles.ts';
import { callColumns, small, totals } from './call-columns.ts';
import { type Ending, endingOf, endingWithoutSpans } from './ending.ts';
import { countHandoffs } from './handoffs.ts';
import { type Lifecycle, lifecycle } from './lifecycle.ts';
import { startOf } from './log-calls.ts';
import { type Parts, splittingTasks } from './parts.ts';
import { modelKind, type TaskLog, type TaskSpan } from './telemetry.ts';
import { compareText } from './trace.ts';
import { atOnce, type Turns } from './turns.ts';

/** A task without what only the moment of writing adds: its version. */
export type DerivedTask = Omit<TaskRow, 'ver' | 'deleted'>;

/**
 * Derives every task of these spans and logs, ordered by id. Items must be of one project, span ids distinct within
 * their trace and traces complete; a task is complete only when all of its traces are given. The order of the items
 * does not matter.
 */
export function deriveTasks(
  spans: readonly TaskSpan[],
  logs: readonly TaskLog[],
  boundaries: Boundaries = traceBoundaries,
): DerivedTask[] {
  return atOnce(derivingTasks(spans, logs, boundaries));
}

/** {@link deriveTasks}, interruptible. */
export function* derivingTasks(
  spans: readonly TaskSpan[],
  logs: readonly TaskLog[],
  boundaries: Boundaries,
): Turns<DerivedTask[]> {
  const tasks: DerivedTask[] = [];
  for (const bundle of bundles(spans, logs, boundaries.conversations)) {
    for (const parts of yield* splittingTasks(bundle.spans, bundle.logs, boundaries)) {
      tasks.push(taskOf(parts));
      yield;
    }
  }
  return tasks.sort((a, b) => compareText(a.task_id, b.task_id));
}

function taskOf(parts: Parts): DerivedTask {
  const begun = parts.members[0]?.span.start ?? null;
  const life = lifecycle(parts.signals.states, parts.signals.approvals, begun);
  const times = timesOf(parts);
  const ending =
    parts.members.length > 0 || life.state !== ''
      ? endingOf(parts.members, life)
      : endingWithoutSpans(parts.calls, times.last_signal_at);
  const attemptAt = (time: bigint) => 2 + life.retries.findLastIndex((retry) => retry <= time);
  return {
    project: parts.project,
    day: dayOf(times.started_at),
    task_id: parts.task,
    ...namesOf(parts),
    attribution: parts.by,
    declared_state: life.state,
    root_ended: Number(ending.rootEnded),
    root_error: Number(ending.rootError),
    attempts: attemptsOf(parts, life),
    ...times,
    ended_at: ending.endedAt,
    human_wait_ms: life.humanWaitMs,
    queued_ms: life.queuedMs,
    waiting_since: life.waitingSince,
    ...totals(parts.calls, parts.members),
    ...interventionsOf(parts),
    spans: parts.members.length,
    error_message: errorOf(parts, life, ending),
    ...callColumns(parts.calls, attemptAt),
    'transitions.at': life.transitions.map(({ at }) => at),
    'transitions.state': life.transitions.map(({ state }) => state),
    'transitions.reason': life.transitions.map(({ reason }) => reason),
    'transitions.applied': life.transitions.map(({ applied }) => Number(applied)),
  };
}

const NS_PER_DAY = 86_400_000_000_000n;

/** UTC day of a time in nanoseconds, as days since 1970 that a `Date` column can hold. */
export function dayOf(time: bigint): number {
  return small(Number(time / NS_PER_DAY));
}

/** First value that is not empty, over the spans and then the logs, each in order of time. */
function first(
  { members, logs }: Parts,
  ofSpan: (span: TaskSpan) => string,
  ofLog: (log: TaskLog) => string,
): string {
  for (const { span } of members) {
    const value = ofSpan(span);
    if (value !== '') return value;
  }
  for (const log of logs) {
    const value = ofLog(log);
    if (value !== '') return value;
  }
  return '';
}

function namesOf(parts: Parts) {
  const attribute = (key: string) => (log: TaskLog) => log.attributes.get(key) ?? '';
  const around = (ofSpan: (span: TaskSpan) => string) =>
    parts.around.map(ofSpan).find((value) => value !== '') ?? '';
  const both = (
    name: 'workflow' | 'conversation_id' | 'user_id' | 'environment' | 'release' | 'service',
  ) =>
    first(
      parts,
      (span) => span[name],
      (log) => log[name],
    ) || around((span) => span[name]);
  const parent = first(parts, (span) => span.task_parent_id, attribute('agent.task.parent_id'));
  return {
    workflow: both('workflow'),
    agent_path: agentsOf(parts).join('>'),
    session_id: both('conversation_id'),
    user_id: both('user_id'),
    api_key: first(
      parts,
      (span) => span.api_key,
      () => '',
    ),
    environment: both('environment'),
    release: both('release'),
    service: both('service'),
    prompt_versions: promptsOf(parts),
    agent_version_hash: first(
      parts,
      (span) => (modelKind(span) === null ? '' : span.agent_version_hash),
      () => '',
    ),
    traffic:
      first(parts, (span) => span.task_traffic, attribute('agent.task.traffic')) ||
      around((span) => span.task_traffic) ||
      'live',
    ref: first(parts, (span) => span.task_ref, attribute('agent.task.ref')),
    parent_id: parent === parts.task ? '' : parent || parts.startedIn,
    trace_ids: tracesOf(parts),
  };
}

function agentsOf({ members, logs }: Parts): string[] {
  const names = new Set(members.map(({ span }) => span.agent_name));
  names.delete('');
  if (names.size === 0) for (const log of logs) names.add(log.agent_name);
  names.delete('');
  return [...names];
}

function promptsOf({ members }: Parts): string[] {
  const versions = new Set<string>();
  for (const { span } of members) {
    versions.add([span.prompt_name, span.prompt_version].filter((part) => part !== '').join('@'));
  }
  versions.delete('');
  return [...versions];
}

function tracesOf({ members, logs }: Parts): string[] {
  const traces = new Set(members.map(({ span }) => span.trace_id));
  for (const log of logs) traces.add(log.trace_id);
  traces.delete('');
  return [...traces];
}

function timesOf({ members, logs }: Parts): { started_at: bigint; last_signal_at: bigint } {
  let begin: bigint | null = null;
  let last = 0n;
  const see = (time: bigint) => {
    if (begin === null || time < begin) begin = time;
    if (time > last) last = time;
  };
  for (const { span } of members) {
    see(span.start);
    if (span.end > last) last = span.end;
    for (const event of span.events) if (event.time > last) last = event.time;
  }
  for (const log of logs) {
    see(startOf(log));
    see(log.time);
  }
  return { started_at: begin ?? 0n, last_signal_at: last };
}

function attemptsOf({ members, logs }: Parts, life: Lifecycle): number {
  let most = 1 + life.retries.length;
  for (const { span } of members) most = Math.max(most, span.task_attempt ?? 0);
  for (const log of logs) {
    const attempt = Number(log.attributes.get('agent.task.attempt') ?? 0);
    if (Number.isInteger(attempt)) most = Math.max(most, attempt);
  }
  return small(most);
}

function interventionsOf(parts: Parts) {
  const { decisions, handoffs } = parts.signals;
  const approvals = [...parts.signals.approvals, ...decisions];
  const tools = parts.calls.filter(({ kind }) => kind === 'tool').map(({ span }) => span);
  const told = countHandoffs(tools, parts.handoffs, handoffs, new Set(agentsOf(parts)));
  const refused = approvals.some(({ status }) => status === 'denied' || status === 'expired');
  return {
    handoffs: told.count,
    approvals: new Set(approvals.map(({ id }) => id)).size,
    escalated: Number(told.toHuman || refused),
  };
}

function errorOf({ members }: Parts, life: Lifecycle, ending: Ending): string {
  const openEnd = life.state !== 'done' && life.state !== 'cancelled';
  if (life.state !== 'failed' && !(ending.rootError && openEnd)) return '';
  if (life.failure !== '') return life.failure;
  if (ending.rootMessage !== '' && ending.rootError) return ending.rootMessage;
  const failed = members.findLast(({ span }) => span.status === 'error')?.span;
  return failed === undefined ? '' : failed.error_message || failed.status_message;
}
