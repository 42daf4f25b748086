import { context, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Recorder, record } from '../test/recorder.ts';
import { agent, approval, decision, fallback, handoff, withTask } from './index.ts';
import { defaults, runtime } from './runtime.ts';

let recorder: Recorder;
beforeAll(() => {
  recorder = record();
});
afterAll(() => recorder.handle.shutdown());
beforeEach(() => recorder.clear());

const eventsOf = (span: string) =>
  recorder.span(span).events.map(({ name, attributes }) => [name, attributes]);

describe('events', () => {
  it('stand on the span where they happen', () => {
    withTask({ workflow: 'w', agent: 'triage' }, () => {
      decision({
        name: 'route',
        chosen: 'refunds',
        alternatives: [{ value: 'sales', score: 0.2 }, 'human'],
        reason: 'mentions money',
        confidence: 0.8,
      });
      agent({ name: 'refunds' }, () => {
        handoff({ to: 'human', reason: 'angry' });
        fallback({ from: 'gpt-x', to: 'gpt-y', reason: '529' });
      });
    });
    expect(eventsOf('invoke_workflow w')).toEqual([
      [
        'agent.decision',
        {
          'agent.decision.name': 'route',
          'agent.decision.chosen': 'refunds',
          'agent.decision.alternatives': '[{"value":"sales","score":0.2},{"value":"human"}]',
          'agent.decision.reason': 'mentions money',
          'agent.decision.confidence': 0.8,
        },
      ],
    ]);
    expect(eventsOf('invoke_agent refunds')).toEqual([
      [
        'agent.handoff',
        {
          'agent.handoff.from': 'refunds',
          'agent.handoff.to': 'human',
          'agent.handoff.reason': 'angry',
        },
      ],
      [
        'agent.fallback',
        {
          'agent.fallback.from': 'gpt-x',
          'agent.fallback.to': 'gpt-y',
          'agent.fallback.reason': '529',
        },
      ],
    ]);
  });

  it('go out as log records where no span records', () => {
    handoff({ from: 'a', to: 'b' });
    expect(recorder.logs('agent.handoff')).toEqual([
      { 'agent.handoff.from': 'a', 'agent.handoff.to': 'b', spanId: undefined },
    ]);
  });

  it('carry names only at the content level none', () => {
    runtime().settings = { ...defaults, content: 'none' };
    decision({ name: 'route', chosen: 'refunds', reason: 'private' });
    runtime().settings = defaults;
    expect(recorder.logs('agent.decision')).toEqual([
      { 'agent.decision.name': 'route', spanId: undefined },
    ]);
  });
});

it('approvals are paired by an id, whoever asks and whoever decides', () => {
  const expiresAt = new Date('2026-12-01T00:00:00Z');
  const id = withTask({ workflow: 'w', id: 't' }, () =>
    approval.request({ action: 'delete account', callId: 'call_1', risk: 'critical', expiresAt }),
  );
  approval.decide(id, { status: 'denied', by: 'bob', reason: 'no mandate' });
  expect(recorder.logs('agent.approval')).toMatchObject([
    {
      'agent.task.id': 't',
      'agent.approval.id': id,
      'agent.approval.status': 'requested',
      'agent.approval.action': 'delete account',
      'agent.approval.call_id': 'call_1',
      'agent.approval.risk': 'critical',
      'agent.approval.expires_at': '2026-12-01T00:00:00.000Z',
    },
    {
      'agent.task.id': 't',
      'agent.approval.id': id,
      'agent.approval.status': 'denied',
      'agent.approval.by': 'bob',
      'agent.approval.reason': 'no mandate',
    },
  ]);
});

it('a decision reaches the task that asked, not the one in which it is made', () => {
  const id = withTask({ workflow: 'w', id: 'asks/for it' }, () =>
    approval.request({ action: 'pay' }),
  );
  withTask({ workflow: 'inbox', id: 'other' }, () => {
    approval.decide(id, { status: 'approved' });
    approval.decide('id of ours', { status: 'approved', taskId: 'far away' });
    approval.decide('no task known', { status: 'expired' });
  });
  const decided = recorder.logs('agent.approval').slice(1);
  expect(decided.map((log) => log['agent.task.id'])).toEqual(['asks/for it', 'far away', 'other']);
  expect(decided.map((log) => log['agent.task.workflow'])).toEqual([undefined, undefined, 'inbox']);
});

it('the handle of a task is where its span is, whatever is active', () => {
  withTask({ workflow: 'w', id: 'h' }, (task) => {
    const other = trace.setSpan(context.active(), trace.getTracer('t').startSpan('other'));
    context.with(other, () => task.step('two'));
  });
  const ids = recorder.logs('agent.task.state').map(({ spanId }) => spanId);
  expect(new Set(ids).size).toBe(1);
});
