import { setTimeout as sleep } from 'node:timers/promises';
import type { Store } from '../../store/connection.ts';
import { takeVersion } from '../../store/derive/version.ts';
import { insert } from '../../store/insert.ts';
import { type TaskFindingsRow, taskFindings } from '../../store/tables/task-findings.ts';
import type { LoadedTask } from '../decisions/load.ts';
import type { Metric } from '../operations/metrics.ts';
import { backgroundsOf } from './backgrounds.ts';
import { readCandidates } from './candidates.ts';
import { findingsRow, type Judged, judgeTask } from './judge.ts';
import { createLearning, type Learning } from './learning.ts';
import { loadTasks } from './load.ts';
import { findingsGauges, type PassState } from './metrics.ts';
import { maxQueue, Queue } from './queue.ts';
import { type Candidate, nextSlice, waitsForEarlierDays } from './schedule.ts';
import { type FindingsSettings, rulesFingerprint } from './settings.ts';

export interface WorkerOptions {
  readonly store: Store;
  readonly project: string;
  readonly settings: FindingsSettings;
  readonly now: () => Date;
  /** Gets every task with what it was judged to be. */
  readonly onJudged: (project: string, task: LoadedTask, judged: Judged) => void;
  readonly report: (error: unknown) => void;
}

const maxRows = 50_000;
const bounds = { tasks: 500, spans: 10_000 };
// Rows may be written after one with a greater version.
const overlapUs = 60_000_000n;
// Halvings that find two bad tasks among 500; with more the trouble is not theirs.
const maxTroubles = 18;
const gaugesEveryMs = 30_000;
// What is older was judged when it was young, or is past retention.
const startDays = 31n;

/** The pass over one project. Its methods are called one after the other. */
export class Worker {
  private readonly options: WorkerOptions;
  private readonly rules: number;
  private readonly learning: Learning;
  private readonly queue = new Queue();
  private since: bigint;
  private judged = 0;
  private failed = 0;
  private gauges: readonly Metric[] = [];
  private gaugesAt = 0;

  constructor(options: WorkerOptions) {
    this.options = options;
    this.rules = rulesFingerprint(options.settings);
    this.learning = createLearning(options.store, options.project, options.now);
    const start = BigInt(options.now().getTime()) * 1000n - startDays * 86_400_000_000n;
    this.since = start > 0n ? start : 0n;
  }

  /** Looks for changed rows, then judges one slice. Returns whether there was anything to judge. */
  async step(stopped: AbortSignal): Promise<boolean> {
    await this.look();
    const slice = nextSlice(this.due(), bounds);
    if (slice.length === 0) {
      await this.refreshGauges();
      return false;
    }
    const begun = performance.now();
    await this.learning.before(slice[0]?.day ?? 0);
    await this.judgeOrSplit(slice);
    // As much rest as work: answers and the derivation come first.
    const rest = Math.min(performance.now() - begun, 1_000);
    await sleep(rest, undefined, { signal: stopped }).catch(() => {});
    return true;
  }

  /** Tasks that are due. */
  due(): Candidate[] {
    const at = this.options.now().getTime();
    const today = Math.floor(at / 86_400_000);
    const { lastArrival } = this.learning;
    return this.queue.due(at).filter((task) => !waitsForEarlierDays(task, today, lastArrival, at));
  }

  /** Tasks that are due, or would be if earlier days were not still arriving. */
  backlog(): number {
    return this.queue.countDue(this.options.now().getTime());
  }

  state(): PassState {
    const { judged, failed, gauges } = this;
    const { project } = this.options;
    return { project, waiting: this.queue.size, backlog: this.backlog(), judged, failed, gauges };
  }

  private async look(): Promise<void> {
    if (this.queue.size >= maxQueue) return;
    const { store, project } = this.options;
    const rows = await readCandidates(store, project, this.since, this.rules, maxRows);
    this.queue.offer(rows);
    await this.learning.saw(rows);
    // A full answer hides older rows: they are asked for again once these are done.
    if (rows.length === maxRows) return;
    const newest = rows.reduce((most, { ver }) => (ver > most ? ver : most), 0n);
    if (newest - overlapUs > this.since) this.since = newest - overlapUs;
  }

  /** One task that cannot be judged must not hold up the others: the slice is halved until it is found. */
  private async judgeOrSplit(slice: readonly Candidate[]): Promise<void> {
    const parts = [slice];
    let troubles = 0;
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      try {
        await this.judge(part);
      } catch (error) {
        const middle = part.length >> 1;
        if (part.length > 1 && ++troubles < maxTroubles) {
          parts.push(part.slice(middle), part.slice(0, middle));
        } else this.giveUp(part, error);
      }
    }
  }

  private giveUp(tasks: readonly Candidate[], error: unknown): void {
    const { now, report } = this.options;
    this.failed += tasks.length;
    for (const task of tasks) this.queue.failed(task, now().getTime());
    const why = error instanceof Error ? error.message : String(error);
    report(new Error(`the findings of ${tasks.length} tasks failed: ${why}`, { cause: error }));
  }

  private async judge(slice: readonly Candidate[]): Promise<void> {
    const { store, project, settings, now } = this.options;
    const begun = performance.now();
    const ver = await takeVersion(store);
    const tasks = await loadTasks(store, project, slice, now());
    const backgrounds = await backgroundsOf(store, project, tasks, settings);
    const versions = new Map(slice.map(({ task_id, ver: own }) => [task_id, own]));
    const rows: TaskFindingsRow[] = [];
    for (const [i, task] of tasks.entries()) {
      const background = backgrounds[i];
      if (background === undefined) continue;
      const task_ver = versions.get(task.row.task_id) ?? 0n;
      const identity = { project, day: task.day, ver, task_ver, rules: this.rules };
      const judged = judgeTask(task.evidence, background, settings);
      rows.push(findingsRow(judged, identity));
      this.options.onJudged(project, task, judged);
      // Requests are served in between.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await insert(store, taskFindings, rows);
    const open = new Set(rows.filter(({ ended }) => ended === 0).map(({ task_id }) => task_id));
    const at = now().getTime();
    for (const task of slice) this.queue.judged(task, open.has(task.task_id), at);
    this.judged += rows.length;
    const took = performance.now() - begun;
    const [only] = slice;
    // BEHAVIOUR §1.14: the next run of a large task not before ten times as long as the last one took.
    if (only !== undefined && only.spans > bounds.spans)
      this.queue.rest(only, now().getTime() + 10 * took);
  }

  private async refreshGauges(): Promise<void> {
    const { store, project, now } = this.options;
    const at = now();
    if (at.getTime() - this.gaugesAt < gaugesEveryMs) return;
    this.gaugesAt = at.getTime();
    this.gauges = await findingsGauges(store, project, at);
  }
}
