import { parse } from 'yaml';
import { z } from 'zod';

const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const longest = 31 * 86_400_000;

const window = z
  .string()
  .regex(/^\d{1,6}[mhd]$/, { error: 'a time such as 1h or 30d' })
  .transform((text) => Number(text.slice(0, -1)) * (units[text.slice(-1)] ?? 0))
  .refine((ms) => ms > 0 && ms <= longest, { error: 'a time up to 31d' });

const name = z.string().min(1).max(200);

const budget = z.strictObject({
  name,
  /** Each value of this has the budget for itself; `total`: all together. */
  per: z.enum(['total', 'task', 'workflow', 'agent', 'user', 'key', 'session']).default('total'),
  workflow: name.optional(),
  agent: name.optional(),
  user: name.optional(),
  /** Name or hash of an API key, as a gateway reports it. */
  key: name.optional(),
  traffic: z.enum(['live', 'shadow', 'eval', 'synthetic', 'unknown', 'all']).default('live'),
  window,
  limit_usd: z.number().positive().max(1e9),
  /** Below this spend of the last hour there is no rate: a single call says nothing. Default: a hundredth of the limit. */
  floor_usd: z.number().min(0).max(1e9).optional(),
});

/** How much may be spent in a sliding window, in milliseconds, on what. */
export type Budget = Omit<z.infer<typeof budget>, 'floor_usd' | 'window'> & {
  readonly windowMs: number;
  readonly floor_usd: number;
};

/** A file of budgets that cannot be used: one line per problem. */
export class BadBudgets extends Error {
  override readonly name = 'BadBudgets';
}

/** The budgets of a YAML or JSON file `{budgets: [{name, per, window, limit_usd, …}]}`. */
export function parseBudgets(text: string): Budget[] {
  let data: unknown;
  try {
    data = parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw new BadBudgets(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  const parsed = z.strictObject({ budgets: z.array(budget).max(200) }).safeParse(data);
  if (!parsed.success) throw new BadBudgets(z.prettifyError(parsed.error));
  const seen = new Set<string>();
  return parsed.data.budgets.map(({ window: windowMs, floor_usd, ...one }) => {
    if (seen.has(one.name)) throw new BadBudgets(`budgets: ${one.name} is there twice`);
    seen.add(one.name);
    return { ...one, windowMs, floor_usd: floor_usd ?? one.limit_usd / 100 };
  });
}
