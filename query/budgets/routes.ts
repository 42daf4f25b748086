import { Hono } from 'hono';
import { z } from 'zod';
import type { QueryContext } from '../context.ts';
import { limit, returns, valid } from '../valid.ts';
import type { Budget } from './settings.ts';
import { type Spend, spendOf } from './spend.ts';

const spend = z.object({
  key: z.string(),
  tasks: z.int(),
  spent_usd: z.number(),
  is_lower_bound: z.boolean(),
  unpriced_models: z.array(z.string()),
  used_ratio: z.number(),
  remaining_usd: z.number(),
  rate_usd_per_hour: z.number().nullable(),
  exhausted_at: z.string().nullable(),
  state: z.enum(['ok', 'warning', 'exceeded', 'unknown']),
});

const answer = z.object({
  budgets: z.array(
    z.object({
      name: z.string(),
      per: z.enum(['total', 'task', 'workflow', 'agent', 'user', 'key', 'session']),
      workflow: z.string().nullable(),
      agent: z.string().nullable(),
      user: z.string().nullable(),
      key: z.string().nullable(),
      traffic: z.string(),
      window_ms: z.number(),
      limit_usd: z.number(),
      floor_usd: z.number(),
      spends: z.array(spend),
    }),
  ),
});

/** `GET /api/v1/budgets`: what was spent of every budget in its window, by key, the most spent first. */
export function budgetsRoutes(
  { store, project, now }: QueryContext,
  budgets: readonly Budget[],
): Hono {
  const app = new Hono();
  app.get(
    '/api/v1/budgets',
    returns('Spend against budgets', answer),
    valid('query', z.strictObject({ limit: limit(20, 1000) })),
    async (c) => {
      const clock = now();
      const { limit: most } = c.req.valid('query');
      const list: object[] = [];
      for (const budget of budgets) {
        const spends = await spendOf(store, project(c), budget, clock, most);
        const {
          windowMs,
          workflow = null,
          agent = null,
          user = null,
          key = null,
          ...rest
        } = budget;
        const shown = { ...rest, workflow, agent, user, key, window_ms: windowMs };
        list.push({ ...shown, spends: spends.map(toJson) });
      }
      return c.json({ budgets: list, next_cursor: null });
    },
  );
  return app;
}

function toJson(one: Spend): object {
  return { ...one, exhausted_at: one.exhausted_at?.toISOString() ?? null };
}
