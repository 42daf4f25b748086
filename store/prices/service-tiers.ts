/**
 * What a service tier costs relative to list price; the catalogue knows no tiers. Every figure is from the page of its
 * vendor that is named beside it, as it stood on that day. `<tier>.cache_read` is for what was read from the cache where
 * that has another factor than the rest. A tier that is not here has no known price (`task_base_v`): guessing list price
 * would be wrong by up to six times. Overrides may name more, and win.
 */
type Factors = Readonly<Record<string, number>>;

interface Vendor {
  /** Of every model whose id begins like this. */
  readonly prefix: string;
  readonly all: Factors;
  /** By the catalogue's id of a model. */
  readonly models: Readonly<Record<string, Factors>>;
}

/** OpenAI renamed priority processing to fast mode on 2026-07-30; both names are in use. */
const fast = (factor: number): Factors => ({ priority: factor, fast: factor });

const VENDORS: ReadonlyMap<string, Vendor> = new Map([
  [
    'openai',
    {
      prefix: '',
      // developers.openai.com/api/docs/pricing, 2026-07-30: batch; …/guides/flex-processing, 2026-11: "at Batch API rates".
      all: { batch: 0.5, flex: 0.5 },
      // openai.com/api-fast-mode, 2026-08-21, which gives amounts: 1.25 → 2.50 for gpt-5, and the same for cached input.
      models: {
        'gpt-5.6-sol': fast(2),
        'gpt-5.6-terra': fast(2),
        'gpt-5.6-luna': fast(2),
        'gpt-5.5': fast(2.5),
        'gpt-5.4': fast(2),
        'gpt-5.4-mini': fast(2),
        'gpt-5.2': fast(2),
        'gpt-5.1': fast(2),
        'gpt-5': fast(2),
        'gpt-5-mini': fast(1.8),
        'gpt-4.1': fast(1.75),
        'gpt-4.1-mini': fast(1.75),
        'gpt-4.1-nano': fast(2),
        'gpt-4o': fast(1.7),
        'gpt-4o-2024-05-13': fast(1.75),
        'gpt-4o-mini': fast(0.25 / 0.15),
        o3: fast(1.75),
        'o4-mini': fast(2 / 1.1),
      },
    },
  ],
  [
    'azure',
    // learn.microsoft.com/azure/ai-foundry/openai/how-to/batch, 2026: "50% less cost than global standard".
    { prefix: '', all: { batch: 0.5 }, models: {} },
  ],
  [
    'anthropic',
    {
      prefix: '',
      // platform.claude.com/docs/build-with-claude/batch-processing, 2026-11: half, cache reads and writes too. Its
      // priority tier is bought ahead by contract: no price per token is published.
      all: { batch: 0.5 },
      // …/fast-mode, 2026: 30 and 150 USD for Opus 4.6 and 4.7, 10 and 50 USD for 4.8 and 5; caching on top.
      models: {
        'claude-opus-4-6': { fast: 6 },
        'claude-opus-4-7': { fast: 6 },
        'claude-opus-4-8': { fast: 2 },
        'claude-opus-5': { fast: 2 },
      },
    },
  ],
  [
    'google',
    {
      prefix: 'gemini-',
      // ai.google.dev/gemini-api/docs/pricing, 2026-07-30: what is read from the cache costs the same in batch and flex.
      all: { batch: 0.5, 'batch.cache_read': 1, flex: 0.5, 'flex.cache_read': 1 },
      // The same page; …/docs/optimization says no more than "75% to 100% more" of the others.
      models: {
        'gemini-2.5-pro': { priority: 1.8 },
        'gemini-2.5-flash': { priority: 1.8 },
        'gemini-2.5-flash-lite': { priority: 1.8 },
      },
    },
  ],
  [
    'aws',
    // docs.aws.amazon.com/bedrock/latest/userguide/capacity-limits-cost-optimization.html, 2026: "50% cost savings vs
    // on-demand". Flex is "discounted" and priority has a "premium" there.
    { prefix: '', all: { batch: 0.5 }, models: {} },
  ],
  [
    'groq',
    // console.groq.com/docs/flex-processing, 2026: "Pricing matches the on-demand tier".
    { prefix: '', all: { flex: 1 }, models: {} },
  ],
]);

/** Factors by service tier in lower case, for a provider's and a model's id in the catalogue. */
export function serviceTiers(provider: string, model: string): (readonly [string, number])[] {
  const vendor = VENDORS.get(provider);
  if (vendor === undefined || !model.startsWith(vendor.prefix)) return [];
  return Object.entries({ ...vendor.all, ...vendor.models[model] });
}
