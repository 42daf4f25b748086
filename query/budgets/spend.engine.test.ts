import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../store/connection.ts';
import { insert } from '../../store/insert.ts';
import { prices } from '../../store/tables/prices.ts';
import { tasks } from '../../store/tables/tasks.ts';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import { type Call, priceRow, taskRow } from '../../test/clickhouse/rows.ts';
import { watchBudgets } from './metrics.ts';
import { budgetsRoutes } from './routes.ts';
import { parseBudgets } from './settings.ts';
import { spendOf } from './spend.ts';

const now = new Date('2026-03-02T12:00:00Z');
const budgets = parseBudgets(`
budgets:
  - { name: users, per: user, window: 1d, limit_usd: 4 }
  - { name: all, window: 1d, limit_usd: 100 }
  - { name: week, window: 7d, limit_usd: 100 }
  - { name: support, workflow: support, window: 1d, limit_usd: 100 }
  - { name: tasks, per: task, window: 1d, limit_usd: 2 }
  - { name: agents, per: agent, window: 1d, limit_usd: 100 }
  - { name: keys, per: key, window: 1d, limit_usd: 10 }
  - { name: one key, key: team-a, window: 1d, limit_usd: 2 }
  - { name: nothing, workflow: none, window: 1d, limit_usd: 1 }`);

/** A million input tokens cost 1 USD. */
const call = (usd: number, start: string, name = 'gpt-4o'): Call => ({
  name,
  start,
  input: usd * 1e6,
  output: 0,
});

/** A task that ended at this time, with its calls. */
function task(id: string, ended: string, calls: readonly Call[], fields: object = {}) {
  return taskRow({ task_id: id, started: '2026-03-01T09:00:00Z', ended, calls }, fields);
}

describe('budgets', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openEmbedded();
    await insert(store, prices, [priceRow('gpt-4o', '2026-01-01T00:00:00Z', [[0, 1, 1, 1, 1, 1]])]);
    const [early, late] = ['2026-03-02T08:00:00Z', '2026-03-02T11:30:00Z'];
    await insert(store, tasks, [
      task('a', late, [call(1, early), call(2, late)], { user_id: 'ann', api_key: 'team-a' }),
      task('b', late, [call(2, late)], { user_id: 'ann', api_key: 'team-b' }),
      task('c', early, [call(1, early), call(5, early, 'secret-model')], { user_id: 'bob' }),
      task('d', late, [call(7, late)], { user_id: 'cat', workflow: 'other' }),
      task('old', '2026-02-27T08:00:00Z', [call(9, early)], { user_id: 'ann' }),
      task('shadow', late, [call(50, late)], { user_id: 'ann', traffic: 'shadow' }),
    ]);
  });
  afterAll(() => store.close());

  const spends = async (name: string) => {
    const budget = budgets.find((one) => one.name === name);
    if (budget === undefined) throw new Error(name);
    const found = await spendOf(store, 'p', budget, now, 100);
    return found.map((one) => [one.key, one.spent_usd, one.rate_usd_per_hour, one.state]);
  };

  it('adds up what each key spent in the window', async () => {
    expect(await spends('users')).toEqual([
      ['cat', 7, 7, 'exceeded'],
      ['ann', 5, 4, 'exceeded'],
      ['bob', 1, null, 'unknown'],
    ]);
    expect(await spends('all')).toEqual([['', 13, 11, 'unknown']]);
    expect(await spends('week')).toEqual([['', 22, 11, 'unknown']]);
    expect(await spends('support')).toEqual([['', 6, 4, 'unknown']]);
    expect(await spends('agents')).toEqual([['support', 13, 11, 'unknown']]);
    expect(await spends('tasks')).toEqual([
      ['d', 7, 7, 'exceeded'],
      ['a', 3, 2, 'exceeded'],
      ['b', 2, 2, 'warning'],
      ['c', 1, null, 'unknown'],
    ]);
    expect(await spends('keys')).toEqual([
      ['team-a', 3, 2, 'ok'],
      ['team-b', 2, 2, 'ok'],
    ]);
    expect(await spends('one key')).toEqual([['', 3, 2, 'exceeded']]);
    expect(await spends('nothing')).toEqual([['', 0, null, 'ok']]);
  });

  it('answers over HTTP, of the own project alone', async () => {
    const app = new Hono();
    const project = (c: { req: { header(name: string): string | undefined } }) =>
      c.req.header('p') ?? 'p';
    app.route('/', budgetsRoutes({ store, now: () => now, project }, budgets));
    const ask = async (p: string) => {
      const answer = await app.request('/api/v1/budgets?limit=1', { headers: { p } });
      return (await answer.json()) as { budgets: { name: string; spends: object[] }[] };
    };
    const [users] = (await ask('p')).budgets;
    expect(users).toMatchObject({
      name: 'users',
      per: 'user',
      window_ms: 86_400_000,
      workflow: null,
    });
    expect(users?.spends).toHaveLength(1);
    expect((await ask('q')).budgets[0]?.spends).toEqual([]);
  });

  it('shows the same numbers as metrics, of a project from when it has a key', async () => {
    let projects: readonly string[] = [];
    let asked = 0;
    const watch = watchBudgets({
      store,
      projects: () => {
        asked += 1;
        return projects;
      },
      everyMs: 20,
      budgets: budgets.slice(0, 1),
      now: () => now,
      report: (error) => expect(error).toBeUndefined(),
    });
    await expect.poll(() => asked, { timeout: 10_000 }).toBeGreaterThan(2);
    expect(watch.metrics().flatMap(({ samples }) => samples)).toEqual([]);
    projects = ['p'];
    await expect.poll(() => watch.metrics().length, { timeout: 10_000 }).toBe(4);
    await watch.close();
    const spent = watch.metrics().find(({ name }) => name === 'plumbline_budget_spent_usd');
    expect(spent?.samples.map(({ labels, value }) => [labels?.['key'], value])).toEqual([
      ['cat', 7],
      ['ann', 5],
      ['bob', 1],
    ]);
  });
});
