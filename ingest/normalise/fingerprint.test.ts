import { beforeAll, describe, expect, it } from 'vitest';
import xxhash from 'xxhash-wasm';
import { createFingerprints, type FingerprintInput, normalisePrompt } from './fingerprint.ts';
import { batch, type Plain, span } from './fixtures.ts';
import { createNormaliser, type Normaliser } from './normaliser.ts';

let normaliser: Normaliser;
let fingerprints: ReturnType<typeof createFingerprints>;
beforeAll(async () => {
  normaliser = await createNormaliser();
  const { h64 } = await xxhash();
  fingerprints = createFingerprints((text) => h64(text));
});

const empty: FingerprintInput = { statedPrompt: '', statedToolset: '', system: '', tools: [] };

describe('a normalised prompt', () => {
  it.each([
    ['Today is November 20, 2026.', 'Today is December 3, 2027.'],
    ['The time is 2026-11-20T12:00:00Z.', 'The time is 2027-01-02T03:04:05Z.'],
    ['User mia_li_3668 asks', 'User raj_x_12 asks'],
    ['Order #W2378156', 'Order #W9989898'],
    [
      'Session 3f2b8a90-1111-4222-8333-444455556666',
      'Session 0aab8a90-9111-4222-8333-944455556667',
    ],
    ['Mail ann@example.com now', 'Mail bob.b@mail.example.org now'],
    ['Call the user "Ann"', 'Call the user "Bob Brown"'],
    ["Call the user 'Ann'", "Call the user 'Bob Brown'"],
    ['Monday shift', 'Friday shift'],
    ['a  b\nc', 'a b c'],
  ])('%s is the same prompt as %s', (a, b) => {
    expect(normalisePrompt(a)).toBe(normalisePrompt(b));
  });

  it.each([
    ["Don't refund. You can't.", "Don't cancel. You can't."],
    ['Be brief', 'Be polite'],
    ['Never refund', 'Always refund'],
  ])('%s is another prompt than %s', (a, b) => {
    expect(normalisePrompt(a)).not.toBe(normalisePrompt(b));
  });

  it('takes time linear in its length, whatever the text', () => {
    for (const unit of ['a', 'a.', '1', '1a-', '"', "'", " '", '@', 'a@a.', '\n']) {
      expect(normalisePrompt(unit.repeat(100_000))).toBeTypeOf('string');
    }
  });
});

describe('the version of an agent', () => {
  const tool = '{"type":"function","name":"a","parameters":{"x":1,"y":2}}';

  it('depends on prompt and tools, not on the order of tools or keys', () => {
    const other = '{"type":"function","name":"b"}';
    const same = '{"parameters":{"y":2,"x":1},"name":"a","type":"function"}';
    const version = (input: Partial<FingerprintInput>) =>
      fingerprints({ ...empty, system: 'Be brief', ...input }).agentVersion;
    expect(version({ tools: [tool, other] })).toBe(version({ tools: [other, same] }));
    expect(version({ tools: [tool] })).not.toBe(version({ tools: [tool, other] }));
    expect(version({ tools: [tool] })).not.toBe(version({ tools: [tool], system: 'Be polite' }));
  });

  it('is unknown without either', () => {
    expect(fingerprints(empty)).toEqual({ prompt: '', toolset: '', agentVersion: '' });
  });

  it('comes from the stated fingerprints at every content level', () => {
    const stated = { statedPrompt: 'p', statedToolset: 't' };
    const withContent = fingerprints({
      statedPrompt: 'p',
      statedToolset: 't',
      system: 'x',
      tools: [tool],
    });
    expect(withContent).toEqual(fingerprints({ ...empty, ...stated }));
  });

  it('is the same for system instructions and for a system message', () => {
    const version = (attributes: { [key: string]: Plain }) => {
      const all = { 'gen_ai.operation.name': 'chat', ...attributes };
      const { spans } = normaliser.normaliseSpans('p', [batch([span({ attributes: all })])]);
      return spans[0]?.agent_version_hash;
    };
    const instructions = version({
      'gen_ai.system_instructions': '[{"type":"text","content":"Be brief"}]',
    });
    const message = version({
      'gen_ai.input.messages': '[{"role":"system","content":"Be brief"}]',
    });
    expect(instructions).toMatch(/^[0-9a-f]{16}$/);
    expect(message).toBe(instructions);
  });
});
