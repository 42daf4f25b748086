import type { Store } from '../connection.ts';
import { insert } from '../insert.ts';
import { type PriceRow, prices } from '../tables/prices.ts';
import { listPrice } from './catalogue.ts';

/** A provider and model as telemetry names them (`tasks.calls.provider`, `tasks.calls.name`). */
export interface Pair {
  readonly provider: string;
  readonly model: string;
}

const SOURCE = 'genai-prices';
const MAX_REMEMBERED = 10_000;

// What this process has already written, by store. Written again after a restart: the list may be newer by then.
const remembered = new WeakMap<Store, Set<string>>();

/**
 * Makes sure that each pair has its dated rows in `prices`, a model without a list price one row with `priced` 0.
 * Pairs that this process has seen cost a set look-up. Safe to call at once from several places: rows replace
 * themselves. Overrides are rows of another origin and stay untouched.
 */
export async function ensurePrices(
  store: Store,
  project: string,
  pairs: readonly Pair[],
): Promise<void> {
  const seen = remembered.get(store) ?? new Set<string>();
  remembered.set(store, seen);
  const fresh = new Map<string, Pair>();
  for (const pair of pairs) {
    const key = JSON.stringify([project, pair.provider, pair.model]);
    if (pair.model !== '' && !seen.has(key)) fresh.set(key, pair);
  }
  if (fresh.size === 0) return;
  await insert(
    store,
    prices,
    [...fresh.values()].flatMap((pair) => priceRows(project, pair)),
  );
  if (seen.size + fresh.size > MAX_REMEMBERED) seen.clear();
  for (const key of fresh.keys()) seen.add(key);
}

/** The rows of one pair; pure. */
export function priceRows(project: string, { provider, model }: Pair): PriceRow[] {
  const found = listPrice(provider, model);
  const row = {
    project,
    provider,
    model,
    origin: 'list',
    deleted: 0,
    source: SOURCE,
    multipliers: found?.multipliers ?? [],
  };
  if (found === null) {
    return [{ ...row, valid_from: 0n, priced: 0, tiers: [], context_window: null }];
  }
  return found.dated.map(({ validFrom, tiers }) => ({
    ...row,
    valid_from: BigInt(validFrom),
    priced: 1,
    tiers,
    context_window: found.contextWindow === null ? null : BigInt(found.contextWindow),
  }));
}
