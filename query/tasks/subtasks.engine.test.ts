import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../store/connection.ts';
import { insert } from '../../store/insert.ts';
import { outcomes } from '../../store/tables/outcomes.ts';
import { prices } from '../../store/tables/prices.ts';
import { taskDays } from '../../store/tables/task-days.ts';
import { tasks } from '../../store/tables/tasks.ts';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import { outcomeRow, priceRow, taskRow } from '../../test/clickhouse/rows.ts';
import { costsRoutes } from '../costs/routes.ts';
import { onError } from '../problem.ts';
import { tasksRoutes } from './routes.ts';

const now = new Date('2026-03-11T00:00:00Z');
const started = '2026-03-05T08:00:00Z';

describe('subtasks', () => {
  let store: Store;
  const app = new Hono();

  // One USD per million tokens: a call of n USD has n million.
  const row = (task_id: string, usd: number, parent_id = '', reported: number | null = null) =>
    taskRow(
      {
        task_id,
        started,
        ended: '2026-03-05T09:00:00Z',
        calls: [{ start: started, input: usd * 1e6, output: 0, name: usd < 0 ? 'no price' : 'm' }],
      },
      { parent_id, 'calls.cost_reported': [reported] },
    );

  beforeAll(async () => {
    store = await openEmbedded();
    await insert(store, prices, [priceRow('m', '2026-01-01T00:00:00Z', [[0, 1, 1, 1, 1, 1]])]);
    const made = [
      row('top', 1, '', 1.5),
      row('middle', 2, 'top', 1.75),
      row('bottom', 4, 'middle'),
      row('beside', 8, 'top'),
      row('a', 1, 'b'),
      row('b', 2, 'a'),
      row('over', 1),
      { ...row('unknown', 1, 'over'), 'calls.name': ['no price'] },
    ];
    await insert(store, tasks, made);
    await insert(store, taskDays, made);
    await insert(store, outcomes, [
      outcomeRow({ key: 'top', task_id: 'top', at: 1_772_900_000_000_000n, outcome: 'success' }),
    ]);
    app.onError(onError(() => {}));
    const context = { store, project: () => 'p', now: () => now };
    for (const routes of [costsRoutes, tasksRoutes]) app.route('/', routes(context));
  });
  afterAll(() => store.close());

  const get = async (path: string) =>
    (await (await app.request(path)).json()) as Record<string, unknown>;

  it.each([
    ['top', ['beside', 'middle'], 15],
    ['middle', ['bottom'], 6],
    ['bottom', [], 4],
    ['a', ['b'], 3],
    ['b', ['a'], 3],
    ['over', ['unknown'], null],
  ])('of %s are %j, and it costs %s with them', async (id, subtasks, total) => {
    const task = await get(`/api/v1/tasks/${id}`);
    expect(task).toMatchObject({ subtasks, cost_usd_total: total });
    const { tasks: listed } = await get('/api/v1/tasks?from=2026-03-01T00:00:00Z');
    const same = (listed as Record<string, unknown>[]).find((one) => one['task_id'] === id);
    expect(same).toMatchObject({ subtasks, cost_usd_total: total });
  });

  it('leave costs to themselves, which say what was judged and what was reported', async () => {
    const { groups } = await get('/api/v1/costs?from=2026-03-01T00:00:00Z&group_by=');
    expect(groups).toMatchObject([
      {
        tasks: 8,
        cost_usd: null,
        cost_usd_known: 19,
        label_coverage_ratio: 0.125,
        // Reported 1.5 and 1.75 for what costs 1 and 2.
        cost_usd_reported: 3.25,
        reported_difference_usd: 0.25,
      },
    ]);
  });
});
