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
import { findDefects, isCovered } from './find.ts';
import { sameModel } from './rules/model-substituted.ts';

type Scenario = ReturnType<typeof scenario>;

function found(s: Scenario) {
  return findDefects(deriveTrajectory(s.evidence()));
}

const names = (s: Scenario) => found(s).map(({ finding }) => finding);

/** A chat that grows: each turn is a call of a tool with its result. */
function chat(s: Scenario, tools: readonly object[] = []) {
  const messages: ChatMessage[] = [user('go')];
  let n = 0;
  return {
    act(tool: string, args: unknown, returned: string, own: object = {}) {
      const id = `call_${n++}`;
      const made = calls(call(id, tool, args));
      s.model({ input: [...messages], output: made, tools });
      messages.push(made);
      s.tool({
        tool_name: tool,
        tool_call_id: id,
        result: returned,
        tool_error_by: /^error/i.test(returned) ? 'content' : '',
        ...own,
      });
      messages.push(result(id, returned));
    },
    say(text: string, own: object = {}) {
      s.model({ input: [...messages], output: says(text), tools, ...own });
      messages.push(says(text), user(`and then, after "${text}"?`));
    },
    hear: (text: string) => messages.push(user(text)),
  };
}

const find = {
  type: 'function',
  name: 'find',
  parameters: { type: 'object', properties: { q: { type: 'string' } }, required: ['q'] },
};

describe('tools and arguments', () => {
  it('a tool that was not offered', () => {
    const s = scenario();
    const c = chat(s, [find]);
    c.act('delete_all', {}, 'ok');
    c.say('done');
    expect(found(s)[0]).toMatchObject({
      finding: 'hallucinated_tool',
      severity: 'error',
      spans: ['0000000000000001', '0000000000000002'],
      text: 'delete_all was called but is none of the 1 tools offered: find',
    });
    const unknown = scenario();
    chat(unknown).act('delete_all', {}, 'ok');
    expect(names(unknown)).not.toContain('hallucinated_tool');
  });

  it.each([
    ['a missing one', {}],
    ['a mistyped one', { q: 5 }],
    ['no JSON', '{"q": '],
  ])('arguments that do not fit the schema: %s', (_name, args) => {
    const s = scenario();
    const c = chat(s, [find]);
    c.act('find', args, 'x');
    c.say('done');
    expect(names(s)).toEqual(['invalid_arguments']);
  });

  it('arguments that fit, also with a key that the schema does not know', () => {
    const s = scenario();
    const c = chat(s, [find]);
    c.act('find', { q: 'a', more: 1 }, 'x');
    c.say('done');
    expect(names(s)).toEqual([]);
  });

  it('an identifier that occurs nowhere before', () => {
    const s = scenario();
    const c = chat(s);
    c.hear('my order is A1B2C3');
    c.act('get_order', { id: 'A1B2C3' }, 'x');
    c.act('get_order', { id: 'Z9Y8X7' }, 'y');
    c.act('cancel_order', { id: 'Q5Q5Q5', idempotency_key: 'k12345', on: '2024-05-20' }, 'z');
    c.say('done');
    expect(found(s).map(({ finding, severity, text }) => [finding, severity, text])).toEqual([
      [
        'ungrounded_argument',
        'warn',
        'get_order/id = "Z9Y8X7" occurs in no message or result before this call',
      ],
      [
        'ungrounded_argument',
        'error',
        'cancel_order/id = "Q5Q5Q5" occurs in no message or result before this call',
      ],
    ]);
  });
});

