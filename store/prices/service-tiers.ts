/**
 * What a service tier costs relative to list price, by the vendors' price pages of 2025: the catalogue knows no tiers. A
 * tier that is not here costs list price; the multipliers of an override replace these.
 */
const BATCH: readonly [string, number] = ['batch', 0.5];
const FLEX: readonly [string, number] = ['flex', 0.5];

const TIERS: ReadonlyMap<string, readonly (readonly [string, number])[]> = new Map([
  ['openai', [BATCH, FLEX]],
  ['azure', [BATCH]],
  ['anthropic', [BATCH]],
  ['google', [BATCH]],
]);

/** OpenAI's priority tier has a price list of its own: more for some models than for others. */
const PRIORITY: readonly (readonly [RegExp, number])[] = [
  [/^gpt-4o(-20\d\d-\d\d-\d\d)?$/, 1.7],
  [/^gpt-4o-mini(-20\d\d-\d\d-\d\d)?$/, 5 / 3],
  [/^(gpt-4\.1|gpt-4\.1-mini|o3)(-20\d\d-\d\d-\d\d)?$/, 1.75],
  [/^o4-mini(-20\d\d-\d\d-\d\d)?$/, 2 / 1.1],
  [/^gpt-5-mini(-20\d\d-\d\d-\d\d)?$/, 1.8],
  [/^gpt-5(\.1)?(-20\d\d-\d\d-\d\d)?$/, 2],
];

/** Factors by service tier, lower case as calls report them, for a provider's id in the catalogue and a model. */
export function serviceTiers(provider: string, model: string): (readonly [string, number])[] {
  const found = [...(TIERS.get(provider) ?? [])];
  const priority = PRIORITY.find(([pattern]) => provider === 'openai' && pattern.test(model));
  return priority === undefined ? found : [...found, ['priority', priority[1]]];
}
