import type { Audit, Audited } from './audit.ts';

/** What the audits did since the start of the process. */
export interface AuditStats {
  readonly runs: number;
  readonly skipped: number;
  readonly failures: number;
  readonly tasks: number;
  readonly mismatches: number;
  readonly lastSeconds: number;
  /** Seconds since 1970; null before the first. */
  readonly lastAt: number | null;
  readonly lastNightAt: number | null;
}

export interface AuditClock {
  stats(): AuditStats;
  close(): Promise<void>;
}

export interface AuditClockOptions {
  readonly report: (problem: unknown) => void;
  /** Between audits of what is recent. Default one minute. */
  readonly everyMs?: number;
  /** Hour (UTC) of the audit of everything. Default 3. */
  readonly nightHour?: number;
}

const DAY_MS = 86_400_000;

/** Runs an audit each minute, and over everything each night, until it is closed. */
export function startAuditClock(audit: Audit, options: AuditClockOptions): AuditClock {
  const { report, everyMs = 60_000, nightHour = 3 } = options;
  const stopping = new AbortController();
  let stats: AuditStats = {
    runs: 0,
    skipped: 0,
    failures: 0,
    tasks: 0,
    mismatches: 0,
    lastSeconds: 0,
    lastAt: null,
    lastNightAt: null,
  };
  // The night that a start falls into is not made up for: restarts would add up.
  let night = nightOf(Date.now(), nightHour);
  let running: Promise<void> = Promise.resolve();

  async function run(work: () => Promise<Audited>): Promise<void> {
    const start = performance.now();
    try {
      const { tasks, mismatches, skipped } = await work();
      stats = {
        ...stats,
        runs: stats.runs + 1,
        skipped: stats.skipped + (skipped === null ? 0 : 1),
        tasks: stats.tasks + tasks,
        mismatches: stats.mismatches + mismatches,
        lastSeconds: (performance.now() - start) / 1000,
        lastAt: Date.now() / 1000,
      };
    } catch (error) {
      stats = { ...stats, failures: stats.failures + 1 };
      if (!stopping.signal.aborted) report(error);
    }
  }

  async function tick(): Promise<void> {
    await run(() => audit.recent());
    const tonight = nightOf(Date.now(), nightHour);
    if (tonight === night || stopping.signal.aborted) return;
    night = tonight;
    await run(() => audit.all(stopping.signal));
    stats = { ...stats, lastNightAt: Date.now() / 1000 };
  }

  let timer = setTimeout(next, everyMs);
  timer.unref();
  function next(): void {
    running = tick().then(() => {
      if (stopping.signal.aborted) return;
      timer = setTimeout(next, everyMs);
      timer.unref();
    });
  }

  return {
    stats: () => stats,
    async close() {
      stopping.abort();
      clearTimeout(timer);
      await running;
    },
  };
}

function nightOf(now: number, hour: number): number {
  return Math.floor((now - hour * 3_600_000) / DAY_MS);
}

/** For Prometheus; the same shape as every other metric here. */
export function auditMetrics(stats: AuditStats) {
  const metric = (type: 'counter' | 'gauge', name: string, help: string, value: number | null) => ({
    name: `plumbline_audit_${name}`,
    help,
    type,
    samples: [{ value }],
  });
  return [
    metric('counter', 'runs_total', 'Audits of derived tasks.', stats.runs),
    metric('counter', 'skipped_total', 'Audits put off because ingest lagged.', stats.skipped),
    metric('counter', 'failures_total', 'Audits that the store did not answer.', stats.failures),
    metric('counter', 'tasks_total', 'Tasks derived a second time.', stats.tasks),
    metric(
      'counter',
      'mismatches_total',
      'Tasks whose stored row was not what their telemetry says; each was set right.',
      stats.mismatches,
    ),
    metric('gauge', 'last_seconds', 'Duration of the last audit.', stats.lastSeconds),
    metric('gauge', 'last_timestamp_seconds', 'When the last audit ended.', stats.lastAt),
    metric('gauge', 'last_night_timestamp_seconds', 'Last audit of everything.', stats.lastNightAt),
  ];
}
