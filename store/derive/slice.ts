import type { Store } from '../connection.ts';
import { type Block, encode, insert, insertBlocks } from '../insert.ts';
import { taskDays } from '../tables/task-days.ts';
import { conversationOfKey, isTaskId } from '../tables/task-traces.ts';
import type { TaskRow } from '../tables/tasks.ts';
import { beginsTask } from './attribution.ts';
import { readLone, tasksBeside } from './beside.ts';
import { type Boundaries, readBoundaries, segmentId, spanTaskId } from './boundaries.ts';
import { contentHash, hashedTasks } from './content-hash.ts';
import { startOf } from './log-calls.ts';
import {
  type Items,
  joinItems,
  readBounds,
  readTaskDays,
  readTaskTraces,
  readTraces,
  readTraceTasks,
} from './read.ts';
import type { Recent } from './recent.ts';
import { dayOf, derivingTasks } from './task.ts';
import { tombstone } from './tombstone.ts';
import { inTurns, type Turns } from './turns.ts';
import { readTwins } from './twins.ts';
import { takeVersion } from './version.ts';
import type { Bounds } from './windows.ts';

/**
 * Traces derived together; with 30 spans each some 60,000 spans. Ids are random, so that a read of a few traces of a
 * minute goes through most of that minute: one read of many costs little more.
 */
export const SLICE = 2048;

/** What was derived from one reading, not yet written. */
export interface Derivation {
  readonly project: string;
  readonly ver: bigint;
  /** Every id that a row may have to be withdrawn from: own ids of the traces, and the traces' ids. */
  readonly candidates: ReadonlySet<string>;
  /** By task id; a candidate without telemetry has none. */
  readonly rows: ReadonlyMap<string, TaskRow>;
  /** See {@link possibleDays}. */
  readonly possible: (task: string) => ReadonlySet<number>;
}

/** Cuts a list into slices. */
export function* slices<T>(items: readonly T[], size = SLICE): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

/**
 * The protocol of DESIGN §4. Its order is what makes it exact: version, then read, then days, then rows. What is `recent`
 * is not read where the store, asked after the version was taken, has it as it is there.
 */
export async function deriveSlice(
  store: Store,
  project: string,
  given: readonly string[],
  named: readonly string[],
  recent?: Recent,
): Promise<Derivation> {
  const ver = await takeVersion(store);
  const itemsOf = (traces: ReadonlyMap<string, Bounds>) =>
    readTraces(store, project, traces, { recent });
  const bounds = await readBounds(store, project, given);
  const changed = await itemsOf(bounds);
  // What a caller and its gateway both tell counts once: what came to one may change the task of the other.
  const twins = await readTwins(store, project, changed.spans);
  const traces = [...given, ...twins];
  const touched = joinItems([changed, await itemsOf(await readBounds(store, project, twins))]);
  const boundaries = await readBoundaries(store);
  const own = await readTraceTasks(store, project, traces);
  const beside = await tasksBeside(store, project, own, bounds);
  const ids = new Set([...traces, ...named, ...own.filter(isTaskId), ...beside]);
  const talks = boundaries.conversations ? own.filter((id) => conversationOfKey(id) !== null) : [];
  const linked = await readTaskTraces(store, project, [...ids, ...talks]);

  const seen = new Set(traces);
  // A task may be named by the id of a trace: every candidate may be one.
  const others = new Set([...linked.map(({ trace }) => trace), ...ids]);
  const further = [...others].filter((trace) => trace !== '' && !seen.has(trace));
  const more = await itemsOf(await readBounds(store, project, further));
  const read = new Set([...seen, ...further]);
  // Those of `changed` are here already.
  const unasked = twins.length === 0 ? more.spans : [...touched.spans, ...more.spans];
  const witnesses = (await readTwins(store, project, unasked)).filter((trace) => !read.has(trace));
  const items = joinItems([
    touched,
    more,
    await itemsOf(await readBounds(store, project, witnesses)),
    await readLone(store, project, loneBounds(linked)),
  ]);

  const candidates = new Set([...ids, ...boundaryIds(items, linked, boundaries)]);
  const rows = new Map<string, TaskRow>();
  for (const task of await inTurns(derivingTasks(items.spans, items.logs, boundaries))) {
    if (candidates.has(task.task_id)) rows.set(task.task_id, { ...task, ver, deleted: 0 });
  }
  return { project, ver, candidates, rows, possible: possibleDays(items, linked) };
}

