import { createHash } from 'node:crypto';
import type { Store } from '../../store/connection.ts';
import { query, type Sql, sql } from '../../store/sql.ts';
import { type Background, noBackground } from '../findings/background.ts';
import { backgroundsOf, freshKnown } from '../findings/backgrounds.ts';
import { findDefects } from '../findings/find.ts';
import { keptKnown } from '../findings/known.ts';
import type { FindingsSettings } from '../findings/settings.ts';
import type { Metric } from '../operations/metrics.ts';
import { rankSuspects } from '../suspects/rank.ts';
import { taskIn } from '../tasks/find.ts';
import type { FindingAnswer, SuspectAnswer } from './answer.ts';
import { deriveTrajectory } from './derive.ts';
import type { TaskEvidence } from './evidence.ts';
import { createKept } from './kept.ts';
import { loadRows } from './load.ts';
import type { Trajectory } from './model.ts';
import { factColumns, type TaskRow, taskColumns } from './task-rows.ts';

/** One task with everything that is derived from it on read. */
export interface JudgedTask {
  readonly trajectory: Trajectory;
  readonly findings: readonly FindingAnswer[];
  readonly suspects: readonly SuspectAnswer[];
  readonly background: Background;
}

/** Derives single tasks, and keeps the answers for a while: a large task is asked for page by page. */
export interface Judge {
  /** Undefined when there is no such task. */
  readonly task: (project: string, id: string, now: Date) => Promise<JudgedTask | undefined>;
  readonly metrics: () => Metric[];
}

const maxBytes = 384 * 1024 * 1024;

// An answer is as of its row: a task that changes gets a new one. What can change beside it (payload past retention,
// another task with the same key, late days) may be this old.
const maxAgeMs = 60_000;

export function createJudge(store: Store, settings: (project: string) => FindingsSettings): Judge {
  const known = keptKnown(freshKnown(store));
  const kept = createKept<JudgedTask>('kept_decisions', maxBytes, maxAgeMs);

  // Several that ask for one task at once wait for one derivation.
  const underway = new Map<string, Promise<JudgedTask | undefined>>();

  function once(project: string, row: TaskRow): Promise<JudgedTask | undefined> {
    const key = `${keyOf(project, row.task_id)}\0${stampOf(row)}`;
    const own = underway.get(key) ?? judged(project, row).finally(() => underway.delete(key));
    underway.set(key, own);
    return own;
  }

  async function judged(project: string, row: TaskRow): Promise<JudgedTask | undefined> {
    const [task] = await loadRows(store, project, [row]);
    if (task === undefined) return undefined;
    const own = settings(project);
    const trajectory = deriveTrajectory(task.evidence);
    const [background = noBackground] = await backgroundsOf(store, project, [task], own, known);
    const findings = findDefects(trajectory, own.rules, background);
    const suspects = rankSuspects(trajectory, findings);
    const answer = { trajectory, findings, suspects, background };
    kept.put(keyOf(project, row.task_id), stampOf(row), answer, sizeOf(task.evidence));
    return answer;
  }

  return {
    task: async (project, id, now) => {
      const source = taskIn(project, id, now, 'as_of_call');
      const key = keyOf(project, id);
      const rowOf = async (columns: Sql) =>
        (await query<TaskRow>(store, sql`SELECT ${columns} FROM ${source}`))[0];
      // Most questions about a large task are for its next page, and need none of its calls.
      const held = kept.holds(key);
      const row = await rowOf(held ? factColumns : taskColumns);
      if (row === undefined) return undefined;
      const before = kept.get(key, stampOf(row));
      if (before !== undefined) return before;
      const whole = held ? await rowOf(taskColumns) : row;
      return whole === undefined ? undefined : once(project, whole);
    },
    metrics: kept.metrics,
  };
}

function keyOf(project: string, task: string): string {
  return `${project}\0${task}`;
}

/** What changes with the task. Its calls are not in it; their prices are, as a hash. */
function stampOf({ call_traces: _, call_spans: __, call_costs: ___, ...row }: TaskRow): string {
  return createHash('sha1').update(JSON.stringify(row)).digest('base64');
}

/** Measured: 2.2 kB per span beside the payload, the trajectory included. */
function sizeOf({ spans, content }: TaskEvidence): number {
  let bytes = 2_200 * spans.length;
  for (const text of content.values()) bytes += text.length;
  return bytes;
}
