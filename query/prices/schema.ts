import { parse } from 'yaml';
import { z } from 'zod';
import type { ProjectOverride } from '../../store/prices/override.ts';
import type { ProjectRate, Rate } from '../../store/prices/rates.ts';

const usd = z.number().min(0).max(1e6);

export const tier = z.strictObject({
  from_input_tokens: z.int().min(0).default(0),
  input_usd_per_mtok: usd,
  output_usd_per_mtok: usd,
  cache_read_usd_per_mtok: usd.optional(),
  cache_write_usd_per_mtok: usd.optional(),
  cache_write_1h_usd_per_mtok: usd.optional(),
});

const name = z.string().max(200);

/** Which price: a provider's model from a date on. Calls before the date keep the price that they had. */
export const place = z.strictObject({
  provider: name,
  model: name.min(1),
  valid_from: z.iso.datetime({ offset: true }).default('1970-01-01T00:00:00Z'),
});

export const override = place.extend({
  tiers: z.array(tier).min(1).max(20),
  multipliers: z.record(z.string().max(50), z.number().min(0).max(100)).default({}),
});

/** A file of prices that cannot be used: one line per problem. */
export class BadPrices extends Error {
  override readonly name = 'BadPrices';
}

const from = z.iso.datetime({ offset: true });
const start = from.default('1970-01-01T00:00:00Z');
const workflow = name.default('');

/** What something costs that is no model; see {@link Rate}. */
export const rate = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('tool'),
    tool: name.default(''),
    usd_per_call: usd,
    valid_from: start,
  }),
  z.strictObject({ kind: z.literal('human'), workflow, usd_per_minute: usd, valid_from: start }),
  z
    .strictObject({
      kind: z.literal('overhead'),
      workflow,
      label: name.default(''),
      usd: z.number().min(0).max(1e12),
      valid_from: from,
      valid_to: from,
    })
    .refine(({ valid_from, valid_to }) => Date.parse(valid_from) < Date.parse(valid_to), {
      error: 'must be before valid_to',
      path: ['valid_from'],
    }),
]);

/** A rate with its times as dates. */
export function toRate(given: z.infer<typeof rate>): Rate {
  const valid_from = new Date(given.valid_from);
  if (given.kind !== 'overhead') return { ...given, valid_from };
  return { ...given, valid_from, valid_to: new Date(given.valid_to) };
}

/** Whose price it is: every project's unless one is named. */
const owner = { project: z.string().min(1).max(64).default('*') };

const ownedRate = z
  .looseObject(owner)
  .transform(({ project, ...rest }) => ({ project, rate: rest }))
  .pipe(z.object({ project: z.string(), rate }));

const file = z.strictObject({
  prices: z.array(override.extend(owner)).max(10_000).default([]),
  rates: z.array(ownedRate).max(10_000).default([]),
});

/** What a file says of prices and rates. */
export interface PriceFile {
  readonly prices: readonly ProjectOverride[];
  readonly rates: readonly ProjectRate[];
}

/**
 * A YAML or JSON file `{prices: [{project?, provider, model, valid_from?, tiers, multipliers?}], rates: [{project?, kind,
 * …}]}`. Throws {@link BadPrices}.
 */
export function parsePrices(text: string): PriceFile {
  let data: unknown;
  try {
    data = parse(text);
  } catch (cause) {
    throw new BadPrices(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  const parsed = file.safeParse(data);
  if (!parsed.success) throw new BadPrices(z.prettifyError(parsed.error));
  return {
    prices: parsed.data.prices.map((price) => ({
      ...price,
      valid_from: new Date(price.valid_from),
    })),
    rates: parsed.data.rates.map(({ project, rate: one }) => ({ ...toRate(one), project })),
  };
}
