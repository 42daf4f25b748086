import { Hono } from 'hono';
import { z } from 'zod';
import { insert } from '../../store/insert.ts';
import { type Rate, rateRow } from '../../store/prices/rates.ts';
import { param, query, sql } from '../../store/sql.ts';
import { rates } from '../../store/tables/rates.ts';
import type { QueryContext } from '../context.ts';
import { rfc } from '../time.ts';
import { returns, valid } from '../valid.ts';
import { rate, toRate } from './schema.ts';

const shown = z.object({
  kind: z.enum(['tool', 'human', 'overhead']),
  origin: z.enum(['file', 'api']),
  tool: z.string().optional(),
  workflow: z.string().optional(),
  label: z.string().optional(),
  usd_per_call: z.number().optional(),
  usd_per_minute: z.number().optional(),
  usd: z.number().optional(),
  valid_from: z.string(),
  valid_to: z.string().optional(),
});

interface Row {
  readonly kind: Rate['kind'];
  readonly name: string;
  readonly label: string;
  readonly origin: string;
  readonly valid_from: string;
  readonly valid_to: string | null;
  readonly usd: number;
}

/**
 * `GET /api/v1/rates`: what tools cost per call, people per minute of waiting, and what was paid beside. `PUT` sets one
 * from a date on, `DELETE` takes it back; costs of the past follow at once, as with prices.
 */
export function ratesRoutes({ store, project }: QueryContext): Hono {
  const app = new Hono();

  app.get(
    '/api/v1/rates',
    returns('Rates of tools and people, and overheads', z.object({ rates: z.array(shown) })),
    async (c) => {
      const rows = await query<Row>(
        store,
        sql`SELECT kind, name, label, origin, valid_from, valid_to, usd FROM rates FINAL
          WHERE project IN ('*', ${param('String', project(c))})
          ORDER BY kind, name, label, valid_from, origin`,
      );
      return c.json({ rates: rows.map(toJson), next_cursor: null });
    },
  );

  app.put(
    '/api/v1/rates',
    returns('Sets a rate from a date on', rate),
    valid('json', rate),
    async (c) => {
      const body = c.req.valid('json');
      await insert(store, rates, [rateRow(project(c), 'api', toRate(body))]);
      return c.json(body);
    },
  );

  app.delete(
    '/api/v1/rates',
    returns('Takes a rate back', rate),
    valid('json', rate),
    async (c) => {
      const body = c.req.valid('json');
      await insert(store, rates, [rateRow(project(c), 'api', toRate(body), true)]);
      return c.json(body);
    },
  );

  return app;
}

function toJson({ kind, name, label, origin, valid_from, valid_to, usd }: Row): object {
  const place = { kind, origin, valid_from: rfc(valid_from) };
  if (kind === 'tool') return { ...place, tool: name, usd_per_call: usd };
  if (kind === 'human') return { ...place, workflow: name, usd_per_minute: usd };
  return { ...place, workflow: name, label, usd, valid_to: rfc(valid_to ?? valid_from) };
}
