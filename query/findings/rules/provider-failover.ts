import type { Step } from '../../decisions/model.ts';
import type { Found, Rule } from '../rule.ts';

/**
 * One and the same request went to two providers. Reported once per pair.
 * Blind spots: requests without a reported hash; gateways that fail over by themselves and report one provider.
 */
export const providerFailover: Rule = {
  id: 'provider_failover',
  version: 1,
  class: 'fact',
  severity: 'info',
  level: 'M',
  parameters: {},
  find: ({ steps }) => {
    const first = new Map<string, { readonly provider: string; readonly span: string }>();
    const told = new Set<string>();
    return steps.flatMap((step) =>
      callsOf(step).flatMap(({ hash, provider, span }): Found[] => {
        const before = first.get(hash);
        if (before === undefined) {
          first.set(hash, { provider, span });
          return [];
        }
        const pair = `${before.provider}\n${provider}`;
        if (before.provider === provider || told.has(pair)) return [];
        told.add(pair);
        const text = `a request to ${before.provider} was sent to ${provider} as well`;
        return [{ step, spans: [before.span, span], text }];
      }),
    );
  },
};

function callsOf({ attempts }: Step) {
  return attempts
    .filter(({ request_hash, provider }) => request_hash !== '' && provider !== '')
    .map((span) => ({ hash: span.request_hash, provider: span.provider, span: span.span_id }));
}
