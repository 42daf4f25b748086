import { attempt } from './guard.ts';
import { runtime } from './runtime.ts';

export interface ServerlessOptions {
  /** How long an answer may be held back for sending, 1 s by default. */
  readonly timeoutMs?: number | undefined;
  /** Where the platform has it (`ctx.waitUntil`, Vercel's `waitUntil`): sending goes on after the answer, which is not held back. */
  readonly waitUntil?: ((sent: Promise<void>) => void) | undefined;
}

type Handler = (...values: never[]) => unknown;

const defaultTimeoutMs = 1_000;

/**
 * The same handler for functions that are frozen between calls (Lambda, Cloud Functions, Vercel): what a call recorded is
 * sent before its promise settles, for at most `timeoutMs`. A handler that answers without a promise is not held back.
 */
export function serverless<F extends Handler>(handler: F, options: ServerlessOptions = {}): F {
  const { timeoutMs = defaultTimeoutMs, waitUntil } = options;
  const flushing = function (this: unknown, ...values: Parameters<F>): unknown {
    const result = Reflect.apply(handler, this, values);
    if (!waitUntil && result instanceof Promise) {
      return result.finally(() => sent(timeoutMs));
    }
    const answered = result instanceof Promise ? result : Promise.resolve();
    const later = answered.then(
      () => sent(timeoutMs),
      () => sent(timeoutMs),
    );
    attempt('serverless.waitUntil', () => waitUntil?.(later));
    return result;
  };
  for (const key of ['name', 'length'] as const) {
    Object.defineProperty(flushing, key, { value: handler[key], configurable: true });
  }
  return flushing as F;
}

/** Settles when everything recorded so far is sent, or the time is up. Never rejects. */
function sent(timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const { flush } = runtime();
    if (!flush) {
      resolve();
      return;
    }
    const timer = setTimeout(resolve, timeoutMs);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    attempt('serverless.flush', () => void flush().then(done, done));
  });
}