describe('errors', () => {
  it('told by the span, or only by the text', () => {
    const s = scenario();
    const c = chat(s);
    c.act('find', {}, 'Error: gone');
    c.act('look', {}, 'boom', { tool_error_by: 'span', status: 'error', error_message: 'boom' });
    c.say('Sorry, that failed.');
    expect(found(s).map(({ finding, text }) => [finding, text])).toEqual([
      ['silent_tool_failure', 'find returned an error text with status OK: Error: gone'],
      ['tool_error', 'look failed (by span): boom'],
    ]);
  });

  it('that the answer hides', () => {
    const s = scenario();
    const c = chat(s);
    c.act('find', {}, 'Error: customer blocked');
    c.say('All done, have a nice day');
    expect(names(s)).toEqual(['silent_tool_failure', 'error_ignored']);
  });

  it.each([
    ['admits it', 'I was unable to finish.'],
    ['takes it up', 'This customer is blocked.'],
  ])('that the answer %s', (_name, text) => {
    const s = scenario();
    const c = chat(s);
    c.act('find', {}, 'Error: customer blocked');
    c.say(text);
    expect(names(s)).toEqual(['silent_tool_failure']);
  });

  it('that a second try cures', () => {
    const s = scenario();
    const c = chat(s);
    c.act('find', { q: 'a' }, 'Error: customer blocked');
    c.act('find', { q: 'b' }, 'rows');
    c.say('All done, have a nice day');
    expect(names(s)).toEqual(['silent_tool_failure']);
  });

  it('three in a row, whatever was thought in between', () => {
    const s = scenario();
    const c = chat(s);
    c.act('find', { q: 'a' }, 'Error: no');
    c.act('think', { thought: 'hm' }, '');
    c.act('find', { q: 'b' }, 'Error: no');
    c.act('find', { q: 'c' }, 'Error: no');
    c.say('It failed.');
    expect(names(s).filter((name) => name === 'retry_storm')).toHaveLength(1);
    const reset = scenario();
    const d = chat(reset);
    d.act('find', { q: 'a' }, 'Error: no');
    d.act('find', { q: 'b' }, 'Error: no');
    d.act('look', {}, 'x');
    d.act('find', { q: 'c' }, 'Error: no');
    d.say('It failed.');
    expect(names(reset)).not.toContain('retry_storm');
  });
});

describe('repetition', () => {
  it('is a repeated call, then a loop that covers it', () => {
    const s = scenario();
    const c = chat(s);
    for (let i = 0; i < 3; i++) c.act('find', { b: 1, a: 2 }, 'same');
    c.say('done');
    const all = found(s);
    expect(all.map(({ finding, decision }) => [finding, decision])).toEqual([
      ['repeated_call', '0000000000000003'],
      ['loop', '0000000000000005'],
      ['repeated_call', '0000000000000005'],
    ]);
    expect(all.map(isCovered)).toEqual([false, false, true]);
  });

  it('is none when the result changed, the tool polls, or only thinks', () => {
    const s = scenario();
    const c = chat(s);
    for (let i = 0; i < 4; i++) {
      c.act('find', {}, `row ${i}`);
      c.act('job_status', {}, 'running', { tool_polling: true });
      c.act('think', { thought: 'hm' }, '');
    }
    c.say('done');
    expect(names(s)).toEqual([]);
  });

  it('is a loop when two calls take turns', () => {
    const s = scenario();
    const c = chat(s);
    for (let i = 0; i < 3; i++) {
      c.act('open', { door: 1 }, `opened ${i}`);
      c.act('close', { door: 1 }, `closed ${i}`);
    }
    c.say('done');
    expect(names(s)).toEqual(['loop']);
  });

  it('of a write that succeeded is a duplicate side effect', () => {
    const s = scenario();
    const c = chat(s);
    c.act('pay', { sum: 10 }, 'receipt 1');
    c.act('pay', { sum: 10 }, 'receipt 2');
    c.act('pay', { sum: 20 }, 'receipt 3', { tool_side_effect_key: 'k' });
    c.act('pay', { sum: 30 }, 'receipt 4', { tool_side_effect_key: 'k' });
    c.say('done');
    const duplicates = found(s).filter(({ finding }) => finding === 'duplicate_side_effect');
    expect(duplicates.map(({ text }) => text)).toEqual([
      'pay succeeded with the same arguments as in #1',
      'pay succeeded under the same idempotency key as in #3',
    ]);
  });
});

describe('the end of a task', () => {
  it('after a result that no decision saw', () => {
    const s = scenario();
    chat(s).act('find', {}, 'x');
    expect(names(s)).toEqual(['limit_exceeded']);
  });

  it.each([
    ['an answer', (s: Scenario) => chat(s).say('done')],
    ['a final tool', (s: Scenario) => chat(s).act('final_answer', {}, 'x')],
    ['a handoff', (s: Scenario) => chat(s).act('transfer_to_human_agents', {}, 'x')],
  ])('after %s', (_name, act) => {
    const s = scenario();
    act(s);
    expect(names(s)).toEqual([]);
    const open = scenario({ state: 'running' });
    chat(open).act('find', {}, 'x');
    expect(names(open)).toEqual([]);
  });

  it('by a budget', () => {
    const s = scenario();
    s.span({ kind: 'llm', name: 'chat m-1', attributes: { 'agent.budget.exceeded': 'cost_usd' } });
    expect(found(s)[0]?.text).toBe('chat m-1 exceeded its budget: cost_usd');
  });
});

