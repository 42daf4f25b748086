import { expect, it } from 'vitest';
import { usualBackends } from '../test/clickhouse/backends.ts';
import { outcomeRow, priceRow, taskRow } from '../test/clickhouse/rows.ts';
import { insert } from './insert.ts';
import { param, query, sql } from './sql.ts';
import { outcomes } from './tables/outcomes.ts';
import { prices } from './tables/prices.ts';
import { taskDays } from './tables/task-days.ts';
import { tasks } from './tables/tasks.ts';
import { tasksOf } from './task-view.ts';

for (const backend of usualBackends) {
  it(`gives what the views give by their names on ${backend.name}`, async () => {
    const store = await backend.open();
    try {
      const started = '2026-03-02T10:00:00Z';
      const ended = '2026-03-02T10:05:00Z';
      const calls = [{ input: 1_000, output: 100 }];
      const rows = ['a', 'b', "it's"].map((task_id) => taskRow({ task_id, started, ended, calls }));
      await insert(store, tasks, rows);
      await insert(store, taskDays, rows);
      await insert(store, prices, [
        priceRow('gpt-4o', '2025-01-01', [[0, 2.5, 10, 1.25, 2.5, 2.5]]),
      ]);
      await insert(store, outcomes, [
        outcomeRow({ key: 'k', task_id: "it's", outcome: 'failure' }),
      ]);
      const from = '2026-03-01 00:00:00.000';
      const to = '2026-03-03 00:00:00.000';
      const project = 'p';
      const scope = { project, from, to, now: to, prices: 'as_of_call', whatIf: '' };
      const time = (text: string) => param('DateTime64(3)', text);
      const shared = sql`project = ${param('String', project)}, now = ${time(to)},
        prices_at = ${param('String', 'as_of_call')}`;

      const all = await query(
        store,
        sql`SELECT * FROM tasks_v(${shared}, from = ${time(from)}, to = ${time(to)}, what_if = '') ORDER BY task_id`,
      );
      expect(all).toHaveLength(3);
      expect(
        await query(store, sql`SELECT * FROM ${tasksOf({ ...scope, only: '' })} ORDER BY task_id`),
      ).toEqual(all);

      const one = await query<{ outcome: string; cost_usd: number }>(
        store,
        sql`SELECT * FROM task_v(${shared}, task_id = ${param('String', "it's")})`,
      );
      expect(one).toMatchObject([{ outcome: 'failure', cost_usd: 0.0035 }]);
      expect(await query(store, sql`SELECT * FROM ${tasksOf({ ...scope, only: "it's" })}`)).toEqual(
        one,
      );
    } finally {
      await store.close();
    }
  });
}
