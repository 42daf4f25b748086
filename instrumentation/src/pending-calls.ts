import type { Context } from '@opentelemetry/api';
import { runtime } from './runtime.ts';
import { type ActiveTask, activeTask } from './task-context.ts';

/** A tool call that a model asked for, waiting for the tool that runs it. */
export interface PendingCall {
  readonly id: string;
  readonly name: string;
  /** Canonical JSON of the arguments. */
  readonly arguments: string;
  /** As the model wrote them. */
  readonly written: string;
  /** Whether they fit the schema that was offered; unknown without one. */
  readonly valid?: boolean | undefined;
  /** Which answer of a model it came from. */
  readonly answer: number;
  /** When the answer was complete, in ms of the wall clock. */
  readonly askedAt: number;
  /** Of the model call that asked. */
  readonly context: Context;
}

const maxPending = 256;

/** Where calls wait: with their task, or, where there is none, with the process. */
function waiting(task: ActiveTask | undefined): PendingCall[] {
  return task?.pendingCalls ?? (runtime().strayCalls as PendingCall[]);
}

/** Keeps the calls of one answer until their tools run. */
export function rememberCalls(
  task: ActiveTask | undefined,
  calls: readonly Omit<PendingCall, 'answer'>[],
): void {
  const pending = waiting(task);
  const answer = (pending.at(-1)?.answer ?? 0) + 1;
  for (const call of calls) pending.push({ ...call, answer });
  if (pending.length > maxPending) pending.splice(0, pending.length - maxPending);
}

/** Takes a call by its id, if it still waits. */
export function takeCall(task: ActiveTask | undefined, id: string): PendingCall | undefined {
  if (id === '') return undefined;
  const pending = waiting(task);
  const at = pending.findLastIndex((call) => call.id === id);
  return at >= 0 ? pending.splice(at, 1)[0] : undefined;
}

/** Takes the oldest waiting call of an API without call ids, where a result names its tool instead. */
export function takeNamed(task: ActiveTask | undefined, name: string): PendingCall | undefined {
  const pending = waiting(task);
  const at = pending.findIndex((call) => call.id === '' && call.name === name);
  return at >= 0 ? pending.splice(at, 1)[0] : undefined;
}

/** A waiting call of the active task, or of none, by its id. */
export function findCall(id: string): PendingCall | undefined {
  const waits = [...waiting(activeTask()), ...waiting(undefined)];
  return waits.findLast((call) => call.id === id);
}

/** Takes a call of any task by its id: spans that end know their task's id only. */
export function forgetCall(id: string): void {
  takeCall(activeTask(), id);
  takeCall(undefined, id);
}

/** Whether any call waits: without, nobody needs to look for results. */
export function hasPending(task: ActiveTask | undefined): boolean {
  return waiting(task).length > 0;
}

/**
 * The call that this tool run answers, taken: the newest answer's call with this name and equal arguments; else, when
 * the newest answer that names the tool did so once, that one (schemas fill in defaults, so arguments may differ).
 */
export function matchCall(
  task: ActiveTask | undefined,
  name: string,
  json: string,
): PendingCall | undefined {
  const pending = waiting(task);
  const named = pending.filter((call) => call.name === name);
  const equal = named.filter((call) => call.arguments === json);
  const newest = (equal.at(-1) ?? named.at(-1))?.answer;
  const found = (equal.length > 0 ? equal : named).filter((call) => call.answer === newest);
  const [first, second] = found;
  // Outside a task, calls of others may wait too: only an equal one is surely meant.
  if (!first || (equal.length === 0 && (second || !task))) return undefined;
  pending.splice(pending.indexOf(first), 1);
  return first;
}
