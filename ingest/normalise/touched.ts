import {
  conversationKey,
  loneTrace,
  type TaskTraceRow,
  type Teller,
  usageKey,
} from '../../store/tables/task-traces.ts';
import type { TraceBoundsRow } from '../../store/tables/trace-bounds.ts';

/** Collects which tasks and traces a request touches, with the first and last start time on each. */
export interface Touched {
  /** Notes an item; an item without a trace bounds no trace, one without a task names none. */
  note(taskId: string, traceId: string, time: bigint): void;
  /** Notes a conversation on an item without a task id: its workflow's tasks may be conversations. */
  noteConversation(conversationId: string, traceId: string, time: bigint): void;
  /** Notes a call of an agent that tells of its calls in several signals. */
  noteCall(by: Teller, of: CallPlace, time: bigint): void;
  rows(): { readonly taskTraces: TaskTraceRow[]; readonly bounds: TraceBoundsRow[] };
}

/** Where a call was told of. */
export interface CallPlace {
  readonly service: string;
  readonly conversation_id: string;
  readonly trace_id: string;
  readonly task_id: string;
}

interface Range {
  first: bigint;
  last: bigint;
}

function widen(ranges: Map<string, Range>, key: string, time: bigint): void {
  const range = ranges.get(key);
  if (range === undefined) ranges.set(key, { first: time, last: time });
  else if (time < range.first) range.first = time;
  else if (time > range.last) range.last = time;
}

/** An empty collection for one project. */
export function createTouched(project: string): Touched {
  const traces = new Map<string, Range>();
  const tasks = new Map<string, Map<string, Range>>();
  const link = (id: string, traceId: string, time: bigint) => {
    let own = tasks.get(id);
    if (own === undefined) {
      own = new Map();
      tasks.set(id, own);
    }
    widen(own, traceId, time);
  };
  return {
    note: (taskId, traceId, time) => {
      if (traceId !== '') widen(traces, traceId, time);
      if (taskId !== '') link(taskId, traceId, time);
    },
    noteConversation: (conversationId, traceId, time) => {
      if (conversationId !== '' && traceId !== '') {
        link(conversationKey(conversationId), traceId, time);
      }
    },
    noteCall: (by, { service, conversation_id, trace_id, task_id }, time) => {
      if (conversation_id === '') return;
      link(usageKey(by, service, conversation_id), trace_id || loneTrace(task_id), time);
      // Metrics of the session may have made a task of it.
      if (trace_id === '') link(conversation_id, '', time);
    },
    rows: () => ({
      taskTraces: [...tasks].flatMap(([task_id, own]) =>
        [...own].map(([trace_id, range]) => ({ project, task_id, trace_id, ...range })),
      ),
      bounds: [...traces].map(([trace_id, range]) => ({ project, trace_id, ...range })),
    }),
  };
}
