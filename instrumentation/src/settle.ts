import { type Context, context } from '@opentelemetry/api';
import { attempt, guard } from './guard.ts';

/** How a wrapped call ended. */
export type Settled =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };

/** A wrapped call under way: the context its code runs in, and what to do when it has settled. */
export interface Run {
  readonly context: Context;
  readonly end: (settled: Settled) => void;
}

/**
 * Calls `fn` as if it stood alone: its result or error reaches the caller unchanged. `start` may fail, then `fn` runs
 * untraced; `end` runs exactly once, before the caller goes on.
 */
export function run<T>(step: string, start: () => Run, fn: () => T): T {
  const active = guard(`${step}.start`, start, undefined);
  if (!active) return fn();
  let ended = false;
  const end = (settled: Settled): void => {
    if (ended) return;
    ended = true;
    attempt(`${step}.end`, () => active.end(settled));
  };
  let result: T;
  try {
    result = context.with(active.context, fn);
  } catch (error) {
    end({ ok: false, error });
    throw error;
  }
  return guard(`${step}.settle`, () => settle(result, active.context, end), result);
}

function settle<T>(result: T, at: Context, end: (settled: Settled) => void): T {
  if (typeof result === 'object' && result !== null) {
    if (isPlainPromise(result)) return followPromise(result, end) as T;
    if ('then' in result && typeof result.then === 'function') {
      followThenable(result as Thenable, end);
      return result;
    }
    if (isIterator(result)) {
      followIterator(result, at, end);
      return result;
    }
  }
  end({ ok: true, value: result });
  return result;
}

interface Thenable {
  then: (...callbacks: unknown[]) => unknown;
}

type Step = (...values: unknown[]) => unknown;
type IteratorLike = Partial<Record<'next' | 'return' | 'throw', unknown>>;

function isPlainPromise(value: object): value is Promise<unknown> {
  const own = Object.hasOwn(value, 'then');
  return !own && value instanceof Promise && Object.getPrototypeOf(value) === Promise.prototype;
}

/** A derived promise, so that a rejection nobody handles is still reported as unhandled. */
function followPromise(
  promise: Promise<unknown>,
  end: (settled: Settled) => void,
): Promise<unknown> {
  return promise.then(
    (value) => {
      end({ ok: true, value });
      return value;
    },
    (error: unknown) => {
      end({ ok: false, error });
      throw error;
    },
  );
}

/**
 * A subclass may start its work, or consume a response body, in `then` (OpenAI's APIPromise): it is never called from
 * here. Its own `then` is wrapped instead, and the application's first call of it tells how it ended.
 */
function followThenable(thenable: Thenable, end: (settled: Settled) => void): void {
  const original = thenable.then;
  const value = function then(this: unknown, onOk?: unknown, onError?: unknown): unknown {
    return original.call(
      this,
      (result: unknown) => {
        end({ ok: true, value: result });
        return typeof onOk === 'function' ? (onOk(result) as unknown) : result;
      },
      (error: unknown) => {
        end({ ok: false, error });
        if (typeof onError === 'function') return onError(error) as unknown;
        throw error;
      },
    );
  };
  const hooked = Reflect.defineProperty(thenable, 'then', {
    value,
    configurable: true,
    writable: true,
  });
  if (!hooked) end({ ok: true, value: undefined });
}

function isIterator(value: object): value is IteratorLike {
  return (
    (Symbol.asyncIterator in value || Symbol.iterator in value) &&
    'next' in value &&
    typeof value.next === 'function'
  );
}

/** A generator runs when it is asked: each step in the run's context, ended by its last step. */
function followIterator(
  iterator: IteratorLike,
  at: Context,
  end: (settled: Settled) => void,
): void {
  for (const method of ['next', 'return', 'throw'] as const) {
    const original = iterator[method];
    if (typeof original !== 'function') continue;
    const value = (...values: unknown[]): unknown => {
      try {
        const step = context.with(at, () => (original as Step).apply(iterator, values));
        return step instanceof Promise ? followStep(step, end) : endWhenDone(step, end);
      } catch (error) {
        end({ ok: false, error });
        throw error;
      }
    };
    Reflect.defineProperty(iterator, method, { value, configurable: true, writable: true });
  }
}

function followStep(step: Promise<unknown>, end: (settled: Settled) => void): Promise<unknown> {
  return step.then(
    (result) => endWhenDone(result, end),
    (error: unknown) => {
      end({ ok: false, error });
      throw error;
    },
  );
}

function endWhenDone(step: unknown, end: (settled: Settled) => void): unknown {
  const { done, value } = (step ?? {}) as { done?: boolean; value?: unknown };
  if (done) end({ ok: true, value });
  return step;
}
