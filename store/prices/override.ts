import type { Store } from '../connection.ts';
import { insert } from '../insert.ts';
import { query, sql } from '../sql.ts';
import { type PriceRow, type PriceTier, prices } from '../tables/prices.ts';

/**
 * A price of one's own from a date on, in USD per million tokens. Input that is read from or written to the cache
 * costs as much as other input unless its price is given.
 */
export interface PriceOverride {
  readonly provider: string;
  readonly model: string;
  readonly valid_from: Date;
  readonly tiers: readonly TierPrice[];
  /**
   * What a service tier costs relative to these prices, such as `{ batch: 0.5 }`; the list's factors hold for tiers that
   * are not named.
   */
  readonly multipliers: Readonly<Record<string, number>>;
}

/** Prices of requests with at least `from_input_tokens` input tokens; the whole request has them. */
export interface TierPrice {
  readonly from_input_tokens: number;
  readonly input_usd_per_mtok: number;
  readonly output_usd_per_mtok: number;
  readonly cache_read_usd_per_mtok?: number | undefined;
  readonly cache_write_usd_per_mtok?: number | undefined;
  readonly cache_write_1h_usd_per_mtok?: number | undefined;
}

/** The row of an override; `deleted` takes it back. */
export function overrideRow(
  project: string,
  origin: 'file' | 'api',
  override: PriceOverride,
  deleted = false,
): PriceRow {
  return {
    project,
    provider: override.provider,
    model: override.model,
    origin,
    valid_from: BigInt(override.valid_from.getTime()),
    deleted: deleted ? 1 : 0,
    source: 'override',
    priced: 1,
    tiers: override.tiers.map(perToken).sort((a, b) => Number(a[0] - b[0])),
    multipliers: Object.entries(override.multipliers).map(([tier, factor]) => [
      tier.toLowerCase(),
      factor,
    ]),
    context_window: null,
  };
}

function perToken(tier: TierPrice): PriceTier {
  const input = tier.input_usd_per_mtok / 1e6;
  const write =
    tier.cache_write_usd_per_mtok === undefined ? input : tier.cache_write_usd_per_mtok / 1e6;
  return [
    BigInt(tier.from_input_tokens),
    input,
    tier.output_usd_per_mtok / 1e6,
    tier.cache_read_usd_per_mtok === undefined ? input : tier.cache_read_usd_per_mtok / 1e6,
    write,
    tier.cache_write_1h_usd_per_mtok === undefined ? write : tier.cache_write_1h_usd_per_mtok / 1e6,
  ];
}

/** A price and the project that has it, `*` for all. */
export type ProjectOverride = PriceOverride & { readonly project: string };

/** Makes the overrides of the file exactly these; what an earlier file held and this one lacks is taken back. */
export async function replaceFileOverrides(
  store: Store,
  overrides: readonly ProjectOverride[],
): Promise<void> {
  const known = await query<{ project: string; provider: string; model: string; ms: string }>(
    store,
    sql`SELECT project, provider, model, toUnixTimestamp64Milli(valid_from) AS ms FROM prices FINAL
      WHERE origin = 'file'`,
  );
  const rows = overrides.map((override) => overrideRow(override.project, 'file', override));
  const key = (project: string, provider: string, model: string, ms: unknown) =>
    JSON.stringify([project, provider, model, String(ms)]);
  const kept = new Set(
    rows.map((row) => key(row.project, row.provider, row.model, row.valid_from)),
  );
  const gone = known
    .filter(({ project, provider, model, ms }) => !kept.has(key(project, provider, model, ms)))
    .map(({ project, provider, model, ms }) => {
      const empty = {
        provider,
        model,
        valid_from: new Date(Number(ms)),
        tiers: [],
        multipliers: {},
      };
      return overrideRow(project, 'file', empty, true);
    });
  await insert(store, prices, [...rows, ...gone]);
}
