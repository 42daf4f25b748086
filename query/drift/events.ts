import type { Seen } from './read.ts';

/** A category that came or went between the windows. */
export interface DriftEvent {
  readonly workflow: string | null;
  readonly kind: Seen['kind'];
  readonly value: string;
  readonly change: 'new' | 'vanished';
  readonly first_seen: string;
  readonly last_seen: string;
  readonly tasks_reference: number;
  readonly tasks_current: number;
  /** Share of the tasks of the window in which it occurs. */
  readonly share_ratio: number;
  /** Chance to see none of it in the other window if nothing had changed. */
  readonly p: number;
}

const SHARE_MIN = 0.005;
const P_MAX = 1e-6;

/**
 * Values that occur in one window only. A new configuration value is an event by itself; a tool, and anything that
 * vanished, must have been common enough for its absence to mean something.
 */
export function eventsOf(
  seen: readonly Seen[],
  tasks: { readonly reference: number; readonly current: number },
): DriftEvent[] {
  if (tasks.reference === 0 || tasks.current === 0) return [];
  return seen.flatMap((entry) => {
    if (entry.reference > 0 === entry.current > 0) return [];
    const fresh = entry.reference === 0;
    const share = fresh ? entry.current / tasks.current : entry.reference / tasks.reference;
    const others = fresh ? tasks.reference : tasks.current;
    const p = Math.min(1, (1 - Math.min(1, share)) ** others);
    const declared = fresh && entry.kind !== 'tool';
    if (!declared && (share < SHARE_MIN || p >= P_MAX)) return [];
    return [
      {
        workflow: entry.workflow === '' ? null : entry.workflow,
        kind: entry.kind,
        value: entry.value,
        change: fresh ? 'new' : 'vanished',
        first_seen: new Date(entry.first).toISOString(),
        last_seen: new Date(entry.last).toISOString(),
        tasks_reference: entry.reference,
        tasks_current: entry.current,
        share_ratio: share,
        p,
      } as const,
    ];
  });
}
