import { describe, expect, it } from 'vitest';
import {
  type ChatMessage,
  call,
  calls,
  result,
  says,
  scenario,
  system,
  user,
} from '../../test/decisions/scenario.ts';
import { deriveTrajectory } from './derive.ts';
import type { Step } from './model.ts';

const ids = (steps: readonly Step[]) => steps.map(({ prev }) => prev?.n ?? null);
const news = (step: Step | undefined) => step?.informed?.map(({ text }) => text) ?? null;

describe('the chain of decisions', () => {
  it('sees a second equal message as new', () => {
    const s = scenario();
    const first = [system('rules'), user('yes')];
    s.model({ input: first, output: says('really?') });
    s.model({ input: [...first, says('really?'), user('yes')], output: says('done') });
    const { steps } = deriveTrajectory(s.evidence());
    expect(news(steps[1])).toEqual(['yes']);
    expect(steps.map(({ turn }) => turn)).toEqual([1, 2]);
  });

  it('knows an answer again in other bytes, without its finish reason and reasoning', () => {
    const s = scenario();
    const made = calls(
      { type: 'reasoning', content: 'hm' },
      { type: 'tool_call', id: 'c', name: 'look', arguments: '{"b":2, "a":1}' },
    );
    s.model({ input: [user('go')], output: { ...made, finish_reason: 'tool_call' } });
    s.model({
      input: [user('go'), calls(call('c', 'look', { a: 1, b: 2 })), result('c', 'seen')],
      output: says('ok'),
    });
    const { steps } = deriveTrajectory(s.evidence());
    expect(steps[1]?.informed?.map(({ id, kind }) => [id, kind])).toEqual([
      ['0000000000000001.c0', 'tool_result'],
    ]);
    expect(steps[0]?.why).toEqual([{ kind: 'reasoning', text: 'hm', span_id: '0000000000000001' }]);
  });

  it('keeps apart two conversations that run at once', () => {
    const s = scenario();
    const a = [system('agent a'), user('one')];
    const b = [system('agent b'), user('two')];
    s.model({ input: a, output: says('a1') });
    s.model({ input: b, output: says('b1') });
    s.model({ input: [...a, says('a1'), user('a2')], output: says('a3') });
    s.model({ input: [...b, says('b1'), user('b2')], output: says('b3') });
    const { steps } = deriveTrajectory(s.evidence());
    expect(ids(steps).slice(2)).toEqual([1, 2]);
    expect(steps.slice(2).map(news)).toEqual([['a2'], ['b2']]);
    expect(steps[0]?.next.map(({ n }) => n)).toContain(3);
  });

  it('follows a response id where the server keeps the context', () => {
    const s = scenario();
    s.model({ input: [user('one')], output: says('1'), response_id: 'r1', parent_id: 'p1' });
    s.model({
      input: [user('two')],
      output: says('2'),
      previous_response_id: 'r1',
      parent_id: 'p2',
    });
    const { steps } = deriveTrajectory(s.evidence());
    expect(ids(steps)).toEqual([null, 1]);
    expect(news(steps[1])).toEqual(['two']);
    expect(steps[1]?.turn).toBe(2);
  });

  it('takes a summary for new, and what was kept beside it not', () => {
    const s = scenario();
    const long = [system('rules'), user('a'), says('b'), user('c')];
    s.model({ input: long, output: says('d') });
    const after = [system('rules'), user('summary of all'), says('d'), user('e')];
    s.model({ input: after, output: says('f') });
    const { steps } = deriveTrajectory(s.evidence());
    expect(news(steps[1])).toEqual(['summary of all', 'e']);
  });

  it('says nothing of what was not captured', () => {
    const s = scenario();
    s.model({ finish_reason: 'stop' });
    const { steps } = deriveTrajectory(s.evidence());
    expect(steps[0]).toMatchObject({ informed: null, why: null, turn: null, toolset: null });
    expect(steps[0]?.chosen?.answer).toEqual({ type: 'answer', text: null });
  });
});

describe('model calls', () => {
  it('folds attempts of one request into one decision', () => {
    const s = scenario();
    const failed = { request_hash: 'h', status: 'error', error_type: '429', parent_id: 'p' };
    s.model({ ...failed });
    s.model({ ...failed });
    s.model({ request_hash: 'h', parent_id: 'p', output: says('at last') });
    const { steps } = deriveTrajectory(s.evidence());
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatchObject({
      id: '0000000000000001',
      span_id: '0000000000000003',
      cost_usd: 1.5,
    });
    expect(steps[0]?.attempts).toHaveLength(3);
  });

  it('keeps two answers to one request apart', () => {
    const s = scenario();
    s.model({ request_hash: 'h', parent_id: 'p', output: says('a') });
    s.model({ request_hash: 'h', parent_id: 'p', output: says('b') });
    expect(deriveTrajectory(s.evidence()).steps).toHaveLength(2);
  });

  it('takes the choice that a later request holds, and names the others', () => {
    const s = scenario();
    const choice = (content: string): ChatMessage => ({ ...says(content), finish_reason: 'stop' });
    s.model({ input: [user('go')], output: [choice('left'), choice('right')] });
    s.model({ input: [user('go'), says('right'), user('why?')], output: says('because') });
    const { steps } = deriveTrajectory(s.evidence());
    expect(steps[0]?.chosen?.answer?.text).toBe('right');
    expect(steps[0]?.alternatives).toEqual([{ value: 'left' }]);
  });

  it.each([
    ['error', { status: 'error', error_type: '500' }],
    ['cancelled', { status: 'error', error_type: 'AbortError' }],
    ['content_filter', { finish_reason: 'content_filter' }],
  ])('says that nothing was chosen: %s', (reason, own) => {
    const s = scenario();
    s.model({ input: [user('go')], ...own });
    expect(deriveTrajectory(s.evidence()).steps[0]?.chosen?.none).toBe(reason);
  });
});
