import { expect, it } from 'vitest';
import { call, calls, result, says, scenario, user } from '../../test/decisions/scenario.ts';
import { deriveTrajectory } from '../decisions/derive.ts';
import { agentParts, criticalParts } from './agents.ts';
import { planAdherence } from './plans.ts';

it('tells each agent’s part, who gave it, and what decided when the task ended', () => {
  const s = scenario();
  const at = (ms: number) => 1_760_000_000_000_000_000n + BigInt(ms) * 1_000_000n;
  const root = s.span({ kind: 'agent', agent_name: 'lead', start: at(0), end: at(1_000) });
  const lead = { parent_id: root.span_id, agent_name: '', input_tokens: 10, output_tokens: 2 };
  const both = calls(call('a', 'ask_scout', { q: 'x' }), call('b', 'get_clock', {}));
  s.model({ ...lead, input: [user('go')], output: both, start: at(0), end: at(100) });
  const tool = s.tool({
    ...lead,
    tool_name: 'ask_scout',
    tool_call_id: 'a',
    result: 'found',
    start: at(100),
    end: at(700),
  });
  // Ran beside the scout and ended before it: it decided nothing.
  s.tool({
    ...lead,
    tool_name: 'get_clock',
    tool_call_id: 'b',
    result: '9',
    start: at(100),
    end: at(200),
  });
  const scout = s.span({
    kind: 'agent',
    agent_name: 'scout',
    parent_id: tool.span_id,
    start: at(150),
    end: at(650),
  });
  s.model({
    parent_id: scout.span_id,
    agent_name: '',
    input: [user('x')],
    output: says('found'),
    start: at(150),
    end: at(550),
  });
  const seen = [user('go'), both, result('a', 'found'), result('b', '9')];
  s.model({ ...lead, input: seen, output: says('done'), start: at(700), end: at(950) });
  const trajectory = deriveTrajectory(s.evidence());
  const critical = criticalParts(trajectory);
  // The tool's own time is what the scout inside it did not take: 50 ms before, 50 ms after it.
  expect(critical.map(({ n, model_ms, tool_ms }) => [n, model_ms, tool_ms])).toEqual([
    [1, 100, 100],
    [2, 400, 0],
    [3, 250, 0],
  ]);
  expect(agentParts(trajectory, critical)).toEqual([
    {
      agent: 'lead',
      from: null,
      decisions: 2,
      tool_calls: 2,
      cost_usd: 1,
      input_tokens: 20,
      output_tokens: 4,
      critical_ms: 450,
    },
    {
      agent: 'scout',
      from: 'lead',
      decisions: 1,
      tool_calls: 0,
      cost_usd: 0.5,
      input_tokens: 0,
      output_tokens: 0,
      critical_ms: 400,
    },
  ]);
});

it('holds what was called against the plan, in its order', () => {
  const s = scenario();
  s.span({
    kind: 'plan',
    output_messages: [s.put(says('1. get_order 2. check_stock 3. refund_order 4. send_mail'))],
  });
  const chat = [user('go')];
  for (const [i, name] of ['check_stock', 'get_order', 'refund_order', 'send_mail'].entries()) {
    const made = calls(call(`c${i}`, name, {}));
    s.model({ input: [...chat], output: made });
    const error = name === 'send_mail' ? { tool_error_by: 'span' } : {};
    s.tool({ tool_name: name, tool_call_id: `c${i}`, result: 'x', ...error });
    chat.push(made, result(`c${i}`, 'x'));
  }
  // get_order came after check_stock, and send_mail failed: get_order (or check_stock), refund_order are left.
  expect(planAdherence(deriveTrajectory(s.evidence()))).toEqual({ planned: 4, followed: 2 });
});
