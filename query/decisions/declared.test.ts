import { describe, expect, it } from 'vitest';
import { call, calls, says, scenario, user } from '../../test/decisions/scenario.ts';
import { findDefects } from '../findings/find.ts';
import { deriveTrajectory } from './derive.ts';
import { toAnswer } from './shape.ts';

const whole = { content: 'preview', limit: 100, after: 0, cursorOf: String } as const;

function answer(s: ReturnType<typeof scenario>) {
  const trajectory = deriveTrajectory(s.evidence());
  return toAnswer(trajectory, findDefects(trajectory), [], whole);
}

describe('declared decisions', () => {
  it('carry their options, reason and confidence', () => {
    const s = scenario();
    const attributes = {
      'agent.decision.name': 'route',
      'agent.decision.chosen': 'billing',
      'agent.decision.alternatives': '[{"value":"sales","score":0.2,"reason":"no order"},"other"]',
      'agent.decision.reason': 'mentions an invoice',
      'agent.decision.confidence': '0.8',
    };
    const time = s.now();
    s.span({ kind: 'task', events: [{ time, name: 'agent.decision', attributes }] });
    expect(answer(s).decisions).toMatchObject([
      {
        id: '0000000000000001.e0',
        kind: 'declared',
        summary: 'route: billing',
        options: {
          toolset: null,
          alternatives: [{ value: 'sales', score: 0.2, reason: 'no order' }, { value: 'other' }],
        },
        chosen: [{ type: 'value', value: 'billing' }],
        why: [{ kind: 'declared', text: 'mentions an invoice', confidence: 0.8 }],
      },
    ]);
  });

  it('are approvals, asked in one place and answered in another, with an edge to the call', () => {
    const s = scenario();
    const asked = s.model({ input: [user('pay')], output: calls(call('c1', 'pay', { sum: 100 })) });
    s.log(
      'agent.approval',
      {
        'agent.approval.id': 'a1',
        'agent.approval.call_id': 'c1',
        'agent.approval.status': 'requested',
      },
      asked,
    );
    s.wait(60_000);
    s.log('agent.approval', {
      'agent.approval.id': 'a1',
      'agent.approval.status': 'denied',
      'agent.approval.by': 'kim',
    });
    const { decisions, edges } = answer(s);
    const approval = decisions[1];
    expect(approval).toMatchObject({
      kind: 'declared',
      chosen: [{ type: 'value', value: 'denied' }],
      why: [{ kind: 'human', text: 'denied by kim' }],
      options: { alternatives: [{ value: 'approved' }, { value: 'denied' }] },
    });
    expect(approval?.duration_ms).toBeGreaterThan(60_000);
    expect(edges).toEqual([{ type: 'denied', from: approval?.id, to: '0000000000000001.c0' }]);
  });

  it('are approvals of the call made before them, although its id and tool come again', () => {
    const s = scenario();
    for (const named of [{ 'agent.approval.call_id': 'c' }, { 'agent.approval.action': 'pay' }]) {
      s.model({ input: [user('go')], output: calls(call('c', 'pay', {})) });
      s.log('agent.approval', {
        'agent.approval.id': JSON.stringify(named),
        'agent.approval.status': 'approved',
        ...named,
      });
    }
    const { edges, calls: made } = deriveTrajectory(s.evidence());
    const approved = edges.filter(({ type }) => type === 'approved').map(({ to }) => to);
    expect(approved).toEqual(made.map(({ id }) => id));
  });

  it('are handoffs by event, unless a tool call is that handoff', () => {
    const s = scenario();
    const attributes = {
      'agent.handoff.from': 'front',
      'agent.handoff.to': 'refunds',
      'agent.handoff.reason': 'money',
    };
    s.span({
      kind: 'agent',
      agent_name: 'front',
      events: [{ time: s.now(), name: 'agent.handoff', attributes }],
    });
    s.model({ agent_name: 'refunds', input: [user('x')], output: says('y') });
    expect(answer(s).decisions[0]?.chosen).toMatchObject([
      { type: 'handoff', to: 'refunds', tool: null },
    ]);
    expect(answer(s).edges).toEqual([
      { type: 'handed_off', from: '0000000000000001.e0.c0', to: '0000000000000002' },
    ]);

    const byTool = scenario();
    byTool.model({
      agent_name: 'front',
      input: [user('x')],
      output: calls(call('h', 'give_away', {})),
    });
    byTool.tool({
      tool_name: 'give_away',
      tool_call_id: 'h',
      events: [{ time: byTool.now(), name: 'agent.handoff', attributes }],
    });
    expect(answer(byTool).decisions.map(({ chosen }) => chosen?.map(({ type }) => type))).toEqual([
      ['handoff'],
    ]);
  });
});

