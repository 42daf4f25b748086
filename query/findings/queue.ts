import { type Candidate, dueAt } from './schedule.ts';

// Memory: a candidate is some 300 bytes. Open tasks stay in the queue until they end.
export const maxQueue = 200_000;

const firstRetryMs = 1_000;
const maxRetryMs = 300_000;

interface Waiting {
  readonly task: Candidate;
  readonly dueAt: number;
}

/** Tasks that wait to be judged. Times are milliseconds since 1970. */
export class Queue {
  private readonly tasks = new Map<string, Waiting>();
  private readonly failures = new Map<string, { readonly times: number; readonly until: number }>();
  /** Until when a large task rests after it was judged, so that its size bounds what it costs. */
  private readonly rests = new Map<string, number>();

  get size(): number {
    return this.tasks.size;
  }

  /** Takes in what was read; a newer version of a task replaces the older one. */
  offer(tasks: readonly Candidate[]): void {
    for (const task of tasks) {
      const key = keyOf(task);
      const known = this.tasks.get(key)?.task;
      if (known === undefined || task.ver > known.ver) this.put(key, task);
    }
  }

  due(at: number): Candidate[] {
    const due: Candidate[] = [];
    this.eachDue(at, (task) => due.push(task));
    return due;
  }

  /** How many are due: asked for by every scrape, so that nothing is made for it. */
  countDue(at: number): number {
    let count = 0;
    this.eachDue(at, () => {
      count += 1;
    });
    return count;
  }

  private eachDue(at: number, take: (task: Candidate) => void): void {
    this.rests.forEach((until, key) => {
      if (until <= at) this.rests.delete(key);
    });
    this.tasks.forEach(({ task, dueAt: due }, key) => {
      if (due > at || this.rests.has(key)) return;
      if ((this.failures.get(key)?.until ?? 0) <= at) take(task);
    });
  }

  private put(key: string, task: Candidate): void {
    this.tasks.set(key, { task, dueAt: dueAt(task) });
  }

  /** The task was judged: it leaves, or waits for its end. A version that came meanwhile stays. */
  judged(task: Candidate, open: boolean, at: number): void {
    const key = keyOf(task);
    this.failures.delete(key);
    if (this.tasks.get(key)?.task.ver !== task.ver) return;
    if (open) this.put(key, { ...task, judged_open_at: at });
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
