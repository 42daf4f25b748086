import { createHash, hash } from 'node:crypto';
import { runtime } from './runtime.ts';

const cacheSize = 64;
const prompts = new Map<string, string>();
const digestLength = 16;
const longText = 1_024;

/** Hash of a text, salted per project, 16 hex digits. */
export function digest(text: string): string {
  const salted = `${runtime().settings.hashSalt}\0`;
  // A short text is hashed in one call; putting a long one together would copy it.
  return (
    text.length < longText
      ? hash('sha256', salted + text, 'hex')
      : createHash('sha256').update(salted).update(text).digest('hex')
  ).slice(0, digestLength);
}

/**
 * Fingerprint of a system prompt (BEHAVIOUR §1.15): numbers, dates, ids, e-mails and quoted text are masked, so that the
 * same template filled in for another user or day keeps its fingerprint.
 */
export function promptFingerprint(prompt: string): string {
  const cached = prompts.get(prompt);
  if (cached !== undefined) return cached;
  const fingerprint = digest(maskPrompt(prompt));
  if (prompts.size >= cacheSize) prompts.delete(prompts.keys().next().value ?? '');
  prompts.set(prompt, fingerprint);
  return fingerprint;
}

/** A prompt without what varies from call to call. Linear in its length. */
export function maskPrompt(prompt: string): string {
  return prompt
    .replace(/"[^"\n]{0,400}"/g, '"*"')
    .replace(/[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}/g, '@')
    .replace(/[\w-]+/g, (word) => (/\d/.test(word) ? '#' : word))
    .replace(/#(?:[\s.,:/TZ+]{1,2}#)+/g, '#')
    .replace(/\s+/g, ' ')
    .trim();
}
