/** What a task's row says about when to look at it. Times are milliseconds since 1970. */
export interface Candidate {
  /** Days since 1970. */
  readonly day: number;
  readonly task_id: string;
  readonly ver: bigint;
  readonly declared_state: string;
  readonly root_ended: boolean;
  readonly root_error: boolean;
  readonly tool_errors: number;
  readonly started_at: number;
  readonly last_signal_at: number;
  readonly spans: number;
  /** When this version was judged while the task was still open; null when it was not judged yet. */
  readonly judged_open_at: number | null;
}

const quietMs = 10_000;
const rootEndedMs = 30_000;
const hourMs = 3_600_000;
const recheckMs = 600_000;

/** Silence after which an open task is taken for abandoned, as the view of tasks has it by default. */
function abandonedAfter({ declared_state }: Candidate): number {
  if (declared_state === 'queued') return 24 * hourMs;
  return declared_state === 'waiting_for_approval' ? 7 * 24 * hourMs : hourMs;
}

/**
 * When the findings of a task are due (BEHAVIOUR: ended, or quiet for 10 s; then once more at its end by silence).
 * The silence of an open task is measured by its row's version, the time at which its last data was stored.
 */
export function dueAt(task: Candidate): number {
  const stored = Number(task.ver / 1000n);
  if (['done', 'failed', 'cancelled'].includes(task.declared_state)) return stored;
  if (task.judged_open_at === null) return stored + quietMs;
  const silent = task.root_ended && ['', 'running'].includes(task.declared_state);
  // One millisecond more: the view asks for longer than.
  const end = task.last_signal_at + (silent ? rootEndedMs : abandonedAfter(task)) + 1;
  // Its workflow may have a longer patience: then it is looked at again from time to time.
  return end > task.judged_open_at ? end : task.judged_open_at + recheckMs;
}

/** What failed is judged first. */
export function isUrgent(task: Candidate): boolean {
  return task.declared_state === 'failed' || task.root_error || task.tool_errors > 0;
}

/** How much is loaded and judged at once. */
export interface SliceBounds {
  readonly tasks: number;
  readonly spans: number;
}

/**
 * The next tasks to judge: the failed ones first, then in order of their start; at most so many, and only of one UTC
 * day, so that one read serves them all. A task larger than the bound comes alone.
 */
export function nextSlice(due: readonly Candidate[], bounds: SliceBounds): Candidate[] {
  const ordered = due.toSorted(inOrder);
  const [first] = ordered;
  const slice: Candidate[] = [];
  let spans = 0;
  for (const task of ordered) {
    if (task.day !== first?.day || slice.length === bounds.tasks) break;
    if (slice.length > 0 && spans + task.spans > bounds.spans) break;
    slice.push(task);
    spans += task.spans;
  }
  return slice;
}

function inOrder(a: Candidate, b: Candidate): number {
  const urgent = Number(isUrgent(b)) - Number(isUrgent(a));
  if (urgent !== 0) return urgent;
  return a.day - b.day || a.started_at - b.started_at || (a.task_id < b.task_id ? -1 : 1);
}

/**
 * Whether a task of a day that is over must wait because earlier days are still arriving (a backfill): what is learnt
 * of them would be half of it. No longer than `maxWaitMs`.
 */
export function waitsForEarlierDays(
  task: Candidate,
  today: number,
  lastArrival: (beforeDay: number) => number,
  now: number,
): boolean {
  if (task.day >= today || now - Number(task.ver / 1000n) > maxWaitMs) return false;
  return now - lastArrival(task.day) < settleMs;
}

const settleMs = 3_000;
const maxWaitMs = 60_000;
