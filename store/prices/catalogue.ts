import {
  calcPrice,
  findProvider,
  type ModelInfo,
  type ModelPrice,
  type PriceCalculation,
} from '@pydantic/genai-prices';
import type { PriceTier } from '../tables/prices.ts';
import type { Entries } from '../tables/table.ts';
import { providerId, spellings } from './names.ts';
import { serviceTiers } from './service-tiers.ts';

/** What a model costs from a time on (ms since 1970). */
export interface DatedPrice {
  readonly validFrom: number;
  readonly tiers: readonly PriceTier[];
}

/** A model's list prices, oldest first, and the size of its context in tokens where known. */
export interface ListPrice {
  readonly dated: readonly DatedPrice[];
  /** What service tiers cost relative to these prices. */
  readonly multipliers: Entries<number>;
  readonly contextWindow: number | null;
}

// Longer names come from no vendor, and the catalogue would match them against every pattern it has.
const MAX_NAME = 200;

/**
 * Looks a model up in the price list of `@pydantic/genai-prices`. Null when it has no token price there.
 * A known provider's model is never priced at another provider's list; only a model of an unnamed or unknown provider
 * is looked for everywhere.
 */
export function listPrice(provider: string, model: string): ListPrice | null {
  if (model.length > MAX_NAME || provider.length > MAX_NAME) return null;
  const id = providerId(provider);
  if (id === null) return null;
  const known = id !== '' && findProvider({ providerId: id }) !== undefined;
  for (const spelling of spellings(model)) {
    const found =
      (known ? find(spelling.model, id) : null) ??
      (spelling.vendor === '' ? null : find(spelling.model, providerId(spelling.vendor))) ??
      (known ? null : find(spelling.model, undefined));
    const price = found === null ? null : expand(found);
    if (price !== null) return price;
  }
  return null;
}

function find(model: string, id: string | null | undefined): PriceCalculation | null {
  if (id === null) return null;
  return calcPrice({}, model, id === undefined ? {} : { providerId: id });
}

function expand({ model: info, provider }: PriceCalculation): ListPrice | null {
  const dated = datedPrices(info).flatMap(({ validFrom, price }) => {
    const tiers = isSpeechOrPictures(info.id, price) ? [] : tiersOf(price);
    return tiers.length === 0 ? [] : [{ validFrom, tiers }];
  });
  if (dated.length === 0) return null;
  const multipliers = serviceTiers(provider.id, info.id);
  return { dated, multipliers, contextWindow: info.context_window ?? null };
}

/**
 * Models that hear, speak or draw as their main work bill these tokens at up to sixteen times the price of text. A call
 * does not say which of its tokens are which: the price of text would be wrong, so there is none.
 */
function isSpeechOrPictures(id: string, price: ModelPrice): boolean {
  return (
    ['output_audio_mtok', 'output_image_mtok', 'output_video_mtok'].some((key) => key in price) ||
    /(^|[-/])(audio|transcribe|image)($|-)/.test(id)
  );
}

/** The list's first entry holds from the beginning; of those for hours of the day the dearest one is taken. */
function datedPrices(info: ModelInfo): { validFrom: number; price: ModelPrice }[] {
  if (!Array.isArray(info.prices)) return [{ validFrom: 0, price: info.prices }];
  const entries = info.prices.map(({ constraint, prices }, i) => ({
    validFrom:
      i > 0 && constraint?.type === 'start_date'
        ? Date.parse(`${constraint.start_date}T00:00:00Z`)
        : 0,
    hourly: constraint?.type === 'time_of_date',
    price: prices,
  }));
  const steady = entries.filter((entry) => !entry.hourly);
  const hourly = entries.filter((entry) => entry.hourly).sort((a, b) => base(b) - base(a));
  const peak = hourly[0];
  const latest = steady.at(-1);
  // The hourly entries come with the latest price: they replace it when dearer.
  return peak === undefined || latest === undefined || base(peak) <= base(latest)
    ? steady
    : [...steady.slice(0, -1), { ...peak, validFrom: latest.validFrom }];
}

function base(entry: { readonly price: ModelPrice }): number {
  return perToken(entry.price, 'input_mtok', 0) ?? 0;
}

/** Where a cache price is missing the catalogue bills the tokens as what they are part of; so do we. */
function tiersOf(price: ModelPrice): PriceTier[] {
  if (price['input_mtok'] === undefined) return [];
  return boundaries(price).map((from) => {
    const input = perToken(price, 'input_mtok', from) ?? 0;
    const write = perToken(price, 'cache_write_mtok', from) ?? input;
    return [
      BigInt(from),
      input,
      perToken(price, 'output_mtok', from) ?? 0,
      perToken(price, 'cache_read_mtok', from) ?? input,
      write,
      perToken(price, 'cache_write_1h_mtok', from) ?? write,
    ];
  });
}

const TOKEN_PRICES = [
  'input_mtok',
  'output_mtok',
  'cache_read_mtok',
  'cache_write_mtok',
  'cache_write_1h_mtok',
] as const;

/** Smallest request of each tier in input tokens; the catalogue's tiers begin *above* their start. */
function boundaries(price: ModelPrice): number[] {
  const starts = TOKEN_PRICES.flatMap((key) => {
    const value = price[key];
    return typeof value === 'object' ? value.tiers.map((tier) => tier.start + 1) : [];
  });
  return [...new Set([0, ...starts])].sort((a, b) => a - b);
}

/** USD per token for a request of `tokens` input tokens. */
function perToken(
  price: ModelPrice,
  key: (typeof TOKEN_PRICES)[number],
  tokens: number,
): number | undefined {
  const value = price[key];
  if (value === undefined || typeof value === 'number') {
    return value === undefined ? undefined : value / 1e6;
  }
  const tier = value.tiers.findLast((one) => tokens > one.start);
  return (tier?.price ?? value.base) / 1e6;
}
