import { describe, expect, it } from 'vitest';
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
import type { TaskEvidence } from '../decisions/evidence.ts';
import { findDefects } from '../findings/find.ts';
import { features, rankSuspects } from './rank.ts';

/** Signals by number of the decision. */
function signalsOf(evidence: TaskEvidence): Record<number, string[]> {
  const trajectory = deriveTrajectory(evidence);
  const found = features(trajectory, findDefects(trajectory)).map(
    ({ step, reasons }) => [step.n, reasons.map(({ signal }) => signal)] as const,
  );
  return Object.fromEntries(found.filter(([, signals]) => signals.length > 0));
}

/** A conversation without tools, one decision for each answer. */
function talk(request: string, ...answers: string[]): TaskEvidence {
  const s = scenario();
  const seen = [user(request)];
  for (const answer of answers) {
    s.model({ input: [...seen], output: says(answer) });
    seen.push(says(answer));
  }
  return s.evidence();
}

const request = 'How many even street addresses does the attached list of awning clients have?';

describe('what the words of a step say', () => {
  it('tells a step that only hands the request on from one that answers it', () => {
    expect(signalsOf(talk(request, `Please do this: ${request}`, 'There are some.'))).toEqual({
      1: ['request_restated'],
    });
  });

  it('sees that the first step works on something else', () => {
    const other =
      'We debug a Python script: find the reason for its exit code, correct the loop, test it again with a sample of input values, and report which error message came up before and after that change.';
    expect(signalsOf(talk(request, other))).toEqual({ 1: ['goal_lost'] });
    expect(rankSuspects(deriveTrajectory(talk(request, other)), [])[0]?.reasons).toMatchObject([
      { signal: 'goal_lost', text: expect.stringContaining('0 of the 10 words') as string },
    ]);
  });

  it('takes an agent at its word that its data is not real', () => {
    expect(signalsOf(talk(request, 'I will use placeholder addresses for now.'))).toEqual({
      1: ['made_up_data'],
    });
  });

  it('knows a number that the user has just said, and the year of a date', () => {
    const s = scenario();
    const first = [user('When can I fly?'), says('Which flight, and when?')];
    s.model({ input: first.slice(0, 1), output: first[1] as ChatMessage });
    s.model({
      input: [...first, user('Flight 4711 on 2024-05-17')],
      output: says('Flight 4711 leaves in May 2024, seat 99.'),
    });
    const trajectory = deriveTrajectory(s.evidence());
    const said = features(trajectory, []).flatMap(({ reasons }) => reasons.map(({ text }) => text));
    expect(said).toEqual(['states 99, which occurs in nothing it had seen']);
  });

  it('finds numbers that nothing before states, but not those of the request, of results and of dates', () => {
    const s = scenario();
    const go = user('Sum the amounts 250 and 1,300 of order A please, dated 2024-05-17.');
    const made = calls(call('a', 'get_order', { id: 'A' }));
    s.model({ input: [go], output: made });
    s.tool({ tool_name: 'get_order', tool_call_id: 'a', result: '{"tax": 77}' });
    s.model({
      input: [go, made, result('a', '{"tax": 77}')],
      output: says('On 2024-05-18: 250, 1300, tax 77, shipping 49.'),
    });
    expect(signalsOf(s.evidence())[2]).toEqual(['unsourced_statement']);
    const [first] = rankSuspects(deriveTrajectory(s.evidence()), []).filter(({ reasons }) =>
      reasons.some(({ signal }) => signal === 'unsourced_statement'),
    );
    expect(first?.reasons[0]?.text).toBe('states 49, which occurs in nothing it had seen');
  });

  it('blames the step that the next one takes back', () => {
    expect(
      signalsOf(talk(request, 'All are even.', 'It seems there was an error in the count.')),
    ).toEqual({ 1: ['taken_back'] });
  });
});

describe('what came of a step', () => {
  it('speaks for a step whose result a later one used', () => {
    const s = scenario();
    const go = user('find it');
    const first = calls(call('a', 'get_list', {}));
    const second = calls(call('b', 'get_item', { id: 'item_77x' }));
    s.model({ input: [go], output: first });
    s.tool({ tool_name: 'get_list', tool_call_id: 'a', result: '["item_77x"]' });
    s.model({ input: [go, first, result('a', '["item_77x"]')], output: second });
    s.tool({ tool_name: 'get_item', tool_call_id: 'b', result: 'none' });
    expect(signalsOf(s.evidence())).toEqual({ 1: ['result_used'], 2: ['first_of_tool'] });
  });
});
