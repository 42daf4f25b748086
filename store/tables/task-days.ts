import type { Table } from './table.ts';

/** A day under which a row of the task was written. */
export interface TaskDayRow {
  readonly project: string;
  readonly task_id: string;
  readonly day: number;
}

export const taskDays: Table<TaskDayRow> = {
  name: 'task_days',
  columns: {
    project: 'LowCardinality(String)',
    task_id: 'String',
    day: 'Date',
  },
};
