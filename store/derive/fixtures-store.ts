import type { Store } from '../connection.ts';
import { insert } from '../insert.ts';
import { type LogRow, logs } from '../tables/logs.ts';
import { type SpanRow, spans } from '../tables/spans.ts';
import { type TaskTraceRow, taskTraces } from '../tables/task-traces.ts';
import { type TraceBoundsRow, traceBounds } from '../tables/trace-bounds.ts';
import type { Touched } from './deriver.ts';

/** Stores one batch as ingest does, and says what it touched. */
export async function putRows(
  store: Store,
  project: string,
  newSpans: readonly SpanRow[],
  newLogs: readonly LogRow[] = [],
): Promise<Touched> {
  const items = [
    ...newSpans.map((span) => ({ ...span, project, time: span.start })),
    ...newLogs.map((log) => ({ ...log, project })),
  ];
  const named = items.filter(({ task_id }) => task_id !== '');
  const traced = items.filter(({ trace_id }) => trace_id !== '');
  const when = ({ time }: { time: bigint }) => ({ first: time, last: time });
  const links = named.map((item) => {
    const { task_id, trace_id } = item;
    return { project, task_id, trace_id, ...when(item) };
  });
  const bounds = traced.map((item) => ({ project, trace_id: item.trace_id, ...when(item) }));
  await insert<TaskTraceRow>(store, taskTraces, links);
  await insert<TraceBoundsRow>(store, traceBounds, bounds);
  await insert(
    store,
    spans,
    newSpans.map((span) => ({ ...span, project })),
  );
  await insert(
    store,
    logs,
    newLogs.map((log) => ({ ...log, project })),
  );
  const lone = newLogs.filter(({ trace_id }) => trace_id === '');
  return {
    project,
    traces: [...new Set(traced.map(({ trace_id }) => trace_id))],
    tasks: [...new Set(lone.map(({ task_id }) => task_id))],
  };
}

/** The store of a process that is stopped when it has read the touched traces, before it does anything else. */
export function pausing(store: Store) {
  const gate = { reached: () => {}, open: () => {} };
  const opened = new Promise<void>((resolve) => {
    gate.open = resolve;
  });
  const paused = new Promise<void>((resolve) => {
    gate.reached = resolve;
  });
  let hasRead = false;
  const { client } = store;
  const slowClient = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return async (statement: { query: string }) => {
        const reads = /FROM (spans|logs)/.test(statement.query);
        if (hasRead && !reads) {
          gate.reached();
          await opened;
        }
        hasRead ||= reads;
        return value.call(target, statement);
      };
    },
  });
  return { slow: { ...store, client: slowClient }, paused, resume: () => gate.open() };
}

/** The store as a process sees it whose engine's clock goes wrong by so many seconds. */
export function withClockOff(store: Store, seconds: number): Store {
  const client = new Proxy(store.client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (statement: { query: string }) =>
        value.call(target, {
          ...statement,
          query: statement.query.replaceAll(
            'now64(6)',
            `(now64(6) + toIntervalSecond(${seconds}))`,
          ),
        });
    },
  });
  return { ...store, client };
}
