import { context, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Recorder, record } from '../test/recorder.ts';
import { enqueueTask, extractTask, injectTask, withTask } from './index.ts';

let recorder: Recorder;
beforeAll(() => {
  recorder = record();
});
afterAll(() => recorder.handle.shutdown());
beforeEach(() => recorder.clear());

const elsewhere = <T>(fn: () => T): T => context.with(ROOT_CONTEXT, fn);

it('carries trace and task to another process, and nobody who could be identified', () => {
  const secret = { userId: 'alice@corp', sessionId: 'sess-1', ref: 'order-9', idempotencyKey: 'k' };
  const headers = withTask({ workflow: 'a,b=c;d é', id: 'id 1', ...secret }, () =>
    injectTask({ accept: 'text/plain' }),
  );
  expect(headers).toMatchObject({ accept: 'text/plain' });
  for (const value of Object.values(secret).slice(0, 3)) {
    expect(JSON.stringify(headers)).not.toContain(value);
  }
  elsewhere(() => extractTask(headers, () => trace.getTracer('t').startSpan('remote').end()));
  const local = recorder.span('invoke_workflow a,b=c;d é').spanContext();
  const remote = recorder.span('remote');
  expect(remote.spanContext().traceId).toBe(local.traceId);
  expect(remote.parentSpanContext?.spanId).toBe(local.spanId);
  expect(remote.attributes).toEqual({
    'agent.task.id': 'id 1',
    'agent.task.workflow': 'a,b=c;d é',
    'agent.task.attempt': 1,
  });
  expect(recorder.states()).toEqual(['running', 'done']);
});

it('speaks the environment of child processes', () => {
  const env = withTask({ workflow: 'w', id: 'e' }, () => injectTask({}, { env: true }));
  expect(Object.keys(env).sort()).toEqual(['BAGGAGE', 'TRACEPARENT']);
  elsewhere(() => extractTask(env, () => trace.getTracer('t').startSpan('child').end()));
  expect(recorder.span('child').attributes['agent.task.id']).toBe('e');
});

it('queues a task here and runs it there, once', () => {
  const message = enqueueTask({ workflow: 'w', id: 'q', traffic: 'shadow' });
  expect(recorder.states('q')).toEqual(['queued']);
  elsewhere(() =>
    extractTask(message, () => {
      withTask({ workflow: 'w', sessionId: 's' }, (task) => expect(task.id).toBe('q'));
    }),
  );
  expect(recorder.states('q')).toEqual(['queued', 'running', 'done']);
  expect(recorder.span('invoke_workflow w').attributes).toMatchObject({
    'agent.task.traffic': 'shadow',
    'gen_ai.conversation.id': 's',
  });
});

it.each([
  [{}],
  [{ traceparent: 'x', baggage: 'agent.task.id=%zz' }],
  [{ baggage: ['a=b', 'c'] }],
  [{ traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01` }],
])('runs the function for the carrier %j that brings nothing', (carrier) => {
  expect(extractTask(carrier, () => 3)).toBe(3);
});

it('adds to the baggage that is there and keeps within the limit of W3C', () => {
  withTask({ workflow: 'w', id: 'b' }, () => {
    expect(injectTask({ baggage: 'tenant=7' })['baggage']).toMatch(/^tenant=7,agent\.task\.id=b,/);
    expect(injectTask({ baggage: `big=${'x'.repeat(8_180)}` })['baggage']).toHaveLength(8_184);
  });
});
