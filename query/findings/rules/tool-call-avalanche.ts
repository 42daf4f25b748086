import type { Call } from '../../decisions/model.ts';
import type { Background } from '../background.ts';
import type { Found, Parameters, Rule } from '../rule.ts';
import { spansOfCalls } from '../rule.ts';

/**
 * One decision called more tools at once than any sensible plan needs, or the task made several times as many calls as
 * 99 % of its workflow's tasks on the days before.
 * Blind spots: workflows seen too seldom; those whose tasks differ in size by nature.
 */
export const toolCallAvalanche: Rule = {
  id: 'tool_call_avalanche',
  version: 2,
  class: 'judgement',
  severity: 'warn',
  level: 'M',
  parameters: { calls: 20, task_calls: 50, times_p99: 5, minimum_tasks: 50 },
  find: ({ steps, calls }, parameters, background) => {
    const most = parameters['calls'] ?? 20;
    const atOnce = steps
      .filter(({ chosen }) => (chosen?.calls.length ?? 0) > most)
      .map((step) => ({
        step,
        spans: [step.span_id],
        text: `one decision made ${step.chosen?.calls.length} calls, more than ${most}`,
      }));
    return [...atOnce, ...inAll(calls, parameters, background)];
  },
};

function inAll(
  all: readonly Call[],
  parameters: Parameters,
  { calls: usual, baseline }: Background,
): Found[] {
  const { task_calls = 50, times_p99 = 5, minimum_tasks = 50 } = parameters;
  if (usual === null || usual.n < minimum_tasks) return [];
  const most = Math.max(task_calls, Math.round(times_p99 * usual.p99));
  const call = all[most];
  if (call === undefined) return [];
  const text = `the task made ${all.length} calls; 99 % of ${usual.n} tasks of its workflow made ${Math.round(usual.p99)} or fewer`;
  const spans = spansOfCalls(all.slice(most));
  return [{ step: call.step, call, spans, text, detail: { baseline } }];
}
