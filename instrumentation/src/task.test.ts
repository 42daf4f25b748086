import { setTimeout as sleep } from 'node:timers/promises';
import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Recorder, record } from '../test/recorder.ts';
import { approval, currentTask, outcome, resumeTask, withTask } from './index.ts';

let recorder: Recorder;
beforeAll(() => {
  recorder = record();
});
afterAll(() => recorder.handle.shutdown());
beforeEach(() => recorder.clear());

describe('withTask', () => {
  it('returns what the function returns, sync and async, and reports running and done', async () => {
    expect(withTask({ workflow: 'refund', id: 'a' }, () => 42)).toBe(42);
    expect(await withTask({ workflow: 'refund', id: 'b' }, async () => 43)).toBe(43);
    expect(recorder.states('a')).toEqual(['running', 'done']);
    expect(recorder.states('b')).toEqual(['running', 'done']);
  });

  it('sends the state before the caller goes on, in the span of the task', async () => {
    await withTask({ workflow: 'refund', id: 't' }, async () => {
      expect(recorder.states('t')).toEqual(['running']);
      await sleep(1);
    });
    const span = recorder.span('invoke_workflow refund');
    for (const log of recorder.logs('agent.task.state')) {
      expect(log['spanId']).toBe(span.spanContext().spanId);
    }
    expect(span.attributes).toEqual({
      'agent.task.id': 't',
      'agent.task.workflow': 'refund',
      'agent.task.attempt': 1,
      'gen_ai.operation.name': 'invoke_workflow',
      'gen_ai.workflow.name': 'refund',
    });
  });

  it('throws the very error and reports failed with its type, never its message', async () => {
    const error = new RangeError('card 4111 declined');
    await expect(
      withTask({ workflow: 'w', id: 'f' }, async () => Promise.reject(error)),
    ).rejects.toBe(error);
    expect(() =>
      withTask({ workflow: 'w', id: 'g' }, () => {
        throw error;
      }),
    ).toThrow(error);
    expect(recorder.states('f')).toEqual(['running', 'failed']);
    const [span] = recorder.spans();
    expect(span?.status).toEqual({ code: SpanStatusCode.ERROR });
    expect(span?.attributes['error.type']).toBe('RangeError');
    expect(
      JSON.stringify([
        recorder.spans().map(({ events }) => events),
        recorder.logs('agent.task.state'),
      ]),
    ).not.toContain('4111');
  });

  it('carries every identifying option on spans of anyone inside, and on their logs', async () => {
    const options = {
      workflow: 'refund',
      idempotencyKey: 'key-1',
      ref: 'ticket-7',
      traffic: 'eval',
      sessionId: 's1',
      userId: 'u1',
      agent: 'support',
      prompt: { name: 'support', version: '8' },
    } as const;
    await withTask(options, async () => {
      trace.getTracer('foreign').startSpan('GET /stock').end();
      logs.getLogger('foreign').emit({ eventName: 'foreign', context: context.active() });
    });
    const expected = {
      'agent.task.id': 'key-1',
      'agent.task.workflow': 'refund',
      'agent.task.attempt': 1,
      'agent.task.idempotency_key': 'key-1',
      'agent.task.ref': 'ticket-7',
      'agent.task.traffic': 'eval',
      'gen_ai.conversation.id': 's1',
      'user.id': 'u1',
      'gen_ai.prompt.name': 'support',
      'gen_ai.prompt.version': '8',
    };
    expect(recorder.span('GET /stock').attributes).toEqual(expected);
    expect(recorder.logs('foreign')[0]).toMatchObject(expected);
    expect(recorder.span('invoke_workflow refund').attributes).toMatchObject({
      ...expected,
      'gen_ai.agent.name': 'support',
    });
  });

  it('counts a retry of a failed task as the next attempt, and a rerun of a done one as the first', () => {
    const attempts: number[] = [];
    const run = (fails: boolean): void => {
      try {
        withTask({ workflow: 'w', idempotencyKey: 'retry' }, (task) => {
          attempts.push(task.attempt);
          if (fails) throw new Error('no');
        });
      } catch {}
    };
    for (const fails of [true, true, false, false]) run(fails);
    expect(attempts).toEqual([1, 2, 3, 1]);
  });

  it('joins the surrounding task without an id and becomes a subtask with another', async () => {
    await withTask({ workflow: 'outer', id: 'o' }, async () => {
      await withTask({ workflow: 'inner' }, async (inner) => expect(inner.id).toBe('o'));
      await withTask({ workflow: 'sub', id: 's' }, async (sub) => expect(sub.id).toBe('s'));
    });
    expect(recorder.states('o')).toEqual(['running', 'done']);
    expect(recorder.states('s')).toEqual(['running', 'done']);
    expect(recorder.span('invoke_workflow inner').attributes['agent.task.id']).toBe('o');
    expect(recorder.span('invoke_workflow sub').attributes).toMatchObject({
      'agent.task.id': 's',
      'agent.task.parent_id': 'o',
    });
  });

  it('reports steps, cancellation, and nothing after the end', () => {
    const task = withTask({ workflow: 'w', id: 'c' }, (handle) => {
      handle.step('charge');
      handle.cancel('user left');
      return handle;
    });
    task.step('too late');
    expect(
      recorder
        .logs('agent.task.state')
        .map((log) => [log['agent.task.state'], log['agent.task.step'], log['agent.task.reason']]),
    ).toEqual([
      ['running', undefined, undefined],
      ['running', 'charge', undefined],
      ['cancelled', 'charge', 'user left'],
    ]);
  });

  it('keeps tasks that run at once apart', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `p${index}`);
    await Promise.all(
      ids.map((id) =>
        withTask({ workflow: 'w', id }, async () => {
          await sleep(Math.random() * 4);
          expect(currentTask()?.id).toBe(id);
          trace.getTracer('t').startSpan(`inside ${id}`).end();
        }),
      ),
    );
    for (const id of ids) {
      expect(recorder.span(`inside ${id}`).attributes['agent.task.id']).toBe(id);
    }
  });
});

