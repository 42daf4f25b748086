import { describe, expect, it } from 'vitest';
import { priceRows } from './ensure.ts';

/** USD for a million tokens in and out, at a tier. */
function perMillion(provider: string, model: string, tier: string): [number, number] {
  const row = priceRows('p', { provider, model }).at(-1);
  const factor = row?.multipliers.find(([name]) => name === tier)?.[1] ?? 1;
  const [, input = 0, output = 0] = row?.tiers[0] ?? [];
  return [input * factor * 1e6, output * factor * 1e6];
}

describe('service tiers', () => {
  // The vendors' price pages, which give these amounts and no factors.
  it.each([
    ['openai', 'gpt-5', 'flex', 0.625, 5],
    ['openai', 'gpt-5', 'batch', 0.625, 5],
    ['openai', 'gpt-5-2025-08-07', 'priority', 2.5, 20],
    ['openai', 'gpt-5-mini', 'priority', 0.45, 3.6],
    ['openai.responses', 'gpt-4.1', 'priority', 3.5, 14],
    ['openai', 'gpt-4o', 'priority', 4.25, 17],
    ['openai', 'gpt-4o', 'default', 2.5, 10],
    ['anthropic', 'claude-sonnet-4-5', 'batch', 1.5, 7.5],
    ['anthropic', 'claude-sonnet-4-5', 'standard', 3, 15],
    ['gcp.gemini', 'gemini-2.5-pro', 'batch', 0.625, 5],
  ])('%s %s %s costs %d and %d', (provider, model, tier, input, output) => {
    const [inputCost, outputCost] = perMillion(provider, model, tier);
    expect(inputCost).toBeCloseTo(input, 9);
    expect(outputCost).toBeCloseTo(output, 9);
  });
});
