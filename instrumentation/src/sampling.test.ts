import { trace } from '@opentelemetry/api';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type FakeReceiver, startFakeReceiver } from '../test/fake-receiver.ts';
import { approval, type Budget, outcome, resumeTask, tool, withTask } from './index.ts';
import { type Handle, type RegisterOptions, register } from './node.ts';
import { isChosen } from './sampling.ts';

let receiver: FakeReceiver;
let handle: Handle | undefined;
beforeAll(async () => {
  receiver = await startFakeReceiver();
});
afterAll(() => receiver.close());
beforeEach(() => {
  receiver.spans.length = 0;
  receiver.logs.length = 0;
});
afterEach(() => handle?.shutdown());

function start(options: RegisterOptions): Handle {
  handle = register({ endpoint: receiver.url, flushOnExit: false, ...options });
  return handle;
}

const checked = tool({ name: 'checked', validate: () => false }, () => 1);
const step = tool({ name: 'step' }, (result: unknown = 'fine') => result);
const sentOf = (task: string) =>
  receiver.spans.filter((span) => span['agent.task.id'] === task).map(({ name }) => name);

it('decides by the id alone, so that every process decides alike, and by the share', () => {
  const ids = Array.from({ length: 2_000 }, (_, index) => `task-${index}`);
  const chosen = ids.filter((id) => isChosen(id, 0.25));
  expect(chosen.length).toBeGreaterThan(430);
  expect(chosen.length).toBeLessThan(570);
  // What a smaller share takes, a larger one takes too.
  expect(ids.filter((id) => isChosen(id, 0.1)).every((id) => isChosen(id, 0.25))).toBe(true);
  // The same for ever: processes of different releases share tasks.
  expect(isChosen('task-0', 0.0625)).toBe(false);
  expect([isChosen('x', 1), isChosen('x', 0)]).toEqual([true, false]);
});

it('sends the spans of chosen tasks, and the records of all', async () => {
  start({ sampleRatio: 0.5 });
  const ids = Array.from({ length: 20 }, (_, index) => `share-${index}`);
  for (const id of ids) withTask({ workflow: 'w', id }, () => step());
  await handle?.flush();
  const chosen = ids.filter((id) => isChosen(id, 0.5));
  for (const id of ids) {
    expect(sentOf(id)).toEqual(
      chosen.includes(id) ? ['execute_tool step', 'invoke_workflow w'] : [],
    );
  }
  const ends = receiver.logs.filter((log) => log['agent.task.state'] === 'done');
  expect(ends.map((log) => log['agent.task.id'])).toEqual(ids);
  expect(ends.map((log) => log['agent.task.sampled'])).toEqual(
    ids.map((id) => chosen.includes(id)),
  );
  expect(handle?.stats().sampledOutSpans).toBe(2 * (ids.length - chosen.length));
});

describe('a task that is not chosen is sent whole', () => {
  beforeEach(() => start({ sampleRatio: 0 }));

  it.each([
    ['a tool that throws', () => tool({ name: 'bad' }, () => Promise.reject(new Error('no')))()],
    ['a result that reads as an error', async () => step('Error: no such order')],
    ['a budget stop', async () => step(), { toolCalls: 1 }],
    ['a budget exceeded', async () => step(), { toolCalls: 1, mode: 'warn' }],
    ['a result its own check refuses', async () => checked()],
    [
      'arguments that do not fit',
      async () =>
        tool({ name: 'n', input: z.object({ n: z.number() }) }, async () => 1)({} as never),
    ],
    ['a verdict of failure', async () => outcome({ outcome: 'failure' })],
    [
      'a denied approval',
      async () => approval.decide(approval.request({ action: 'pay' }), { status: 'denied' }),
    ],
  ] as [string, () => Promise<unknown>, Budget?][])('for %s', async (_, fail, budget) => {
    await withTask({ workflow: 'w', id: 'failing', budget }, async () => {
      step();
      await fail().catch(() => undefined);
    });
    await handle?.flush();
    expect(sentOf('failing')).toEqual(
      expect.arrayContaining(['execute_tool step', 'invoke_workflow w']),
    );
    expect(handle?.stats().sampledOutSpans).toBe(0);
  });

  it('for its own failure, which its last record says', async () => {
    const failing = withTask({ workflow: 'w', id: 'thrown' }, async () => {
      step();
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    await handle?.flush();
    expect(sentOf('thrown')).toHaveLength(2);
    expect(receiver.logs.at(-1)).toMatchObject({
      'agent.task.state': 'failed',
      'agent.task.sampled': true,
    });
  });

  it('also what follows when it goes on later', async () => {
    const token = withTask({ workflow: 'w', id: 'later' }, (task) => {
      step('failed: no');
      return task.suspend();
    });
    resumeTask(token, () => step());
    await handle?.flush();
    expect(sentOf('later')).toHaveLength(4);
  });

  it('when the process ends while it runs', async () => {
    void withTask({ workflow: 'w', id: 'cut' }, async () => {
      step();
      await new Promise(() => undefined);
    });
    await handle?.flush();
    expect(sentOf('cut')).toEqual([]);
    await handle?.shutdown();
    expect(sentOf('cut')).toEqual(['execute_tool step']);
  });
});

it('an exit of the process sends what a task under way has done', async () => {
  // With another listener, the process is left to that one's devices.
  const other = (): void => undefined;
  process.on('beforeExit', other);
  start({ sampleRatio: 0, flushOnExit: true });
  void withTask({ workflow: 'w', id: 'exiting' }, async () => {
    step();
    await new Promise(() => undefined);
  });
  process.emit('beforeExit', 0);
  await expect.poll(() => sentOf('exiting')).toEqual(['execute_tool step']);
  process.off('beforeExit', other);
});

it('takes spans outside of tasks by their trace', async () => {
  start({ sampleRatio: 0 });
  const tracer = trace.getTracer('t');
  tracer.startActiveSpan('fine', (span) => {
    tracer.startSpan('inside').end();
    span.end();
  });
  tracer.startActiveSpan('broken', (span) => {
    tracer.startSpan('before').end();
    span.setStatus({ code: 2 });
    span.end();
  });
  await handle?.flush();
  expect(receiver.spans.map(({ name }) => name)).toEqual(['before', 'broken']);
});

it('keeps a bounded number of spans waiting, and leaves the oldest tasks out', async () => {
  start({ sampleRatio: 0, maxQueueSize: 3 });
  const open: (() => void)[] = [];
  const runs = ['one', 'two'].map((id) =>
    withTask({ workflow: 'w', id }, async () => {
      step();
      step();
      await new Promise<void>((resolve) => open.push(resolve));
      throw new Error('both fail');
    }),
  );
  expect(handle?.stats().sampledOutSpans).toBe(2);
  for (const go of open) {
    go();
    await Promise.race(runs.splice(0, 1)).catch(() => undefined);
    await handle?.flush();
  }
  expect(sentOf('two')).toHaveLength(3);
  expect(sentOf('one')).toEqual(['invoke_workflow w']);
});