describe('suspend and resume', () => {
  it('waits without an open span and goes on in another trace, linked, as the same task', async () => {
    let approvalId = '';
    const token = await withTask({ workflow: 'refund', id: 'r', userId: 'u' }, async (task) => {
      approvalId = approval.request({ action: 'refund 120 USD', risk: 'high' });
      return task.suspend({ reason: 'needs approval', approvalId });
    });
    expect(recorder.states('r')).toEqual(['running', 'waiting_for_approval']);
    const first = recorder.span('invoke_workflow refund').spanContext();

    recorder.clear();
    approval.decide(approvalId, { status: 'approved', by: 'ann' });
    const result = await resumeTask(token, async (task) => {
      outcome({ outcome: 'success', score: 1 });
      return task.id;
    });
    expect(result).toBe('r');
    const second = recorder.span('invoke_workflow refund');
    expect(second.spanContext().traceId).not.toBe(first.traceId);
    expect(second.links.map(({ context: link }) => [link.traceId, link.spanId])).toEqual([
      [first.traceId, first.spanId],
    ]);
    expect(second.attributes).toMatchObject({ 'agent.task.id': 'r', 'user.id': 'u' });
    expect(recorder.states('r')).toEqual(['running', 'done']);
    const [running] = recorder.logs('agent.task.state');
    expect(running?.['agent.task.resumed_from']).toBe(`${first.traceId}-${first.spanId}`);
    expect(recorder.logs('agent.outcome')[0]).toMatchObject({
      'agent.task.id': 'r',
      'agent.outcome': 'success',
      'agent.outcome.score': 1,
      'agent.outcome.source': 'explicit',
    });
    expect(recorder.logs('agent.approval')[0]).toMatchObject({
      'agent.approval.id': approvalId,
      'agent.approval.status': 'approved',
      'agent.approval.by': 'ann',
    });
  });

  it('starts another trace even inside the one that it was suspended in', () => {
    withTask({ workflow: 'outer', id: 'o' }, () => {
      const token = withTask({ workflow: 'w', id: 'x' }, (task) => task.suspend());
      resumeTask(token, () => undefined);
    });
    const [first, second] = recorder.spans().filter(({ name }) => name === 'invoke_workflow w');
    expect(second?.spanContext().traceId).not.toBe(first?.spanContext().traceId);
  });

  it.each([
    '',
    'garbage',
    Buffer.from('{"v":1}').toString('base64url'),
    Buffer.from('null').toString('base64url'),
  ])('runs the function for the token %j that is none', (token) => {
    expect(resumeTask(token, () => 7)).toBe(7);
    expect(recorder.span('invoke_workflow unknown').links).toEqual([]);
  });
});

it('keeps an outcome for another task free of this one', () => {
  withTask({ workflow: 'grader', id: 'g' }, () => outcome({ outcome: 'failure', taskId: 'other' }));
  expect(recorder.logs('agent.outcome')).toEqual([
    {
      'agent.outcome': 'failure',
      'agent.outcome.source': 'explicit',
      'agent.task.id': 'other',
      spanId: undefined,
    },
  ]);
});
