import { context, createContextKey } from '@opentelemetry/api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Recorder, record } from '../test/recorder.ts';
import { run, type Settled } from './settle.ts';

let recorder: Recorder;
beforeAll(() => {
  recorder = record();
});
afterAll(() => recorder.handle.shutdown());

const key = createContextKey('settle.test');

function traced<T>(fn: () => T): { result: T; ends: Settled[] } {
  const ends: Settled[] = [];
  const at = context.active().setValue(key, 'inside');
  const result = run('test', () => ({ context: at, end: (end) => void ends.push(end) }), fn);
  return { result, ends };
}

/** As OpenAI's APIPromise: a Promise whose `then` starts the work. */
class Lazy extends Promise<string> {
  started = 0;
  // biome-ignore lint/suspicious/noThenProperty: the point of the test.
  override then<A = string, B = never>(
    onOk?: ((value: string) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.started += 1;
    return Promise.resolve('body').then(onOk, onError);
  }
  static override get [Symbol.species]() {
    return Promise;
  }
}

it('never starts a lazy promise, hands it over itself, and ends when it is awaited', async () => {
  const lazy = new Lazy(() => undefined);
  const { result, ends } = traced(() => lazy);
  expect(result).toBe(lazy);
  expect([lazy.started, ends]).toEqual([0, []]);
  expect(await result).toBe('body');
  expect([lazy.started, ends]).toEqual([1, [{ ok: true, value: 'body' }]]);
});

it('runs each step of a generator in the context of the call and ends with its last', async () => {
  async function* counting() {
    yield context.active().getValue(key);
    yield context.active().getValue(key);
    return 'end';
  }
  const { result, ends } = traced(counting);
  const seen: unknown[] = [];
  for await (const value of result) seen.push(value);
  expect(seen).toEqual(['inside', 'inside']);
  expect(ends).toEqual([{ ok: true, value: 'end' }]);
});

it('ends a generator that is left early, and one that throws', () => {
  const endless = traced(function* () {
    for (;;) yield 1;
  });
  for (const _ of endless.result) break;
  expect(endless.ends).toHaveLength(1);
  const error = new Error('no');
  const failing = traced(function* (): Generator<number> {
    yield 1;
    throw error;
  });
  expect(() => [...failing.result]).toThrow(error);
  expect(failing.ends).toEqual([{ ok: false, error }]);
});

it('leaves a rejection that nobody handles unhandled', async () => {
  const unhandled: unknown[] = [];
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => unhandled.push(reason));
  const error = new Error('nobody cares');
  traced(() => Promise.reject(error));
  await new Promise((resolve) => setImmediate(resolve));
  process.removeAllListeners('unhandledRejection');
  for (const listener of listeners) process.on('unhandledRejection', listener);
  expect(unhandled).toEqual([error]);
});

it('runs the function untraced when the start fails, and survives an end that fails', async () => {
  const broken = (): never => {
    throw new Error('ours');
  };
  expect(run('broken', broken, () => 5)).toBe(5);
  expect(
    await run(
      'ending',
      () => ({ context: context.active(), end: broken }),
      async () => 6,
    ),
  ).toBe(6);
  expect(recorder.handle.stats().failures).toMatchObject({ 'broken.start': 1, 'ending.end': 1 });
});
