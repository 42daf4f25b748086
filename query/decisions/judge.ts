import { createHash } from 'node:crypto';
import type { Store } from '../../store/connection.ts';
import { query, type Sql, sql } from '../../store/sql.ts';
import { noBackground } from '../findings/background.ts';
import { backgroundsOf, freshKnown } from '../findings/backgrounds.ts';
import { type Judged, judgeTask } from '../findings/judge.ts';
import { keptKnown } from '../findings/known.ts';
import type { FindingsSettings } from '../findings/settings.ts';
import type { Metric } from '../operations/metrics.ts';
import { rankSuspects } from '../suspects/rank.ts';
import { taskIn } from '../tasks/find.ts';
import type { SuspectAnswer } from './answer.ts';
import type { TaskEvidence } from './evidence.ts';
import { createKept } from './kept.ts';
import { type LoadedTask, loadRows } from './load.ts';
import { factColumns, type TaskRow, taskColumns } from './task-rows.ts';

/** One task with everything that is derived from it on read. */
export interface JudgedTask extends Judged {
  readonly suspects: readonly SuspectAnswer[];
}

/** Derives single tasks, and keeps the answers for a while: a large task is asked for page by page. */
export interface Judge {
  /** Undefined when there is no such task. */
  readonly task: (project: string, id: string, now: Date) => Promise<JudgedTask | undefined>;
  /** Takes in what somebody else derived; keeps it where that saves whoever asks next a wait. */
  readonly keep: (project: string, task: LoadedTask, judged: Judged) => void;
  readonly metrics: () => Metric[];
}

const maxBytes = 384 * 1024 * 1024;

// An answer is as of its row: a task that changes gets a new one. What can change beside it (payload past retention,
// another task with the same key, late days) may be this old. A large task takes long to derive, and is derived by the
// second pass as soon as it ends: usually before the first who asks.
const maxAgeMs = 60_000;
const large = { spans: 1_000, maxAgeMs: 3_600_000 };

export function createJudge(store: Store, settings: (project: string) => FindingsSettings): Judge {
  const known = keptKnown(freshKnown(store));
  const kept = createKept<JudgedTask>('kept_decisions', maxBytes);

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
    const [background = noBackground] = await backgroundsOf(store, project, [task], own, known);
    return put(project, task, judgeTask(task.evidence, background, own));
  }

  function put(project: string, { row, evidence }: LoadedTask, judged: Judged): JudgedTask {
    const suspects = rankSuspects(judged.trajectory, judged.findings);
    const answer = { ...judged, suspects };
    const age = isLarge(evidence) ? large.maxAgeMs : maxAgeMs;
    kept.put(keyOf(project, row.task_id), stampOf(row), answer, sizeOf(evidence), age);
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
    keep: (project, task, judged) => {
      if (isLarge(task.evidence)) put(project, task, judged);
    },
    metrics: kept.metrics,
  };
}

function isLarge({ spans }: TaskEvidence): boolean {
  return spans.length >= large.spans;
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
