import type { ActiveTask } from './task-context.ts';

/** A tool call that a model asked for, waiting for the tool that runs it. */
export interface PendingCall {
  readonly id: string;
  readonly name: string;
  /** Canonical JSON of the arguments. */
  readonly arguments: string;
  /** Which answer of a model it came from. */
  readonly answer: number;
}

const maxPending = 256;

/** Keeps the calls of one answer until their tools run. */
export function rememberCalls(
  task: ActiveTask,
  calls: readonly Omit<PendingCall, 'answer'>[],
): void {
  const { pendingCalls } = task;
  const answer = (pendingCalls.at(-1)?.answer ?? 0) + 1;
  for (const call of calls) pendingCalls.push({ ...call, answer });
  if (pendingCalls.length > maxPending) pendingCalls.splice(0, pendingCalls.length - maxPending);
}

/** Takes a call whose id the application told. */
export function takeCall(task: ActiveTask, id: string): void {
  const at = task.pendingCalls.findLastIndex((call) => call.id === id);
  if (at >= 0) task.pendingCalls.splice(at, 1);
}

/**
 * The id of the call that this tool run answers: the newest answer's call with this name and equal arguments; else, when
 * the newest answer that names the tool did so once, that one (schemas fill in defaults, so arguments may differ).
 */
export function matchCall(task: ActiveTask, name: string, json: string): string | undefined {
  const named = task.pendingCalls.filter((call) => call.name === name);
  const equal = named.filter((call) => call.arguments === json);
  const newest = (equal.at(-1) ?? named.at(-1))?.answer;
  const found = (equal.length > 0 ? equal : named).filter((call) => call.answer === newest);
  const [first, second] = found;
  if (!first || (equal.length === 0 && second)) return undefined;
  task.pendingCalls.splice(task.pendingCalls.indexOf(first), 1);
  return first.id;
}
