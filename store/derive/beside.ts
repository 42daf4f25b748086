import type { Store } from '../connection.ts';
import { isTaskId, sessionOfKey, taskOfTrace, usageKey } from '../tables/task-traces.ts';
import { isMetered, startOf, usageSum } from './log-calls.ts';
import { readMetricUsage } from './metric-usage.ts';
import { type Items, readLoneLogs, readTaskTraces } from './read.ts';
import type { TaskLog } from './telemetry.ts';
import type { Bounds } from './windows.ts';

// Clocks of one machine and one call, told twice.
const SLACK_NS = 2_000_000_000n;
/** How long a call may have taken that does not say. */
const LONGEST_NS = 600_000_000_000n;

/**
 * Tasks beside the ones that traces name, from the names seen on these traces: sessions that metrics may have made a
 * task of, and tasks whose log records, without a trace, may tell of the calls of these traces. They have to be derived
 * again, as what a trace tells goes before what they tell.
 */
export async function tasksBeside(
  store: Store,
  project: string,
  names: readonly string[],
  traces: ReadonlyMap<string, Bounds>,
): Promise<string[]> {
  const keys = names.filter((name) => !isTaskId(name));
  const places = keys.map(sessionOfKey).filter((place) => place !== null);
  if (places.length === 0) return [];
  const logKeys = places.map(({ service, session }) => usageKey('logs', service, session));
  const linked = await readTaskTraces(store, project, [...new Set(logKeys)]);
  const near = [...traces.values()];
  const tasks = linked.flatMap(({ trace, bounds: { first, last } }) => {
    const task = taskOfTrace(trace);
    const touches = near.some(
      (one) => first - LONGEST_NS <= one.last && last + LONGEST_NS >= one.first,
    );
    return task !== null && touches ? [task] : [];
  });
  return [...places.map(({ session }) => session), ...tasks];
}

/**
 * What these tasks have outside any trace: log records, and the sums of metrics. Of a session's calls only what no span
 * of its service tells, and of its metrics only what neither spans nor records do.
 */
export async function readLone(
  store: Store,
  project: string,
  tasks: ReadonlyMap<string, Bounds>,
): Promise<Items> {
  if (tasks.size === 0) return { spans: [], logs: [] };
  const { logs } = await readLoneLogs(store, project, tasks);
  const sums = await readMetricUsage(store, project, tasks);
  const told = await readTold(store, project, [...logs.filter(isMetered), ...sums]);
  const bySpans = ({ service, conversation_id }: TaskLog) =>
    told.get(usageKey('spans', service, conversation_id)) ?? [];
  const byLogs = ({ service, conversation_id }: TaskLog) =>
    told.get(usageKey('logs', service, conversation_id)) ?? [];
  return {
    spans: [],
    logs: [
      ...logs.map((log) =>
        isMetered(log) && bySpans(log).some((bounds) => lies(log, bounds))
          ? { ...log, kind: '' }
          : log,
      ),
      ...sums.filter((sum) => bySpans(sum).length === 0 && byLogs(sum).length === 0),
    ],
  };
}

/** Whether the call lies among those that began within these bounds. */
function lies(log: TaskLog, { first, last }: Bounds): boolean {
  const start = log.duration_ms === null ? log.time - LONGEST_NS : startOf(log);
  return start <= last + SLACK_NS && log.time >= first - SLACK_NS;
}

/** When spans and log records told of calls of the sessions of these records. */
async function readTold(
  store: Store,
  project: string,
  records: readonly TaskLog[],
): Promise<Map<string, Bounds[]>> {
  const keys = new Set<string>();
  for (const { kind, service, conversation_id } of records) {
    if (conversation_id === '') continue;
    keys.add(usageKey('spans', service, conversation_id));
    if (kind === usageSum) keys.add(usageKey('logs', service, conversation_id));
  }
  const told = new Map<string, Bounds[]>();
  for (const { task, bounds } of await readTaskTraces(store, project, [...keys])) {
    told.set(task, [...(told.get(task) ?? []), bounds]);
  }
  return told;
}