describe('what a model gave', () => {
  it.each([
    ['truncated_output', { output: says('and so'), finish_reason: 'length' }],
    ['empty_answer', { output: { role: 'assistant', parts: [] }, finish_reason: 'stop' }],
    ['refusal', { output: { role: 'assistant', parts: [{ type: 'refusal', content: 'no' }] } }],
    ['refusal', { finish_reason: 'content_filter' }],
    ['model_substituted', { output: says('x'), request_model: 'big-1', response_model: 'small-1' }],
  ])('%s', (name, own) => {
    const s = scenario();
    s.model({ input: [user('go')], ...own });
    expect(names(s)).toEqual([name]);
  });

  it.each([
    ['gpt-4o', 'gpt-4o-2024-08-06', true],
    ['claude-sonnet-4-5', 'claude-sonnet-4-5-20250929', true],
    ['openai/gpt-4o', 'gpt-4o', true],
    ['anthropic.claude-3-haiku-20240307-v1:0', 'claude-3-haiku-20240307', true],
    ['gemini-2.0-flash', 'models/gemini-2.0-flash', true],
    ['gpt-4o', 'gpt-4o-mini', false],
    ['gpt-4', 'gpt-4o', false],
  ])('%s answered by %s: the same model is %s', (asked, answered, same) => {
    expect(sameModel(asked, answered)).toBe(same);
  });
});

describe('people', () => {
  const risky = { tool_risk: 'high' };
  const approval = (status: string, own: object = {}) => ({
    'agent.approval.id': 'a',
    'agent.approval.action': 'pay',
    'agent.approval.status': status,
    ...own,
  });

  it('did not approve a risky action', () => {
    const s = scenario();
    const c = chat(s);
    c.act('pay', {}, 'receipt', risky);
    c.say('done');
    expect(found(s)[0]).toMatchObject({
      finding: 'unapproved_risky_action',
      text: 'pay has declared risk high and was executed, but no approval was asked for',
    });
  });

  it('approved it before, or only afterwards', () => {
    const before = scenario();
    before.log('agent.approval', approval('requested'));
    before.log('agent.approval', approval('approved'));
    chat(before).act('pay', {}, 'receipt', risky);
    expect(names(before)).not.toContain('unapproved_risky_action');
    const after = scenario();
    chat(after).act('pay', {}, 'receipt', risky);
    after.log('agent.approval', approval('approved'));
    expect(names(after)).toContain('unapproved_risky_action');
  });

  it('denied a call', () => {
    const s = scenario();
    const c = chat(s);
    c.act('pay', {}, 'denied by user', { attributes: { decision: 'reject' } });
    c.say('done');
    expect(names(s)).toEqual(['blocked_action']);
  });
});

describe('handoffs', () => {
  const over = {
    agent_name: 'front',
    input: [user('x')],
    output: calls(call('h', 'transfer_to_refunds', {})),
  };

  it('fail when nobody takes over in time', () => {
    const s = scenario();
    s.model(over);
    s.wait(6 * 60_000);
    s.model({ agent_name: 'refunds', input: [user('y')], output: says('z'), parent_id: 'q' });
    expect(names(s)).toEqual(['handoff_failed']);
  });

  it('succeed when the other agent decides', () => {
    const s = scenario();
    s.model(over);
    s.model({ agent_name: 'refunds', input: [user('y')], output: says('z'), parent_id: 'q' });
    expect(names(s)).toEqual([]);
  });

  it('to a human fail only by their tool', () => {
    const s = scenario();
    chat(s).act('transfer_to_human_agents', {}, 'Error: no one there');
    expect(names(s)).toContain('handoff_failed');
  });
});

describe('settings', () => {
  it('switch rules off and change their thresholds', () => {
    const s = scenario();
    const c = chat(s);
    for (let i = 0; i < 2; i++) c.act('find', { q: i }, 'Error: no');
    c.say('It failed.');
    const trajectory = deriveTrajectory(s.evidence());
    const settings = { silent_tool_failure: false, retry_storm: { errors: 2 } } as const;
    expect(findDefects(trajectory, settings).map(({ finding }) => finding)).toEqual([
      'retry_storm',
    ]);
  });
});
