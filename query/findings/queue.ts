import { type Candidate, dueAt } from './schedule.ts';

// Memory: a candidate is some 300 bytes. Open tasks stay in the queue until they end.
export const maxQueue = 200_000;

const firstRetryMs = 1_000;
const maxRetryMs = 300_000;

/** Tasks that wait to be judged. Times are milliseconds since 1970. */
export class Queue {
  private readonly tasks = new Map<string, Candidate>();
  private readonly failures = new Map<string, { readonly times: number; readonly until: number }>();
  /** Until when a large task rests after it was judged, so that its size bounds what it costs. */
  private readonly rests = new Map<string, number>();

  get size(): number {
    return this.tasks.size;
  }

  /** Takes in what was read; a newer version of a task replaces the older one. */
  offer(tasks: readonly Candidate[]): void {
    for (const task of tasks) {
      const known = this.tasks.get(keyOf(task));
      if (known === undefined || task.ver > known.ver) this.tasks.set(keyOf(task), task);
    }
  }

  due(at: number): Candidate[] {
    for (const [key, until] of this.rests) if (until <= at) this.rests.delete(key);
    const due: Candidate[] = [];
    for (const [key, task] of this.tasks) {
      if (dueAt(task) > at || this.rests.has(key)) continue;
      if ((this.failures.get(key)?.until ?? 0) <= at) due.push(task);
    }
    return due;
  }

  /** The task was judged: it leaves, or waits for its end. A version that came meanwhile stays. */
  judged(task: Candidate, open: boolean, at: number): void {
    const key = keyOf(task);
    this.failures.delete(key);
    if (this.tasks.get(key)?.ver !== task.ver) return;
    if (open) this.tasks.set(key, { ...task, judged_open_at: at });
    else this.tasks.delete(key);
  }

  /** Judging the task took long: it is not judged again before `until`, whatever arrives. */
  rest(task: Candidate, until: number): void {
    this.rests.set(keyOf(task), until);
  }

  /** The task could not be judged: it is tried again, less and less often. */
  failed(task: Candidate, at: number): void {
    const times = (this.failures.get(keyOf(task))?.times ?? 0) + 1;
    const until = at + Math.min(firstRetryMs * 4 ** times, maxRetryMs);
    this.failures.set(keyOf(task), { times, until });
  }
}

function keyOf({ day, task_id }: Candidate): string {
  return `${day} ${task_id}`;
}
