import type { Found, Rule } from '../rule.ts';

/**
 * Another model answered than the one that was asked for, after aliases and snapshot suffixes (`gpt-4o` answered by
 * `gpt-4o-2024-08-06` is the same). Blind spots: deployments with names of their own; gateways that report the name
 * asked for. Reported once per pair of models.
 */
export const modelSubstituted: Rule = {
  id: 'model_substituted',
  version: 1,
  class: 'fact',
  severity: 'info',
  level: 'M',
  parameters: {},
  find: ({ steps }) => {
    const told = new Set<string>();
    return steps.flatMap((step): Found[] => {
      const { request_model: asked = '', response_model: answered = '' } = step.span ?? {};
      if (asked === '' || answered === '' || sameModel(asked, answered)) return [];
      const pair = `${asked}\n${answered}`;
      if (told.has(pair)) return [];
      told.add(pair);
      return [
        { step, spans: [step.span_id], text: `${asked} was asked for, ${answered} answered` },
      ];
    });
  },
};

const snapshot =
  /([-@:](\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{4}|v\d+(:\d+)?|latest|preview|exp|free|\d{2}-\d{2}))+$/;

function plain(model: string): string {
  const name = model.toLowerCase().split('/').at(-1) ?? '';
  return name
    .replace(/^(?:[a-z]{2,4}\.)?(?:anthropic|amazon|meta|mistral|cohere)\./, '')
    .replace(snapshot, '');
}

/** Whether two names mean one model: without vendor prefix, date, version and channel. */
export function sameModel(asked: string, answered: string): boolean {
  return plain(asked) === plain(answered);
}
