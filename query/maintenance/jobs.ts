/** How far a job has come, in items whose number was counted when it began. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** Work over a range of time, in nanoseconds since 1970; says in the end what it did. */
export type Work = (
  project: string,
  from: bigint,
  to: bigint,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
) => Promise<Readonly<Record<string, number>>>;

/** A job as it stands. */
export interface Job extends Progress {
  readonly job_id: string;
  readonly kind: string;
  readonly project: string;
  readonly from: Date;
  readonly to: Date;
  readonly state: 'running' | 'done' | 'failed';
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly error: string | null;
  /** What was done, by name; null while it runs. */
  readonly result: Readonly<Record<string, number>> | null;
}

/** Runs maintenance, one job at a time. */
export interface Jobs {
  /** Starts a job; null when another runs. */
  start(kind: string, project: string, from: Date, to: Date): Job | null;
  /** A job of this project; the last twenty are remembered. */
  get(project: string, id: string): Job | null;
  /** Stops the running job. What it has done stays done; it may be started again. */
  close(): Promise<void>;
}

const remembered = 20;

/** Jobs of these kinds. `report` is told of every failure. */
export function createJobs(
  kinds: Readonly<Record<string, Work>>,
  now: () => Date,
  report: (error: unknown) => void,
): Jobs {
  const jobs = new Map<string, Job>();
  const stopping = new AbortController();
  let running: Promise<void> | null = null;
  let count = 0;

  async function run(work: Work, id: string, job: Job): Promise<void> {
    let current = job;
    const become = (change: Partial<Job>) => {
      current = { ...current, ...change };
      jobs.set(id, current);
    };
    try {
      const [from, to] = [nanos(job.from), nanos(job.to)];
      const result = await work(job.project, from, to, become, stopping.signal);
      become({ state: 'done', ended_at: now(), result, done: current.total });
    } catch (error) {
      const stopped = stopping.signal.aborted;
      const why = stopped ? 'stopped with the server' : 'failed; the server has logged why';
      become({ state: 'failed', ended_at: now(), error: why });
      if (!stopped) report(error);
    }
  }

  return {
    start(kind, project, from, to) {
      const work = kinds[kind];
      if (work === undefined) throw new Error(`no job of kind ${kind}`);
      if (running !== null || stopping.signal.aborted) return null;
      count += 1;
      const started_at = now();
      const job_id = `${kind}-${started_at.getTime().toString(36)}-${count}`;
      const still = { state: 'running', ended_at: null, error: null, result: null } as const;
      const job: Job = { job_id, kind, project, from, to, started_at, done: 0, total: 0, ...still };
      jobs.set(job_id, job);
      for (const old of [...jobs.keys()].slice(0, -remembered)) jobs.delete(old);
      running = run(work, job_id, job).finally(() => {
        running = null;
      });
      return job;
    },
    get(project, id) {
      const job = jobs.get(id);
      return job?.project === project ? job : null;
    },
    async close() {
      stopping.abort();
      await running;
    },
  };
}

function nanos(time: Date): bigint {
  return BigInt(time.getTime()) * 1_000_000n;
}
