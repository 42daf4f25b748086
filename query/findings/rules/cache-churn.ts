import type { Rule } from '../rule.ts';

/**
 * The task wrote much into the prompt cache and read little of it again: the prefix changes between calls.
 * Blind spots: providers that do not report cache writes; a cache that later tasks read.
 */
export const cacheChurn: Rule = {
  id: 'cache_churn',
  version: 1,
  class: 'fact',
  severity: 'info',
  level: 'M',
  parameters: { write_tokens: 20_000, share_of_reads: 0.25 },
  find: ({ steps }, parameters) => {
    const { write_tokens = 20_000, share_of_reads = 0.25 } = parameters;
    const sum = (name: 'cache_write_tokens' | 'cache_read_tokens') =>
      steps.reduce((total, { span }) => total + (span?.[name] ?? 0), 0);
    const written = sum('cache_write_tokens');
    const read = sum('cache_read_tokens');
    if (written < write_tokens || written < share_of_reads * read) return [];
    const writers = steps
      .filter(({ span }) => (span?.cache_write_tokens ?? 0) > 0)
      .toSorted((a, b) => (b.span?.cache_write_tokens ?? 0) - (a.span?.cache_write_tokens ?? 0));
    const [step = null] = writers;
    const text = `${written} tokens were written to the prompt cache and ${read} read from it`;
    return [{ step, spans: writers.slice(0, 10).map(({ span_id }) => span_id), text }];
  },
};
