import type { Call } from '../../decisions/model.ts';
import { cut, oneLine } from '../../decisions/wording.ts';
import type { Background } from '../background.ts';
import type { Found, Parameters, Rule } from '../rule.ts';
import { resultSpans } from '../rule.ts';

/**
 * A tool reported success, but its result reads as an error (BEHAVIOUR §2, "content"), is refused by the tool's own check
 * (`agent.tool.result.valid`), or has a shape (top type and keys) that almost none of its results of the days before had.
 * Blind spots: errors worded otherwise, in other languages, or below the top level of JSON; shapes of tools that
 * return whatever they like (more than 20 shapes) or were called too seldom.
 */
export const silentToolFailure: Rule = {
  id: 'silent_tool_failure',
  version: 4,
  class: 'judgement',
  severity: 'warn',
  level: 'M',
  parameters: { shape_share: 0.02, minimum_results: 50, maximum_shapes: 20 },
  find: ({ calls }, parameters, background) =>
    calls.flatMap((call): Found[] => {
      const { status, detected_by, valid } = call.result;
      if (status === 'error' && detected_by === 'content') return [byContent(call)];
      if (status === 'ok' && valid === false) return [byCheck(call)];
      return status === 'ok' ? byShape(call, parameters, background) : [];
    }),
};

function byContent(call: Call): Found {
  const { span, text } = call.result;
  const claimed = span === null ? '' : ' with status OK';
  const said = text === null ? '' : `: ${cut(oneLine(text), 160)}`;
  return {
    step: call.step,
    call,
    spans: resultSpans(call),
    text: `${call.tool} returned an error text${claimed}${said}`,
  };
}

function byCheck(call: Call): Found {
  const text = `${call.tool} returned a result that its own check refuses, with status OK`;
  return { step: call.step, call, spans: resultSpans(call), text, detail: { by: 'check' } };
}

function byShape(call: Call, parameters: Parameters, { shapesOf, baseline }: Background): Found[] {
  const { shape_share = 0.02, minimum_results = 50, maximum_shapes = 20 } = parameters;
  const shape = call.result.span?.tool_result_shape ?? '';
  const usual = shape === '' ? null : shapesOf(call.tool);
  if (usual === null || usual.n < minimum_results || usual.counts.size > maximum_shapes) return [];
  const seen = usual.counts.get(shape) ?? 0;
  if (seen >= shape_share * usual.n) return [];
  const [most = ''] = [...usual.counts].toSorted((a, b) => b[1] - a[1])[0] ?? [];
  const text = `${call.tool} returned ${shape}, as in ${seen} of ${usual.n} results before; usual is ${most}`;
  return [
    { step: call.step, call, spans: resultSpans(call), text, detail: { baseline, by: 'shape' } },
  ];
}
