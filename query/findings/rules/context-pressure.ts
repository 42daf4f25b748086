import type { Step } from '../../decisions/model.ts';
import type { Found, Rule } from '../rule.ts';

/**
 * A model call filled more than a share of the model's context window, or the context was compacted. Reported once per
 * agent's run, at its fullest call.
 * Blind spots: models whose window the price list does not give; providers that report no input tokens.
 */
export const contextPressure: Rule = {
  id: 'context_pressure',
  version: 1,
  class: 'judgement',
  severity: 'warn',
  level: 'M',
  parameters: { ratio: 0.8 },
  find: ({ steps }, parameters, { windowOf }) => {
    const limit = parameters['ratio'] ?? 0.8;
    const fullest = new Map<string, Fill>();
    for (const step of steps) {
      const fill = fillOf(step, windowOf);
      if (fill === null) continue;
      const known = fullest.get(step.scope);
      if (known === undefined || fill.ratio > known.ratio) fullest.set(step.scope, fill);
    }
    return [...fullest.values()].flatMap((fill): Found[] => {
      if (fill.ratio <= limit && !fill.compacted) return [];
      const { step, tokens, window } = fill;
      const size = window === null ? '' : `: ${tokens} of ${window} input tokens`;
      const text = fill.compacted
        ? `the context of ${step.model} was compacted${size}`
        : `${step.model} worked with ${Math.round(fill.ratio * 100)} % of its context window${size}`;
      return [{ step, spans: [step.span_id], text }];
    });
  },
};

interface Fill {
  readonly step: Step;
  readonly tokens: number | null;
  readonly window: number | null;
  readonly ratio: number;
  readonly compacted: boolean;
}

function fillOf(step: Step, windowOf: Parameters<Rule['find']>[2]['windowOf']): Fill | null {
  const tokens = step.span?.input_tokens ?? null;
  const window = windowOf(step.span?.provider ?? '', step.model ?? '');
  const compacted = step.finish === 'compaction';
  const ratio = tokens === null || window === null || window === 0 ? 0 : tokens / window;
  if (ratio === 0 && !compacted) return null;
  // A compaction says more than any share.
  return { step, tokens, window, ratio: compacted ? Math.max(1, ratio) : ratio, compacted };
}