describe('several agents', () => {
  it('delegate inside a tool call, and each has its own chain', () => {
    const s = scenario();
    s.model({
      agent_name: 'lead',
      input: [user('plan')],
      output: calls(call('d', 'ask_expert', { q: 'why' })),
    });
    const tool = s.tool({ tool_name: 'ask_expert', tool_call_id: 'd', agent_name: 'lead' });
    const agent = s.span({ kind: 'agent', agent_name: 'expert', parent_id: tool.span_id });
    s.model({
      agent_name: 'expert',
      parent_id: agent.span_id,
      input: [user('why')],
      output: says('so'),
    });
    const { edges, decisions } = answer(s);
    expect(edges).toEqual([
      { type: 'delegated', from: '0000000000000001.c0', to: '0000000000000004' },
    ]);
    expect(decisions[0]?.next).toEqual(['0000000000000004']);
    expect(decisions[1]).toMatchObject({ agent: 'expert', turn: 1 });
  });

  it('hand over by a tool that names a known agent', () => {
    const s = scenario();
    const to = calls(
      call('h', 'transfer_to_refund_agent', {}),
      call('i', 'transfer_to_savings', {}),
    );
    s.model({ agent_name: 'front', input: [user('x')], output: to });
    s.model({ agent_name: 'Refund Agent', input: [user('y')], output: says('z'), parent_id: 'q' });
    expect(answer(s).decisions[0]?.chosen).toMatchObject([
      { type: 'handoff', to: 'Refund Agent' },
      { type: 'tool_call', tool: 'transfer_to_savings' },
    ]);
  });
});

describe('without content', () => {
  const bare = (s: ReturnType<typeof scenario>) =>
    toAnswer(deriveTrajectory(s.evidence()), [], [], { ...whole, content: 'none' }).decisions;

  it('an approval does not say what it was asked for, nor an alternative why it was left', () => {
    const s = scenario();
    s.log('agent.approval', {
      'agent.approval.id': 'a1',
      'agent.approval.action': 'pay {"sum":100}',
      'agent.approval.status': 'approved',
    });
    const attributes = {
      'agent.decision.name': 'route',
      'agent.decision.chosen': 'billing',
      'agent.decision.alternatives': '[{"value":"sales","reason":"no order of Ann"}]',
    };
    s.span({ kind: 'task', events: [{ time: s.now(), name: 'agent.decision', attributes }] });
    expect(answer(s).decisions[0]?.summary).toBe('approval of pay {"sum":100}: approved');
    const decisions = bare(s);
    expect(decisions[0]?.summary).toBe('approval: approved');
    expect(decisions[1]?.options?.alternatives).toEqual([{ value: 'sales' }]);
  });

  it('a plan is known to be there, and nothing of it', () => {
    const s = scenario();
    s.span({ kind: 'plan', outputs: [[s.put('refund Ann')]] });
    expect(answer(s).decisions).toMatchObject([
      { summary: 'plan: refund Ann', chosen: [{ type: 'value', value: 'refund Ann' }] },
    ]);
    expect(bare(s)).toMatchObject([{ summary: 'plan', chosen: null }]);
    expect(JSON.stringify(bare(s))).not.toContain('Ann');
  });
});
