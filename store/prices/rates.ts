import type { Store } from '../connection.ts';
import { insert } from '../insert.ts';
import { query, sql } from '../sql.ts';
import { type RateRow, rates } from '../tables/rates.ts';

/** What something costs that is no model, in USD. */
export type Rate =
  | {
      readonly kind: 'tool';
      /** '' is any tool that has no rate of its own. */
      readonly tool: string;
      readonly usd_per_call: number;
      readonly valid_from: Date;
    }
  | {
      readonly kind: 'human';
      /** '' is any workflow that has no rate of its own. */
      readonly workflow: string;
      readonly usd_per_minute: number;
      readonly valid_from: Date;
    }
  | {
      /** Retraining, incidents: spread evenly over its time. */
      readonly kind: 'overhead';
      readonly workflow: string;
      readonly label: string;
      readonly usd: number;
      readonly valid_from: Date;
      readonly valid_to: Date;
    };

/** The row of a rate; `deleted` takes it back. */
export function rateRow(
  project: string,
  origin: 'file' | 'api',
  rate: Rate,
  deleted = false,
): RateRow {
  return {
    project,
    kind: rate.kind,
    name: rate.kind === 'tool' ? rate.tool : rate.workflow,
    label: rate.kind === 'overhead' ? rate.label : '',
    origin,
    valid_from: BigInt(rate.valid_from.getTime()),
    valid_to: rate.kind === 'overhead' ? BigInt(rate.valid_to.getTime()) : null,
    deleted: deleted ? 1 : 0,
    usd: usdOf(rate),
  };
}

function usdOf(rate: Rate): number {
  if (rate.kind === 'overhead') return rate.usd;
  return rate.kind === 'tool' ? rate.usd_per_call : rate.usd_per_minute;
}

/** A rate and the project that has it, `*` for all. */
export type ProjectRate = Rate & { readonly project: string };

/** Makes the rates of the file exactly these; what an earlier file held and this one lacks is taken back. */
export async function replaceFileRates(store: Store, given: readonly ProjectRate[]): Promise<void> {
  const known = await query<Omit<RateRow, 'valid_from' | 'valid_to'> & { ms: string }>(
    store,
    sql`SELECT project, kind, name, label, origin, toUnixTimestamp64Milli(valid_from) AS ms, deleted, usd
      FROM rates FINAL WHERE origin = 'file'`,
  );
  const rows = given.map((rate) => rateRow(rate.project, 'file', rate));
  const keyOf = (row: Pick<RateRow, 'project' | 'kind' | 'name' | 'label'>, ms: unknown) =>
    JSON.stringify([row.project, row.kind, row.name, row.label, String(ms)]);
  const kept = new Set(rows.map((row) => keyOf(row, row.valid_from)));
  const gone = known
    .filter((row) => !kept.has(keyOf(row, row.ms)))
    .map(({ ms, ...row }) => ({ ...row, valid_from: BigInt(ms), valid_to: null, deleted: 1 }));
  await insert(store, rates, [...rows, ...gone]);
}
