import type { Found, Rule } from '../rule.ts';
import { retiredModels } from './retired-models.ts';

/**
 * A model was used that its vendor shuts down within 90 days of the task's start, or has shut down by then. Reported
 * once per model. Blind spots: models that are not in the table; clouds that keep a model longer or shorter than its
 * vendor (Azure, Bedrock and Vertex are left out).
 */
export const deprecatedModel: Rule = {
  id: 'deprecated_model',
  version: 2,
  class: 'fact',
  severity: 'info',
  level: 'M',
  parameters: { days: 90 },
  find: ({ steps }, parameters, { startedAt, retired }) => {
    const days = parameters['days'] ?? 90;
    const told = new Set<string>();
    return steps.flatMap((step): Found[] => {
      const { request_model = '', response_model = '', provider = '' } = step.span ?? {};
      if (/azure|bedrock|vertex/i.test(provider)) return [];
      for (const name of [request_model, response_model]) {
        const retirement = retirementOf(name, retired);
        if (retirement === null || told.has(name)) continue;
        const { day, source } = retirement;
        const left = (Date.parse(day) - Number(startedAt / 1_000_000n)) / 86_400_000;
        if (left >= days) continue;
        told.add(name);
        const when = left <= 0 ? 'was shut down' : 'is going to be shut down';
        const text = `${name} ${when} by its vendor on ${day}`;
        return [{ step, spans: [step.span_id], text, detail: { retired_on: day, source } }];
      }
      return [];
    });
  },
};

interface Retirement {
  readonly day: string;
  readonly source: string;
}

function retirementOf(
  name: string,
  own: Readonly<Record<string, string | null>>,
): Retirement | null {
  const plain = name.split('/').at(-1) ?? '';
  for (const key of [name, plain]) {
    if (!Object.hasOwn(own, key)) continue;
    const day = own[key] ?? null;
    return day === null ? null : { day, source: 'settings' };
  }
  return retiredModels.get(plain) ?? null;
}
