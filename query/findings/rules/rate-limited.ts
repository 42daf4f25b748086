import type { Rule } from '../rule.ts';

/**
 * The task lost time to rate limits: from refused model calls to the next try.
 * Blind spots: retries inside a client that sends one span for all tries; limits of tools.
 */
export const rateLimited: Rule = {
  id: 'rate_limited',
  version: 1,
  class: 'fact',
  severity: 'info',
  level: 'M',
  parameters: { seconds: 10 },
  find: ({ steps, spans, task }, parameters, { rateLimitedMs }) => {
    const least = parameters['seconds'] ?? 10;
    if (rateLimitedMs < least * 1000) return [];
    const refused = spans.filter(
      ({ kind, status, error_type }) =>
        kind === 'llm' && status === 'error' && /\b429\b|rate.?limit/i.test(error_type),
    );
    const [first] = refused;
    if (first === undefined) return [];
    const step = steps.find(({ attempts }) => attempts.includes(first)) ?? null;
    const of = task.duration_ms === null ? '' : ` of ${seconds(task.duration_ms)}`;
    const text = `${seconds(rateLimitedMs)}${of} were spent waiting after ${refused.length} calls refused for their rate`;
    return [{ step, spans: refused.slice(0, 50).map(({ span_id }) => span_id), text }];
  },
};

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
