import { createHash } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { digest, maskPrompt, promptFingerprint } from './fingerprint.ts';
import { defaults, runtime } from './runtime.ts';

afterEach(() => {
  runtime().settings = defaults;
});

const prompt = (user: string, day: string): string =>
  `You help "${user}" (${user.toLowerCase()}@shop.example, id u_${user.length}81). Today is ${day}.\n  Refund at most $50.00.`;

it.each([3, 1_023, 1_024, 50_000])('a digest of %i characters is salted SHA-256', (length) => {
  runtime().settings = { ...defaults, hashSalt: 'salt' };
  const text = 'é'.repeat(length);
  const whole = createHash('sha256')
    .update(Buffer.from(`salt\0${text}`))
    .digest('hex');
  expect(digest(text)).toBe(whole.slice(0, 16));
});

it('is the same for one template, whoever and whenever it is filled in for', () => {
  const fingerprint = promptFingerprint(prompt('Mia', '2026-11-20T10:00:00Z'));
  expect(promptFingerprint(prompt('Johannes', '2027-01-02 23:59'))).toBe(fingerprint);
});

it('differs when a word of the template differs', () => {
  const text = prompt('Mia', '2026-11-20');
  expect(promptFingerprint(text.replace('help', 'obey'))).not.toBe(promptFingerprint(text));
});

it('masks only what varies', () => {
  expect(maskPrompt(prompt('Mia', '2026-11-20'))).toBe(
    'You help "*" (@, id #). Today is #. Refund at most $#.',
  );
});

it('ends soon on what provokes backtracking', () => {
  for (const text of ['"'.repeat(200_001), 'a'.repeat(400_000), '1.'.repeat(100_000)]) {
    expect(maskPrompt(text).length).toBeLessThanOrEqual(2 * text.length);
  }
});

it('hashes with the salt of the project', () => {
  const unsalted = digest('x');
  runtime().settings = { ...defaults, hashSalt: 'pepper' };
  expect(digest('x')).not.toBe(unsalted);
});
