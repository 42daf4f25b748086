import type { Found, Rule } from '../rule.ts';

/**
 * Another model answered than the one that was asked for, after aliases and snapshot suffixes (`gpt-4o` answered by
 * `gpt-4o-2024-08-06` is the same). Deployments of Azure have names of their own: they are left out. Blind spots: gateways that report the name
 * asked for. Reported once per pair of models.
 */
export const modelSubstituted: Rule = {
  id: 'model_substituted',
  version: 2,
  class: 'fact',
  severity: 'info',
  level: 'M',
  parameters: {},
  find: ({ steps }) => {
    const told = new Set<string>();
    return steps.flatMap((step): Found[] => {
      const { request_model: asked = '', response_model: answered = '' } = step.span ?? {};
      if (/azure/i.test(step.span?.provider ?? '')) return [];
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
  /([-@:](\d{4}-\d{2}-\d{2}|\d{2}-\d{4}|\d{8}|\d{6}|\d{4}|00\d|0|v\d+(:\d+)?|latest|preview|exp|free|\d{2}-\d{2}))+$/;

function plain(model: string): string {
  const name = model.toLowerCase().split('/').at(-1) ?? '';
  return name
    .replace(/^(?:[a-z-]{2,6}\.)?(?:anthropic|amazon|meta|mistral|cohere|deepseek|openai)\./, '')
    .replace(/^gpt-35/, 'gpt-3.5')
    .replace(snapshot, '');
}

// Names of routers and deployments, which say nothing of the model behind them.
const router = /(?:^|[/-])(?:auto|router)$|^arn:/;
// Each ever stood for the newest snapshot of a family that is named otherwise.
const renamed = new Map([['gpt-4-turbo-preview', 'gpt-4']]);

/**
 * Whether two names mean one model: without vendor prefix, date, version and channel. A name that stands for the latest
 * of a family (`gemini-flash-latest`) means every model that has all its words.
 */
export function sameModel(asked: string, answered: string): boolean {
  const name = asked.toLowerCase();
  if (router.test(name)) return true;
  const own = renamed.get(name) ?? plain(name);
  const other = plain(answered);
  if (own === other) return true;
  if (!/[-:]latest$/.test(name)) return false;
  const words = new Set(other.split('-'));
  return own.split('-').every((word) => words.has(word));
}
