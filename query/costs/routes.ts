import { Hono } from 'hono';
import { z } from 'zod';
import { ensurePrices } from '../../store/prices/ensure.ts';
import type { QueryContext } from '../context.ts';
import { problem } from '../problem.ts';
import { prices, range } from '../tasks/routes.ts';
import { time } from '../time.ts';
import { limit, returns, traffic, valid } from '../valid.ts';
import {
  additive,
  costGroups,
  type GroupBy,
  groupings,
  type Included,
  included,
} from './groups.ts';

const names = Object.keys(groupings) as [GroupBy, ...GroupBy[]];

const groupBy = z
  .string()
  .default('workflow')
  .transform((text) => (text === '' ? [] : text.split(',')))
  .pipe(
    z.array(z.enum(names, { error: `one or more of ${names.join(', ')}, separated by commas` })),
  );

/** `provider/model`, or only a model: what everything would have cost with it. */
const model = z
  .string()
  .min(1)
  .max(400)
  .transform((text) => {
    const slash = text.indexOf('/');
    return { provider: text.slice(0, Math.max(slash, 0)), model: text.slice(slash + 1) };
  });

const include = z
  .string()
  .default('')
  .transform((text) => (text === '' ? [] : text.split(',')))
  .pipe(
    z.array(z.enum(included, { error: `some of ${included.join(', ')}, separated by commas` })),
  );

const costsQuery = z.strictObject({
  group_by: groupBy,
  from: time.default('now-7d'),
  to: time.default('now'),
  workflow: z.string().optional(),
  agent: z.string().optional(),
  release: z.string().optional(),
  model: z.string().optional(),
  traffic,
  prices,
  what_if_model: model.optional(),
  include,
  limit: limit(100, 1000),
});

const usd = z.number().nullable();

const costs = z.object({
  groups: z.array(
    z.object({
      key: z.record(z.string(), z.string().nullable()),
      tasks: z.int(),
      successes: z.int(),
      failures: z.int(),
      cost_usd: usd,
      cost_usd_known: z.number(),
      cost_per_task_usd: usd,
      cost_per_success_usd: usd,
      wasted_usd: z.number(),
      cost_usd_reported: usd,
      reported_difference_usd: usd,
      label_coverage_ratio: z.number().nullable(),
      tool_cost_usd: usd,
      human_cost_usd: usd,
      overhead_usd: usd,
      unpriced_models: z.array(z.string()),
      unmetered_calls: z.int(),
    }),
  ),
  additive: z.boolean(),
});

/** Overheads are paid for workflows: no other group and no other filter can say what part of them is its own. */
function checkOverheads({
  include: asked,
  group_by: by,
  agent,
  release,
  model: name,
}: z.output<typeof costsQuery>): void {
  const asksFor = (one: Included) => asked.includes(one);
  const filtered = agent !== undefined || release !== undefined || name !== undefined;
  if (!asksFor('overheads') || (!filtered && ['', 'workflow'].includes(by.join()))) return;
  throw problem(
    400,
    'A parameter is not valid.',
    'include: overheads go by workflow: group_by must be workflow or empty, without agent, release or model',
    'include',
  );
}

/**
 * `GET /api/v1/costs`: what tasks, and successes, cost per group. An empty `group_by` gives the total. `include`
 * adds tool calls and waiting for people at their rates, and overheads, to all of its costs.
 */
export function costsRoutes({ store, project, now }: QueryContext): Hono {
  const app = new Hono();
  app.get(
    '/api/v1/costs',
    returns('Cost per task and per success', costs),
    valid('query', costsQuery),
    async (c) => {
      const query = c.req.valid('query');
      const at = now();
      const bounds = range(query.from, query.to, at);
      const own = project(c);
      const whatIf = query.what_if_model;
      if (whatIf !== undefined) await ensurePrices(store, own, [whatIf]);
      const scope = { project: own, ...bounds, now: at, prices: query.prices, whatIf };
      checkOverheads(query);
      const groups = await costGroups(
        store,
        scope,
        query,
        query.group_by,
        query.include,
        query.limit,
      );
      return c.json({ groups, additive: additive(query.group_by) });
    },
  );
  return app;
}
