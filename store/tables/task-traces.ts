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

const conversation = '\u001fconversation:';

/** What stands for a task id in the rows that say which traces a conversation holds; no sender's id begins so. */
export function conversationKey(conversationId: string): string {
  return `${conversation}${conversationId}`;
}

/** The conversation of such a key, null of a task's id. */
export function conversationOfKey(taskId: string): string | null {
  return taskId.startsWith(conversation) ? taskId.slice(conversation.length) : null;
}
