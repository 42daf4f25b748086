import type { Call } from './calls.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Member } from './parts.ts';
import { compareText, compareTime } from './trace.ts';

/** What the spans alone say about the end of a task (BEHAVIOUR §1.6). */
export interface Ending {
  /** Every trace of the task has its root, all of its spans have ended, and it has not gone on since. */
  readonly rootEnded: boolean;
  /** The root that ended last ended in error. */
  readonly rootError: boolean;
  readonly rootMessage: string;
  /** When the task ended by its own word, else by its roots; null while it has not, also while it waits or is queued. */
  readonly endedAt: bigint | null;
}

/**
 * A task known by log records or metrics alone has no root that could end: its last word counts as its end, which
 * another one puts off.
 */
export function endingWithoutSpans(calls: readonly Call[], lastSignalAt: bigint): Ending {
  const last = calls.at(-1);
  return {
    rootEnded: calls.length > 0,
    rootError: last !== undefined && last.kind !== 'tool' && last.errorBy !== '',
    rootMessage: last?.span.error_message ?? '',
    endedAt: calls.length > 0 ? lastSignalAt : null,
  };
}

/** Concludes how a task ended. A span whose parent is missing is no root: the parent is still running. */
export function endingOf(members: readonly Member[], life: Lifecycle): Ending {
  const last = members
    .filter(({ root }) => root)
    .map(({ span }) => span)
    .sort((a, b) => compareTime(a.end, b.end) || compareText(a.span_id, b.span_id))
    .at(-1);
  const traces = new Set(members.map(({ span }) => span.trace_id));
  const rooted = new Set(members.filter(({ root }) => root).map(({ span }) => span.trace_id));
  const rootEnded =
    last !== undefined &&
    rooted.size === traces.size &&
    members.every(({ span }) => span.end > 0n) &&
    (life.runningSince === null || last.end >= life.runningSince);
  const pending = life.state === 'waiting_for_approval' || life.state === 'queued';
  return {
    rootEnded,
    rootError: last?.status === 'error',
    rootMessage: last === undefined ? '' : last.error_message || last.status_message,
    endedAt: life.endedAt ?? (rootEnded && !pending ? last.end : null),
  };
}
