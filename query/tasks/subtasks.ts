import type { Store } from '../../store/connection.ts';
import { param, query, sql } from '../../store/sql.ts';
import { usdOf } from '../money.ts';
import { clickhouseTime } from '../time.ts';
import { tasksIn } from './find.ts';
import type { TaskViewRow } from './record.ts';

/** What was started inside a task under an id of its own (BEHAVIOUR §1.4), and what the task cost with all of it. */
export interface WithSubtasks {
  /** Those that it started itself, in the order of their starts. */
  readonly subtasks: readonly string[];
  /** Its own cost and that of everything below it; null if a part of it is unknown. */
  readonly cost_usd_total: number | null;
}

interface Subtask {
  readonly task_id: string;
  readonly parent_id: string;
  readonly cost_usd: number | null;
}

/** Subtasks looked at for one answer, and how deep; where there are more, the total is unknown. */
const MOST = 10_000;
const DEEPEST = 16;
const DAY_MS = 86_400_000;

/** The subtasks of these tasks, by task id. */
export async function readSubtasks(
  store: Store,
  {
    project,
    now,
    prices,
  }: { readonly project: string; readonly now: Date; readonly prices: string },
  rows: readonly TaskViewRow[],
): Promise<Map<string, WithSubtasks>> {
  const starts = rows.map((row) => String(row['started_at'])).toSorted();
  // Another clock may be behind that of the task that started it, or ahead of ours.
  const from = new Date(Date.parse(`${(starts[0] ?? '').slice(0, 10)}T00:00:00Z`) - DAY_MS);
  const to = new Date(now.getTime() + DAY_MS);
  const children = new Map<string, Subtask[]>();
  let ids = rows.map((row) => String(row['task_id']));
  const asked = new Set(ids);
  let found = 0;
  for (let depth = 0; depth < DEEPEST && found <= MOST; depth += 1) {
    if (!(await isParent(store, project, ids, from))) {
      ids = [];
      break;
    }
    const level = await query<Subtask>(
      store,
      sql`SELECT task_id, parent_id, cost_usd
        FROM ${tasksIn({ project, from, to, now, prices })}
        WHERE parent_id IN ${param('Array(String)', ids)}
        ORDER BY started_at, task_id LIMIT ${param('UInt32', MOST + 1)}`,
    );
    found += level.length;
    ids = [];
    for (const one of level) {
      // Tasks that name each other as parent are asked about once.
      if (!asked.has(one.task_id)) ids.push(one.task_id);
      asked.add(one.task_id);
      children.set(one.parent_id, [...(children.get(one.parent_id) ?? []), one]);
    }
  }
  const whole = found <= MOST && ids.length === 0;
  return new Map(
    rows.map((row) => {
      const id = String(row['task_id']);
      const own = row['cost_usd'] === null ? null : Number(row['cost_usd']);
      const total = whole || !children.has(id) ? totalOf(id, own, children, new Set()) : null;
      const subtasks = (children.get(id) ?? []).map(({ task_id }) => task_id);
      return [id, { subtasks, cost_usd_total: total }] as const;
    }),
  );
}

/** Most tasks have none: one column tells. */
async function isParent(store: Store, project: string, ids: readonly string[], from: Date) {
  const [first] = await query<{ one: number }>(
    store,
    sql`SELECT 1 AS one FROM tasks
      WHERE project = ${param('String', project)} AND day >= toDate(${param('DateTime64(3)', clickhouseTime(from))})
        AND parent_id IN ${param('Array(String)', ids)} LIMIT 1`,
  );
  return first !== undefined;
}

function totalOf(
  id: string,
  own: number | null,
  children: ReadonlyMap<string, readonly Subtask[]>,
  seen: Set<string>,
): number | null {
  seen.add(id);
  let total = own;
  for (const { task_id, cost_usd } of children.get(id) ?? []) {
    if (seen.has(task_id)) continue;
    const cost = totalOf(task_id, cost_usd, children, seen);
    total = total === null || cost === null ? null : usdOf(total + cost);
  }
  return total;
}
