import { expect, it } from 'vitest';
import { call, calls, result, says, scenario, user } from '../../test/decisions/scenario.ts';
import { deriveTrajectory } from '../decisions/derive.ts';
import { findDefects } from '../findings/find.ts';
import { rankSuspects } from './rank.ts';

function reasons(s: ReturnType<typeof scenario>) {
  const trajectory = deriveTrajectory(s.evidence());
  return rankSuspects(trajectory, findDefects(trajectory)).map((suspect) => [
    trajectory.steps.find(({ id }) => id === suspect.decision)?.n,
    suspect.reasons[0]?.signal,
    suspect.reasons[0]?.text,
  ]);
}

it('names the loop that a search was the beginning of', () => {
  const s = scenario();
  const chat = [user('any student discounts?')];
  for (const id of ['a', 'b', 'c', 'd']) {
    const search = calls(call(id, 'search_kb', { query: 'student discounts' }));
    s.model({ input: [...chat], output: search });
    s.tool({ tool_name: 'search_kb', tool_call_id: id, result: '[]' });
    chat.push(search, result(id, '[]'));
  }
  s.model({ input: chat, output: says('I found nothing.') });
  const text = 'search_kb was called 4 times with the same arguments and the same result';
  expect(reasons(s)[0]).toEqual([1, 'loop', text]);
});

it('blames the answer that was cut off, not the search before it', () => {
  const s = scenario();
  const search = calls(call('a', 'search_kb', { query: 'return rules' }));
  s.model({ input: [user('return rules?')], output: search });
  s.tool({ tool_name: 'search_kb', tool_call_id: 'a', result: 'Thirty days.' });
  s.model({
    input: [user('return rules?'), search, result('a', 'Thirty days.')],
    output: says('Within thirty'),
    finish_reason: 'length',
  });
  expect(reasons(s)[0]?.slice(0, 2)).toEqual([2, 'truncated_output']);
});

it('says why the model did not answer', () => {
  const s = scenario({ state: 'failed' });
  s.model({ input: [user('hi')], status: 'error', error_message: 'overloaded' });
  expect(reasons(s)).toEqual([[1, 'model_error', 'the model call failed: overloaded']]);
});

it('tells a call that was denied from one that ran', () => {
  const s = scenario();
  const refund = calls(call('a', 'issue_refund', { amount: 112.8 }));
  const asked = s.model({ input: [user('112.8 back')], output: refund });
  const approval = { 'agent.approval.id': 'p', 'agent.approval.action': 'issue_refund' };
  s.log('agent.approval', { ...approval, 'agent.approval.status': 'denied' }, asked);
  s.tool({ tool_name: 'issue_refund', tool_call_id: 'a', result: 'Denied by dana: past 30 days.' });
  const [first] = deriveTrajectory(s.evidence()).calls;
  expect(first?.result).toMatchObject({ status: 'denied', detected_by: 'flag' });
});
