import type { Store } from '../../store/connection.ts';
import { param, query, sql } from '../../store/sql.ts';
import { type LoadedTask, loadRows } from '../decisions/load.ts';
import { type TaskRow, taskColumns } from '../decisions/task-rows.ts';
import { tasksIn } from '../tasks/find.ts';

/** A task row by its key. */
export interface TaskKey {
  /** Days since 1970. */
  readonly day: number;
  readonly task_id: string;
}

const dayMs = 86_400_000;

/** Loads many tasks at once, from rows of the one view cut down to these days and ids. Those that are gone are left out. */
export async function loadTasks(
  store: Store,
  project: string,
  keys: readonly TaskKey[],
  now: Date,
): Promise<LoadedTask[]> {
  if (keys.length === 0) return [];
  const days = keys.map(({ day }) => day);
  const first = Math.min(...days);
  const last = Math.max(...days);
  const scope = {
    project,
    from: new Date(first * dayMs),
    // A task may end long after it began.
    to: new Date((last + 400) * dayMs),
    now,
    prices: 'as_of_call',
  };
  const ids = keys.map(({ task_id }) => task_id);
  const rows = await query<TaskRow>(
    store,
    sql`SELECT ${taskColumns}
      FROM ${tasksIn(scope)}
      WHERE day BETWEEN ${param('Date', new Date(first * dayMs))} AND ${param('Date', new Date(last * dayMs))}
        AND task_id IN ${param('Array(String)', ids)}`,
  );
  const wanted = new Set(keys.map(({ day, task_id }) => `${day} ${task_id}`));
  return loadRows(
    store,
    project,
    rows.filter(({ day_number, task_id }) => wanted.has(`${day_number} ${task_id}`)),
  );
}
