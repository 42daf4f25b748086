import { emptyRow } from '../tables/empty-row.ts';
import { type TaskRow, tasks } from '../tables/tasks.ts';

/** The row that withdraws a task from a day. */
export function tombstone(project: string, task_id: string, day: number, ver: bigint): TaskRow {
  return { ...BLANK, project, task_id, day, ver };
}

const BLANK: TaskRow = { ...emptyRow(tasks), deleted: 1 };
