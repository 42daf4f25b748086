import { describe, expect, it } from 'vitest';
import { call, calls, result, says, scenario, user } from '../../test/decisions/scenario.ts';
import { deriveTrajectory } from './derive.ts';
import { toAnswer } from './shape.ts';

const page = { content: 'preview', limit: 100, after: 0, cursorOf: String } as const;

function decisions(s: ReturnType<typeof scenario>) {
  return toAnswer(deriveTrajectory(s.evidence()), [], [], page).decisions;
}

describe('what informed a decision beside messages', () => {
  it('is a document or a memory read before it by the same agent, and a source of values', () => {
    const s = scenario();
    const agent = s.span({ kind: 'agent', end: s.now() + 10_000_000_000n });
    const under = { parent_id: agent.span_id };
    const documents = s.put('[{"id":"doc-1","content":"fee code FX-778"}]');
    s.span({ kind: 'retriever', outputs: [[documents]], ...under });
    const element = s.put('{"name":"Ada Quill"}');
    s.span({ kind: 'memory', outputs: [['0', element]], ...under });
    const charge = calls(call('a', 'charge', { code: 'FX-778', who: 'Ada Quill' }));
    s.model({ input: [user('charge it')], output: charge, ...under });
    s.span({ kind: 'retriever', outputs: [['0000']], ...under });
    s.model({
      input: [user('charge it'), charge, result('a', 'ok')],
      output: says('done'),
      ...under,
    });
    const [first, second] = decisions(s);
    expect(first?.informed_by).toMatchObject([
      { id: '0000000000000002.m0', kind: 'document' },
      { id: '0000000000000003.m0', kind: 'memory', preview: '[{"name":"Ada Quill"}]' },
      { kind: 'user', preview: 'charge it' },
    ]);
    expect(first?.chosen).toMatchObject([
      {
        sources: [
          { from: '0000000000000002.m0', args: ['/code'] },
          { from: '0000000000000003.m0', args: ['/who'] },
        ],
        unsourced: [],
      },
    ]);
    // Its payload was not captured.
    expect(second?.informed_by?.[0]).toEqual({
      id: '0000000000000005.m0',
      kind: 'document',
      preview: null,
      bytes: null,
    });
  });

  it('is not what a retriever told a tool', () => {
    const s = scenario();
    const search = calls(call('a', 'search', { q: 'fees' }));
    s.model({ input: [user('find')], output: search });
    const tool = s.tool({ tool_name: 'search', tool_call_id: 'a', result: 'FX-778' });
    s.span({
      kind: 'retriever',
      parent_id: tool.span_id,
      outputs: [[s.put('FX-778')]],
      start: tool.start,
      end: tool.end,
    });
    s.model({ input: [user('find'), search, result('a', 'FX-778')], output: says('FX-778') });
    expect(decisions(s)[1]?.informed_by).toMatchObject([{ kind: 'tool_result' }]);
  });

  it('is the approval that it waited for', () => {
    const s = scenario();
    const pay = calls(call('a', 'pay', { amount: 900 }));
    const asked = s.model({ input: [user('pay 900')], output: pay });
    const approval = { 'agent.approval.id': 'ap1', 'agent.approval.action': 'pay' };
    s.log('agent.approval', { ...approval, 'agent.approval.status': 'requested' }, asked);
    s.log('agent.approval', { ...approval, 'agent.approval.status': 'approved' }, asked);
    s.tool({ tool_name: 'pay', tool_call_id: 'a', result: 'paid' });
    s.model({ input: [user('pay 900'), pay, result('a', 'paid')], output: says('done') });
    expect(decisions(s).at(-1)?.informed_by).toMatchObject([
      { kind: 'tool_result' },
      { kind: 'approval', preview: 'pay approved' },
    ]);
  });

  it('is the handoff that an agent began with', () => {
    const s = scenario();
    const hand = calls(call('a', 'transfer_to_refunds', { reason: 'wants money back' }));
    const triage = s.span({ kind: 'agent', agent_name: 'triage', end: s.now() + 300_000_000n });
    const given = s.model({
      input: [user('hi')],
      output: hand,
      parent_id: triage.span_id,
      agent_name: '',
    });
    const refunds = s.span({ kind: 'agent', agent_name: 'refunds', end: s.now() + 9_000_000_000n });
    s.model({
      input: [user('hi')],
      output: says('ok'),
      parent_id: refunds.span_id,
      agent_name: '',
    });
    expect(decisions(s)[1]?.informed_by).toContainEqual({
      id: `${given.span_id}.c0`,
      kind: 'handoff',
      preview: '{"reason":"wants money back"}',
      bytes: 29,
    });
  });
});

describe('a plan', () => {
  it('that has a span of its own is a declared decision', () => {
    const s = scenario();
    const plan = s.span({
      kind: 'plan',
      output_messages: [s.put(says('First get_order, then refund_order.'))],
    });
    s.model({ input: [user('refund')], output: says('ok') });
    expect(decisions(s)[0]).toMatchObject({
      id: plan.span_id,
      kind: 'declared',
      summary: 'plan: First get_order, then refund_order.',
      chosen: [{ type: 'value', value: 'First get_order, then refund_order.' }],
      duration_ms: 100,
    });
  });
});
