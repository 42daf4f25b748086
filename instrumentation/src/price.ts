import { type Attributes, diag } from '@opentelemetry/api';
import { guard } from './guard.ts';
import { runtime, scope } from './runtime.ts';

/** Tokens of one call; the input includes what was read from and written to a cache, the output includes reasoning. */
export interface PricedUsage {
  readonly provider: string;
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
}

/** US dollars of one call, or `undefined` when the price is not known. */
export type Price = (usage: PricedUsage) => number | undefined;

/** Cost of a recorded call: as reported, else as priced. `undefined` is unknown, and said to `diag` once per model. */
export function costOf(attributes: Attributes): number | undefined {
  const reported = attributes['gen_ai.usage.cost'];
  if (typeof reported === 'number') return reported;
  const price = runtime().guards?.price;
  const count = (key: string): number => Number(attributes[`gen_ai.usage.${key}`] ?? 0);
  const model = String(
    attributes['gen_ai.response.model'] ?? attributes['gen_ai.request.model'] ?? '',
  );
  const usage = {
    provider: String(attributes['gen_ai.provider.name'] ?? ''),
    model,
    inputTokens: count('input_tokens'),
    outputTokens: count('output_tokens'),
    cacheReadTokens: count('cache_read.input_tokens'),
    cacheWriteTokens: count('cache_write.input_tokens'),
  };
  const usd = price && guard('price', () => price(usage), undefined);
  if (usd === undefined) tellUnpriced(model);
  return usd;
}

function tellUnpriced(model: string): void {
  const { failures } = runtime();
  const step = `budget.unpriced ${model}`;
  if (!failures.has(step) && failures.size < 200) {
    diag.warn(`${scope.name}: no price for ${model}: a usd budget does not see its cost`);
    failures.set(step, 1);
  }
}

interface GenaiPrices {
  calcPrice(
    usage: Record<string, number>,
    model: string,
    options: { providerId?: string },
  ): { total_price: number } | null;
}

/** Prices of `@pydantic/genai-prices`, when the application has it installed. Takes 50 ms to load, so only on demand. */
export async function loadPrices(): Promise<Price | undefined> {
  try {
    const name: string = '@pydantic/genai-prices';
    const { calcPrice } = (await import(name)) as GenaiPrices;
    return ({ model, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }) =>
      calcPrice(
        {
          input_tokens: inputTokens,
          output_tokens: outputTokens,
          cache_read_tokens: cacheReadTokens,
          cache_write_tokens: cacheWriteTokens,
        },
        model.replace(/^[\w.-]+\//, ''),
        {},
      )?.total_price;
  } catch {
    return undefined;
  }
}
