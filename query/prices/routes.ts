import { Hono } from 'hono';
import { z } from 'zod';
import type { Store } from '../../store/connection.ts';
import { insert } from '../../store/insert.ts';
import { overrideRow } from '../../store/prices/override.ts';
import { param, query, sql } from '../../store/sql.ts';
import { prices } from '../../store/tables/prices.ts';
import type { QueryContext } from '../context.ts';
import { problem } from '../problem.ts';
import { rfc } from '../time.ts';
import { returns, valid } from '../valid.ts';
import { override, place, tier } from './schema.ts';

const price = z.object({
  provider: z.string().nullable(),
  model: z.string(),
  origin: z.enum(['list', 'file', 'api']),
  source: z.string(),
  valid_from: z.string(),
  priced: z.boolean(),
  tiers: z.array(tier.required()),
  multipliers: z.record(z.string(), z.number()),
  context_window: z.int().nullable(),
});

interface Row {
  readonly provider: string;
  readonly model: string;
  readonly origin: string;
  readonly source: string;
  readonly valid_from: string;
  readonly priced: number;
  readonly tiers: readonly Readonly<Record<string, string | number>>[];
  readonly multipliers: Readonly<Record<string, number>>;
  readonly context_window: string | null;
}

/**
 * `GET /api/v1/prices`: every price known for the models seen, unpriced ones with `priced: false`. `PUT` sets a price of
 * one's own from a date on, `DELETE` takes it back; costs of the past follow at once, because prices are joined at read.
 */
export function pricesRoutes({ store, project }: QueryContext): Hono {
  const app = new Hono();

  app.get(
    '/api/v1/prices',
    returns('Prices of the models seen', z.object({ prices: z.array(price) })),
    async (c) => {
      const rows = await query<Row>(
        store,
        sql`SELECT provider, model, origin, source, valid_from, priced, tiers, multipliers, context_window
        FROM prices FINAL WHERE project IN ('*', ${param('String', project(c))})
        ORDER BY model, provider, valid_from, origin`,
      );
      return c.json({ prices: rows.map(toJson), next_cursor: null });
    },
  );

  app.put(
    '/api/v1/prices',
    returns('Sets a price from a date on', override),
    valid('json', override),
    async (c) => {
      const body = c.req.valid('json');
      const row = overrideRow(project(c), 'api', {
        ...body,
        valid_from: new Date(body.valid_from),
      });
      await insert(store, prices, [row]);
      return c.json(body);
    },
  );

  app.delete(
    '/api/v1/prices',
    returns('Takes a price back', place),
    valid('json', place),
    async (c) => {
      const body = c.req.valid('json');
      await mustExist(store, project(c), body);
      const gone = { ...body, valid_from: new Date(body.valid_from), tiers: [], multipliers: {} };
      await insert(store, prices, [overrideRow(project(c), 'api', gone, true)]);
      return c.json(body);
    },
  );

  return app;
}

/** What is taken back has to be there: a wrong date would leave the price that was meant, and say nothing. */
async function mustExist(
  store: Store,
  project: string,
  { provider, model, valid_from }: z.infer<typeof place>,
): Promise<void> {
  const rows = await query<{ valid_from: string }>(
    store,
    sql`SELECT valid_from FROM prices FINAL WHERE project = ${param('String', project)} AND origin = 'api'
      AND provider = ${param('String', provider)} AND model = ${param('String', model)} ORDER BY valid_from`,
  );
  const known = rows.map((row) => rfc(row.valid_from));
  if (known.some((date) => Date.parse(date) === Date.parse(valid_from))) return;
  const others = known.length === 0 ? 'there is none' : `there is one from ${known.join(', ')}`;
  throw problem(
    404,
    'No such price.',
    `No price of ${provider} ${model} from ${valid_from} was set by PUT: ${others}.`,
  );
}

function toJson(row: Row): object {
  return {
    ...row,
    provider: row.provider === '' ? null : row.provider,
    valid_from: rfc(row.valid_from),
    priced: row.priced === 1,
    tiers: row.tiers.map(perMillion),
    context_window: row.context_window === null ? null : Number(row.context_window),
  };
}

function perMillion({
  from_input_tokens,
  ...rest
}: Readonly<Record<string, string | number>>): object {
  const money = Object.entries(rest).map(([name, value]) => [
    `${name}_usd_per_mtok`,
    micro(Number(value)),
  ]);
  return { from_input_tokens: Number(from_input_tokens), ...Object.fromEntries(money) };
}

/** Per million, without the dust of binary fractions. */
function micro(perToken: number): number {
  return Number((perToken * 1e6).toPrecision(12));
}
