import { describe, expect, it } from 'vitest';
import { BadPrices, parsePrices } from './schema.ts';

describe('parsePrices', () => {
  it('reads YAML', () => {
    const { prices } = parsePrices(`
prices:
  - provider: openai
    model: our-finetune
    valid_from: 2026-11-01T00:00:00Z
    tiers: [{ input_usd_per_mtok: 3, output_usd_per_mtok: 6 }]
    multipliers: { batch: 0.5 }
`);
    expect(prices[0]).toEqual({
      project: '*',
      provider: 'openai',
      model: 'our-finetune',
      valid_from: new Date('2026-11-01'),
      tiers: [{ from_input_tokens: 0, input_usd_per_mtok: 3, output_usd_per_mtok: 6 }],
      multipliers: { batch: 0.5 },
    });
  });

  it.each([
    ['prices: [', /./],
    ['prices: [{provider: p, model: m, tiers: []}]', /tiers/],
    [
      'prices: [{provider: p, model: m, tiers: [{input_usd_per_mtok: -1, output_usd_per_mtok: 1}]}]',
      /input_usd_per_mtok/,
    ],
    ['costs: []', /costs/],
    ['rates: [{ kind: tool, tool: search }]', /usd_per_call/],
    ['rates: [{ kind: human, usd_per_hour: 60 }]', /usd_per_hour/],
    [
      'rates: [{ kind: overhead, usd: 1, valid_from: 2026-02-01T00:00:00Z, valid_to: 2026-01-01T00:00:00Z }]',
      /valid_to/,
    ],
  ])('says what is wrong with %j', (text, message) => {
    expect(() => parsePrices(text)).toThrow(BadPrices);
    expect(() => parsePrices(text)).toThrow(message);
  });
});
