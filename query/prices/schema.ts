import { parse } from 'yaml';
import { z } from 'zod';
import type { PriceOverride } from '../../store/prices/override.ts';

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

/** The overrides of a YAML or JSON file `{prices: [{provider, model, valid_from?, tiers, multipliers?}]}`. */
export function parsePrices(text: string): PriceOverride[] {
  let data: unknown;
  try {
    data = parse(text);
  } catch (cause) {
    throw new BadPrices(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  const parsed = z.strictObject({ prices: z.array(override).max(10_000) }).safeParse(data);
  if (!parsed.success) throw new BadPrices(z.prettifyError(parsed.error));
  return parsed.data.prices.map((price) => ({ ...price, valid_from: new Date(price.valid_from) }));
}