/** Ids that tasks without one of their own can have, or had when fewer spans were there. */
function* boundaryIds(
  { spans }: Items,
  linked: readonly { task: string; trace: string }[],
  boundaries: Boundaries,
): Iterable<string> {
  for (const { task, trace } of linked) {
    const conversation = conversationOfKey(task);
    if (conversation === null) continue;
    yield trace;
    yield segmentId(conversation, trace);
  }
  const workflows = new Map<string, string>();
  for (const { trace_id, workflow } of spans) if (workflow) workflows.set(trace_id, workflow);
  for (const span of spans) {
    const boundary = boundaries.of(workflows.get(span.trace_id) ?? '');
    if (boundary.by !== 'span' || !beginsTask(span, boundary.match)) continue;
    yield spanTaskId(span.trace_id, span.span_id);
  }
}

function loneBounds(
  linked: readonly { task: string; trace: string; bounds: Bounds }[],
): Map<string, Bounds> {
  const lone = linked.filter(({ trace }) => trace === '');
  return new Map(lone.map(({ task, bounds }) => [task, bounds]));
}

/**
 * Days under which another process may just now be writing a row of the task: a row derived from fewer items begins at
 * the start of one of the items that are there.
 */
function possibleDays(
  items: Items,
  linked: readonly { task: string; trace: string }[],
): (task: string) => Set<number> {
  const ofTrace = new Map<string, Set<number>>();
  const add = (key: string, time: bigint) => {
    const days = ofTrace.get(key);
    if (days === undefined) ofTrace.set(key, new Set([dayOf(time)]));
    else days.add(dayOf(time));
  };
  for (const { trace_id, start } of items.spans) add(trace_id, start);
  for (const log of items.logs) {
    const key = log.trace_id || `lone ${log.task_id}`;
    add(key, log.time);
    add(key, startOf(log));
  }
  const tracesOf = new Map<string, string[]>();
  for (const { task, trace } of linked) {
    const known = tracesOf.get(task);
    if (known === undefined) tracesOf.set(task, [trace]);
    else known.push(trace);
  }
  return (task) => {
    const keys = [task, traceOfId(task), `lone ${task}`, ...(tracesOf.get(task) ?? [])];
    return new Set(keys.flatMap((key) => [...(ofTrace.get(key) ?? [])]));
  };
}

/** The trace in the id of a task that begins with a span or with a trace of a conversation. */
function traceOfId(task: string): string {
  const [head = ''] = task.split(':', 1);
  const tail = task.slice(task.lastIndexOf(':') + 1);
  return /^[0-9a-f]{32}$/.test(tail) ? tail : head;
}

/** Writes the rows, and withdraws every candidate from all other days. */
export async function writeSlice(store: Store, derivation: Derivation): Promise<void> {
  const { project, ver, candidates, rows, possible } = derivation;
  const known = await readTaskDays(store, project, [...candidates]);
  const output: TaskRow[] = [];
  const days: { project: string; task_id: string; day: number }[] = [];
  for (const task_id of candidates) {
    const row = rows.get(task_id);
    const stale = new Set([...(known.get(task_id) ?? []), ...possible(task_id)]);
    if (row !== undefined) {
      output.push(row);
      stale.delete(row.day);
      if (known.get(task_id)?.has(row.day) !== true) days.push({ project, task_id, day: row.day });
    }
    for (const day of stale) output.push(tombstone(project, task_id, day, ver));
  }
  // Days first: whoever withdraws a row must find the day under which it may lie.
  await insert(store, taskDays, days);
  await insertBlocks(store, hashedTasks, await inTurns(encoding(output)));
}

/** Some milliseconds each. */
const ROWS_OF_BLOCK = 128;

function* encoding(rows: TaskRow[]): Turns<Block[]> {
  const blocks: Block[] = [];
  rows.sort((a, b) => a.day - b.day);
  for (let at = 0; at < rows.length; at += ROWS_OF_BLOCK) {
    const some = rows.slice(at, at + ROWS_OF_BLOCK);
    const hashed = some.map((row) => ({ ...row, content_hash: contentHash(row) }));
    blocks.push(...encode(hashedTasks, hashed));
    yield;
  }
  return blocks;
}
