import type { Table } from './table.ts';

/** A trace on which a task id was seen, with the first and last start time seen there. */
export interface TaskTraceRow {
  readonly project: string;
  readonly task_id: string;
  readonly trace_id: string;
  readonly first: bigint;
  readonly last: bigint;
}

export const taskTraces: Table<TaskTraceRow> = {
  name: 'task_traces',
  columns: {
    project: 'LowCardinality(String)',
    task_id: 'String',
    trace_id: 'String',
    first: "SimpleAggregateFunction(min, DateTime64(9, 'UTC'))",
    last: "SimpleAggregateFunction(max, DateTime64(9, 'UTC'))",
  },
};

/** What names that are no task's id begin with; no sender's id does. */
export const NAMES = '\u001f';
const conversation = `${NAMES}conversation:`;

/** What stands for a task id in the rows that say which traces a conversation holds; no sender's id begins so. */
export function conversationKey(conversationId: string): string {
  return `${conversation}${conversationId}`;
}

const usage = `${NAMES}usage:`;

/** Who told of calls of a session: its spans, or its log records. */
export type Teller = 'spans' | 'logs';

/**
 * What stands for a task id in the rows that say when a service told of calls of a session; their trace is the one of
 * these calls, or that of {@link loneTrace} where log records without a trace told.
 */
export function usageKey(teller: Teller, service: string, session: string): string {
  return `${usage}${teller}:${service}${NAMES}${session}`;
}

/** Service and session of such a key, null of any other. */
export function sessionOfKey(
  id: string,
): { readonly service: string; readonly session: string } | null {
  if (!id.startsWith(usage)) return null;
  const [service = '', ...session] = id.slice(id.indexOf(':', usage.length) + 1).split(NAMES);
  return { service, session: session.join(NAMES) };
}

/** What stands for a trace where log records without one name this task. */
export function loneTrace(task: string): string {
  return `${NAMES}${task}`;
}

/** The task of {@link loneTrace}, null of a trace's id. */
export function taskOfTrace(trace: string): string | null {
  return trace.startsWith(NAMES) ? trace.slice(NAMES.length) : null;
}

/** Whether a row names a task by its own id, and no key of these. */
export function isTaskId(id: string): boolean {
  return !id.startsWith(NAMES);
}

/** The conversation of such a key, null of a task's id. */
export function conversationOfKey(taskId: string): string | null {
  return taskId.startsWith(conversation) ? taskId.slice(conversation.length) : null;
}
