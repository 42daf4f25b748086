import { expect, it } from 'vitest';
import {
  type ChatMessage,
  call,
  calls,
  result,
  says,
  scenario,
  user,
} from '../../test/decisions/scenario.ts';
import { deriveTrajectory } from '../decisions/derive.ts';
import { noBackground } from './background.ts';
import { findDefects } from './find.ts';
import { measure } from './measures.ts';

const schema = {
  type: 'function',
  name: 'pay',
  parameters: { type: 'object', properties: { sum: { type: 'number' } }, required: ['sum'] },
};

it('counts a trajectory as a person would on paper', () => {
  const s = scenario();
  const messages: ChatMessage[] = [user('pay order A1B2C3')];
  const act = (id: string, tool: string, args: unknown, returned: string, own: object = {}) => {
    const made = calls(call(id, tool, args));
    s.model({ input: [...messages], output: made, tools: [schema], input_tokens: 500 });
    s.tool({ tool_name: tool, tool_call_id: id, result: returned, ...own });
    messages.push(made, result(id, returned));
  };
  act('c1', 'get_order', { id: 'A1B2C3' }, '{"sum": 4711, "owner": "mia_li"}');
  act('c2', 'get_order', { id: 'A1B2C3' }, '{"sum": 4711, "owner": "mia_li"}');
  act('c3', 'get_weather', {}, '{"sky": "cloudy"}');
  act('c4', 'pay', { amount: 4711 }, 'declined', { attributes: { decision: 'reject' } });
  act('c5', 'pay', { sum: 4711 }, '{"receipt": "R-998877"}');
  s.model({ input: [...messages], output: says('Paid, receipt R-998877.'), input_tokens: 900 });

  const trajectory = deriveTrajectory(s.evidence());
  const background = { ...noBackground, windowOf: () => 1000 };
  expect(measure(trajectory, findDefects(trajectory, {}, background), background)).toEqual({
    decisions: 6,
    model_calls: 6,
    tool_calls: 5,
    unnecessary_calls: 1,
    // Only pay has a schema: `sum` is missing once.
    judged_arguments: 2,
    invalid_arguments: 1,
    blocked_calls: 1,
    handoffs: 0,
    failed_handoffs: 0,
    // Used: the first order (4711 is paid) and the receipt (named in the answer).
    known_results: 5,
    unused_results: 3,
    order_rules: 0,
    planned_steps: 0,
    followed_steps: 0,
    broken_order_rules: 0,
    iterations: 6,
    peak_context_ratio: 0.9,
    confidences: [],
  });
});
