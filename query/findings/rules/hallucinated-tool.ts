import type { Rule } from '../rule.ts';
import { callSpans } from '../rule.ts';

/**
 * A call names a tool that was not among those offered to that very call.
 * Blind spots: calls whose offered tools were not captured; tools that the provider runs itself are left out.
 */
export const hallucinatedTool: Rule = {
  id: 'hallucinated_tool',
  version: 1,
  class: 'fact',
  severity: 'error',
  level: 'M',
  parameters: {},
  find: ({ calls }) =>
    calls.flatMap((call) => {
      const { step, tool, server, result } = call;
      const offered = step?.toolset?.tools;
      const external = ['extension', 'datastore'].includes(result.span?.tool_type ?? '');
      if (offered === undefined || tool === '' || server || external) return [];
      if (offered.includes(tool)) return [];
      const text = `${tool} was called but is none of the ${offered.length} tools offered: ${offered.join(', ')}`;
      return [{ step, call, spans: callSpans(call), text }];
    }),
};
