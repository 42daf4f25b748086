import { describe, expect, it } from 'vitest';
import { ms, span, stateLog, taskLog } from './fixtures.ts';
import { type DerivedTask, deriveTasks } from './task.ts';
import type { TaskLog, TaskSpan } from './telemetry.ts';

const declared = (task_id: string) => ({ task_id, task_id_kind: 'declared' });
const state = (...[at, task, name, values]: Parameters<typeof stateLog>) =>
  taskLog(stateLog(at, task, name, values));

function only(spans: readonly TaskSpan[], logs: readonly TaskLog[] = []): DerivedTask {
  const found = deriveTasks(spans, logs);
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe('a task', () => {
  const spans = [
    span({
      span_id: 'root',
      kind: 'agent',
      start: ms(0),
      end: ms(9000),
      agent_name: 'support',
      workflow: 'refund',
      conversation_id: 'session-1',
      user_id: 'u1',
      environment: 'prod',
      release: '1.4.0',
      prompt_name: 'support',
      prompt_version: '8',
      task_ref: 'ticket-7',
      ...declared('A'),
    }),
    span({
      span_id: 'c1',
      parent_id: 'root',
      kind: 'llm',
      start: ms(100),
      end: ms(1100),
      provider: 'openai',
      request_model: 'gpt-4o',
      response_model: 'gpt-4o-2024-08-06',
      response_id: 'r1',
      ttft_ms: 210.5,
      input_tokens: 1000n,
      output_tokens: 50n,
      cache_read_tokens: 400n,
      agent_version_hash: 'h1',
      cost_reported: 0.01,
    }),
    span({ span_id: 'look', parent_id: 'root', kind: 'retriever', start: ms(1150), end: ms(1190) }),
    span({
      span_id: 'sub',
      parent_id: 'root',
      kind: 'agent',
      start: ms(1200),
      end: ms(8000),
      agent_name: 'refunds',
      prompt_name: 'refunds',
    }),
    span({
      span_id: 'tool',
      parent_id: 'sub',
      kind: 'tool',
      start: ms(1300),
      end: ms(1550),
      tool_name: 'get_order',
      tool_error_by: 'content',
    }),
    span({
      span_id: 'c2',
      parent_id: 'sub',
      kind: 'llm',
      start: ms(2000),
      end: ms(4500),
      provider: 'anthropic',
      request_model: 'claude',
      input_tokens: 3000n,
      output_tokens: 70n,
      reasoning_tokens: 20n,
      status: 'error',
      task_attempt: 2,
    }),
  ];
  const task = only(spans);

  it('sums its counted calls', () => {
    expect(task).toMatchObject({
      llm_calls: 2,
      tool_calls: 1,
      tool_errors: 1,
      input_tokens: 4000n,
      output_tokens: 120n,
      cache_read_tokens: 400n,
      cache_write_tokens: null,
      reasoning_tokens: 20n,
      peak_context_tokens: 3000n,
      model_ms: 3500,
      tool_ms: 250,
      retrieval_ms: 40,
      ttft_ms: 210.5,
      spans: 6,
    });
  });

  it('lists its calls in order of start', () => {
    expect(task).toMatchObject({
      'calls.span_id': ['c1', 'tool', 'c2'],
      'calls.kind': ['llm', 'tool', 'llm'],
      'calls.name': ['gpt-4o-2024-08-06', 'get_order', 'claude'],
      'calls.agent': ['support', 'refunds', 'refunds'],
      'calls.provider': ['openai', '', 'anthropic'],
      'calls.duration_ms': [1000, 250, 2500],
      'calls.ttft_ms': [210.5, null, null],
      'calls.attempt': [1, 1, 2],
      'calls.error_by': ['', 'content', 'span'],
      'calls.input_tokens': [1000n, null, 3000n],
      'calls.cost_reported': [0.01, null, null],
    });
  });

  it('takes its names from the first span that has them', () => {
    expect(task).toMatchObject({
      task_id: 'A',
      day: 20_516,
      workflow: 'refund',
      agent_path: 'support>refunds',
      session_id: 'session-1',
      user_id: 'u1',
      environment: 'prod',
      release: '1.4.0',
      service: 'support',
      prompt_versions: ['support@8', 'refunds'],
      agent_version_hash: 'h1',
      traffic: 'live',
      ref: 'ticket-7',
      parent_id: '',
      attribution: 'declared',
      trace_ids: ['t1'],
      attempts: 2,
    });
  });

  it('begins with its first and signals until its last item', () => {
    expect(task).toMatchObject({ started_at: ms(0), last_signal_at: ms(9000), ended_at: ms(9000) });
    const log = state(ms(-5), 'A', 'queued');
    expect(only(spans, [log])).toMatchObject({ started_at: ms(-5) });
  });
});

describe('the end of a task', () => {
  const root = { span_id: 'root', end: ms(1000) };
  const child = { span_id: 'child', parent_id: 'root', end: ms(900) };

  it('is the end of its root, in error when that is', () => {
    expect(
      only([span({ ...root, status: 'error', status_message: 'boom' }), span(child)]),
    ).toMatchObject({
      declared_state: '',
      root_ended: 1,
      root_error: 1,
      ended_at: ms(1000),
      error_message: 'boom',
    });
  });

  it('has not come while the parent of a span is missing and nothing else is the root', () => {
    expect(only([span(child)])).toMatchObject({ root_ended: 0, ended_at: null });
    const lost = span({ span_id: 'x', parent_id: 'lost' });
    expect(only([span(root), span(child), lost])).toMatchObject({ root_ended: 1 });
  });

  it('has not come while a span is open', () => {
    expect(only([span(root), span({ ...child, end: 0n })])).toMatchObject({ root_ended: 0 });
  });

  it('needs the root of every trace', () => {
    const resumed = span({ span_id: 'y', parent_id: 'root2', trace_id: 't2', ...declared('A') });
    expect(only([span({ ...root, ...declared('A') }), resumed])).toMatchObject({
      root_ended: 0,
      trace_ids: ['t1', 't2'],
    });
  });

  it('has not come when the task went on after its root', () => {
    const first = span({ ...root, ...declared('A') });
    const log = state(ms(5000), 'A', 'running', { trace_id: 't2' });
    expect(only([first], [log])).toMatchObject({ root_ended: 0, ended_at: null });
  });

  it('is the declared one where there is one', () => {
    const logs = [state(ms(0), 'A', 'running'), state(ms(950), 'A', 'done')];
    expect(only([span({ ...root, status: 'error' })], logs)).toMatchObject({
      declared_state: 'done',
      ended_at: ms(950),
      error_message: '',
    });
  });

  it('has not come while the task waits for a person, though its root has ended', () => {
    const logs = [state(ms(0), 'A', 'running'), state(ms(950), 'A', 'waiting_for_approval')];
    expect(only([span(root)], logs)).toMatchObject({
      declared_state: 'waiting_for_approval',
      root_ended: 1,
      ended_at: null,
      waiting_since: ms(950),
    });
  });

  it('names the reason of a failure, else the error of its last failing span', () => {
    const failing = span({ ...child, status: 'error', error_message: 'timeout' });
    const attributes: [string, string][] = [
      ['agent.task.state', 'failed'],
      ['agent.task.reason', 'gave up'],
    ];
    const running = state(ms(0), 'A', 'running');
    const silent = state(ms(950), 'A', 'failed');
    const telling = state(ms(950), 'A', 'failed', { attributes });
    expect(only([span(root), failing], [running, telling]).error_message).toBe('gave up');
    expect(only([span(root), failing], [running, silent]).error_message).toBe('timeout');
  });
});

describe('a task that shares a trace', () => {
  it('is a root of its own below another task, which is its parent', () => {
    const found = deriveTasks(
      [
        span({ span_id: 'a', end: 0n, ...declared('A') }),
        span({ span_id: 'b', parent_id: 'a', ...declared('B') }),
        span({ span_id: 'c', parent_id: 'b', ...declared('C'), task_parent_id: 'A' }),
      ],
      [],
    );
    expect(
      found.map(({ task_id, parent_id, root_ended }) => [task_id, parent_id, root_ended]),
    ).toEqual([
      ['A', '', 0],
      ['B', 'A', 1],
      ['C', 'A', 1],
    ]);
  });
});

describe('signals of a task', () => {
  it('may be span events or log records, and the same event counts once', () => {
    const event = { 'agent.task.state': 'running' };
    const task = only(
      [span({ span_id: 'root', ...declared('A') }, [[ms(1), 'agent.task.state', event]])],
      [state(ms(1), 'A', 'running'), state(ms(2), 'A', 'done')],
    );
    expect(task).toMatchObject({
      'transitions.state': ['running', 'done'],
      'transitions.applied': [1, 1],
      'transitions.at': [ms(1), ms(2)],
    });
  });

  it('count attempts, also for calls that declare none', () => {
    const logs = ['running', 'failed', 'running', 'done'].map((name, i) =>
      state(ms(i * 1000), 'A', name),
    );
    const call = (span_id: string, at: number) =>
      span({ span_id, parent_id: 'root', kind: 'tool', start: ms(at), tool_name: span_id });
    const task = only([span({ span_id: 'root' }), call('first', 500), call('second', 2500)], logs);
    expect(task).toMatchObject({ attempts: 2, 'calls.attempt': [1, 2] });
  });

  it('measure waiting on rate limits up to the next call of the same parent', () => {
    const call = (span_id: string, from: number, to: number, error_type = '') =>
      span({
        span_id,
        parent_id: 'root',
        kind: 'llm',
        start: ms(from),
        end: ms(to),
        error_type,
        status: error_type === '' ? 'unset' : 'error',
      });
    const task = only([
      span({ span_id: 'root' }),
      call('a', 0, 100, '429'),
      call('b', 2100, 2200, 'RateLimitError'),
      call('c', 2700, 3000),
      call('d', 9000, 9100),
    ]);
    expect(task.rate_limited_ms).toBe(2500);
    expect(task.llm_calls).toBe(4);
  });
});

describe('handoffs and escalation', () => {
  const root = span({ span_id: 'root', kind: 'agent', agent_name: 'Support Agent' });
  const tool = (span_id: string, tool_name: string) =>
    span({ span_id, parent_id: 'root', kind: 'tool', tool_name });
  const told = (values: Parameters<typeof span>[0], to: string) =>
    span(values, [[ms(3), 'agent.handoff', { 'agent.handoff.to': to }]]);

  it('are events, handoff spans, and tools whose name says so', () => {
    const refunds = span({ span_id: 'r', parent_id: 'root', kind: 'agent', agent_name: 'refunds' });
    const handoff = span({
      span_id: 'h',
      parent_id: 'root',
      kind: 'handoff',
      handoff_to: 'refunds',
    });
    expect(only([root, refunds, tool('t', 'transfer_to_refunds')]).handoffs).toBe(1);
    expect(only([root, refunds, handoff]).handoffs).toBe(1);
    expect(only([root, told({ span_id: 'e', parent_id: 'root' }, 'refunds')]).handoffs).toBe(1);
    expect(only([root, tool('t', 'transfer_to_account')])).toMatchObject({
      handoffs: 0,
      tool_calls: 1,
    });
  });

  it('count once when a tool call, a span inside it and an event tell of the same', () => {
    const spans = [
      root,
      tool('t', 'transfer_to_support_agent'),
      span({ span_id: 'h', parent_id: 't', kind: 'handoff', handoff_to: 'Support Agent' }),
      told({ span_id: 'e', parent_id: 't' }, 'Support Agent'),
    ];
    expect(only(spans)).toMatchObject({ handoffs: 1, tool_calls: 1, escalated: 0 });
  });

  it('escalate when they go to a person', () => {
    expect(only([root, tool('t', 'transfer_to_human_agents')])).toMatchObject({
      handoffs: 1,
      escalated: 1,
    });
    expect(only([root, tool('t', 'escalate_ticket')])).toMatchObject({ handoffs: 1, escalated: 1 });
    expect(only([told({ span_id: 'root' }, 'human')])).toMatchObject({ handoffs: 1, escalated: 1 });
  });

  it('escalate when an approval is denied or expires, not when it is given', () => {
    const approval = (status: string) =>
      span({ span_id: 'root' }, [
        [
          ms(1),
          'agent.approval',
          { 'agent.approval.id': 'p', 'agent.approval.status': 'requested' },
        ],
        [ms(2), 'agent.approval', { 'agent.approval.id': 'p', 'agent.approval.status': status }],
      ]);
    expect(only([approval('approved')])).toMatchObject({ approvals: 1, escalated: 0 });
    expect(only([approval('denied')])).toMatchObject({ approvals: 1, escalated: 1 });
    expect(only([approval('expired')])).toMatchObject({ approvals: 1, escalated: 1 });
  });
});
