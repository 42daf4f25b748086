import { calcPrice, findProvider } from '@pydantic/genai-prices';
import { describe, expect, it } from 'vitest';
import { listPrice } from './catalogue.ts';

interface Request {
  readonly input: number;
  readonly output: number;
  readonly read?: number;
  readonly write?: number;
  readonly write1h?: number;
}

/** Cost in USD by our rows. */
function cost(provider: string, model: string, request: Request, on = '2026-06-01'): number | null {
  const found = listPrice(provider, model);
  const dated = found?.dated.findLast((one) => one.validFrom <= Date.parse(on));
  const tier = dated?.tiers.findLast((one) => one[0] <= BigInt(request.input));
  if (tier === undefined) return null;
  const { input, output, read = 0, write = 0, write1h = 0 } = request;
  return (
    (input - read - write) * tier[1] +
    output * tier[2] +
    read * tier[3] +
    (write - write1h) * tier[4] +
    write1h * tier[5]
  );
}

const K = { input: 1000, output: 1000 };

describe('listPrice', () => {
  // USD for 1k tokens in and 1k out, from the vendors' price pages.
  it.each([
    ['openai', 'gpt-4o', 0.0125],
    ['openai', 'gpt-5-mini', 0.00225],
    ['openai', 'gpt-5.5', 0.035],
    ['openai', 'o3', 0.01],
    ['anthropic', 'claude-sonnet-4-5', 0.018],
    ['anthropic', 'claude-haiku-4-5', 0.006],
    ['gcp.gemini', 'gemini-2.5-pro', 0.01125],
    ['aws.bedrock', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', 0.0198],
  ])('prices %s %s', (provider, model, expected) => {
    expect(cost(provider, model, K)).toBeCloseTo(expected, 12);
  });

  it('has the price of the day: o3 became cheaper on 2025-06-10', () => {
    expect(cost('openai', 'o3', K, '2025-06-09')).toBeCloseTo(0.05, 12);
    expect(cost('openai', 'o3', K, '2025-06-10')).toBeCloseTo(0.01, 12);
  });

  it('prices cache reads and both kinds of cache writes', () => {
    const request = { input: 10_000, output: 1_000, read: 6_000, write: 3_000 };
    expect(cost('anthropic', 'claude-sonnet-4-5', request)).toBeCloseTo(0.03105, 12);
    expect(cost('anthropic', 'claude-sonnet-4-5', { ...request, write1h: 2_000 })).toBeCloseTo(
      0.03555,
      12,
    );
  });

  it('prices the whole request at the tier of its size', () => {
    const of = (input: number) => cost('anthropic', 'claude-sonnet-4-5', { input, output: 0 });
    expect(of(200_000)).toBeCloseTo(0.6, 9);
    expect(of(200_001)).toBeCloseTo(1.200006, 9);
    const gpt = (input: number) => cost('openai', 'gpt-5.5', { input, output: 0 });
    expect(gpt(271_999)).toBeCloseTo(271_999 * 5e-6, 9);
    expect(gpt(272_000)).toBeCloseTo(272_000 * 10e-6, 9);
  });

  it.each([
    ['openai', 'openai/gpt-4o', 0.0125],
    ['', 'openai/gpt-4o', 0.0125],
    ['', 'gpt-4o', 0.0125],
    ['langchain', 'gpt-4o', 0.0125],
    ['litellm', 'anthropic/claude-sonnet-4-5', 0.018],
    ['openai', 'gpt-4o-2024-08-06', 0.0125],
    ['openai', 'gpt-4o-2030-01-31', 0.0125],
    ['OpenAI', 'GPT-4o', 0.0125],
    ['azure.ai.openai', 'gpt-4o', 0.0125],
    ['gcp.gen_ai', 'models/gemini-2.5-pro', 0.01125],
    ['gcp.vertex_ai', 'publishers/google/models/gemini-2.5-pro', 0.01125],
    ['anthropic', 'claude-sonnet-4-5@20250929', 0.018],
  ])('understands %s %s', (provider, model, expected) => {
    expect(cost(provider, model, K)).toBeCloseTo(expected, 12);
  });

  it.each(['x_ai', 'gcp.gen_ai', 'azure.ai.inference', 'fireworks_ai', 'moonshot_ai'])(
    'knows the provider %s, so that its models are priced nowhere else',
    (provider) => {
      expect(listPrice(provider, 'command-r-plus')).toBeNull();
      expect(listPrice('some gateway', 'command-r-plus')).not.toBeNull();
    },
  );

  it.each([
    ['openai', 'claude-sonnet-4-5'],
    ['openai', 'no-such-model'],
    ['ollama', 'gpt-4o'],
    ['groq', 'whisper-large-v3'],
    ['openai', 'gpt-audio'],
    ['openai', 'gpt-realtime'],
    ['openai', 'gpt-4o-transcribe'],
    ['openai', 'gpt-image-1'],
    ['gcp.gemini', 'gemini-2.5-flash-image'],
    ['aws.bedrock', 'amazon.nova-sonic-v1:0'],
    ['', ''],
    ['', '/'],
    ['openai', `gpt-4o-${'x'.repeat(100_000)}`],
    ['__proto__', 'constructor'],
  ])('answers null for %s %s', (provider, model) => {
    expect(listPrice(provider, model)).toBeNull();
  });

  it('gives the size of the context where it is known', () => {
    expect(listPrice('openai', 'gpt-4o')?.contextWindow).toBe(128_000);
    expect(listPrice('mistral', 'mistral-large-latest')?.contextWindow).toBeNull();
  });

  it('agrees with the catalogue’s own arithmetic for every model, tier and date', () => {
    const requests = [
      { input: 1_000, output: 500 },
      { input: 150_000, output: 10, read: 90_000, write: 20_000 },
      { input: 400_000, output: 10, read: 90_000, write: 20_000, write1h: 5_000 },
    ];
    let compared = 0;
    const unpriced = new Set<string>();
    for (const id of ['openai', 'anthropic', 'google', 'aws', 'mistral', 'x-ai', 'openrouter']) {
      for (const model of findProvider({ providerId: id })?.models ?? []) {
        const silent = listPrice(id, model.id) === null;
        for (const on of ['2024-01-01', '2025-07-01', '2026-10-01']) {
          for (const request of requests) {
            const expected = oracle(id, model.id, request, on);
            if (expected === null) continue;
            if (silent) {
              unpriced.add(model.id);
              continue;
            }
            expect(cost(id, model.id, request, on), `${id} ${model.id} ${on}`).toBeCloseTo(
              expected,
              9,
            );
            compared++;
          }
        }
      }
    }
    expect(compared).toBeGreaterThan(5_000);
    expect([...unpriced].sort()).toEqual(SPEECH_AND_PICTURES);
  });
});

// What is billed by modality, which a call does not tell; by hand.
const SPEECH_AND_PICTURES = `
  amazon.nova-2-sonic-v1:0
  amazon.nova-sonic-v1:0
  gemini-2.5-flash-image
  gemini-3-pro-image-preview
  gemini-3.1-flash-image-preview
  gemini-3.1-flash-lite-image
  gemini-3.1-flash-live-preview
  gemini-live-2.5-flash
  gemini-omni-flash-preview
  google/gemini-2.5-flash-image
  google/gemini-3-pro-image-preview
  google/gemini-3.1-flash-image-preview
  gpt-4o-audio-preview
  gpt-4o-mini-audio-preview
  gpt-4o-mini-realtime-preview
  gpt-4o-mini-transcribe
  gpt-4o-realtime-preview
  gpt-4o-transcribe
  gpt-5-image
  gpt-5-image-mini
  gpt-5.4-image-2
  gpt-audio
  gpt-audio-mini
  gpt-image-1
  gpt-image-1-mini
  gpt-image-1.5
  gpt-image-2
  gpt-realtime
  gpt-realtime-2
  gpt-realtime-mini
  openai/gpt-5-image
  openai/gpt-5-image-mini
  openai/gpt-5.4-image-2
  openai/gpt-audio
  openai/gpt-audio-mini
`
  .trim()
  .split(/\s+/);

/** Null for what has no price per token and for what is also billed in other units. */
function oracle(providerId: string, model: string, request: Request, on: string): number | null {
  const usage = {
    input_tokens: request.input,
    output_tokens: request.output,
    ...(request.read !== undefined && { cache_read_tokens: request.read }),
    ...(request.write !== undefined && { cache_write_tokens: request.write }),
    ...(request.write1h !== undefined && { cache_write_1h_tokens: request.write1h }),
  };
  const found = calcPrice(usage, model, { providerId, timestamp: new Date(on) });
  const price = found?.model_price;
  if (!found || price?.['input_mtok'] === undefined || price['requests_kcount'] !== undefined) {
    return null;
  }
  return found.total_price;
}
