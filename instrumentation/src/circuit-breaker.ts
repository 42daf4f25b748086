/** When a tool that keeps failing is left alone. */
export interface CircuitBreakerOptions {
  /** Failures in a row that open the circuit. */
  readonly failures: number;
  /** How long calls are refused before one is let through to try, 30 s by default. */
  readonly coolDownMs?: number | undefined;
}

/** Thrown in place of a call while the circuit is open. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
  readonly code = 'circuit_open';
  /** Milliseconds until a call is let through again. */
  readonly retryAfterMs: number;

  constructor(tool: string, failures: number, retryAfterMs: number) {
    super(`${tool} failed ${failures} times in a row and is left alone for ${retryAfterMs} ms`);
    this.retryAfterMs = retryAfterMs;
  }
}

export interface CircuitBreaker {
  /** The error to throw instead of calling; `undefined` lets the call through. */
  admit(): CircuitOpenError | undefined;
  settled(ok: boolean): void;
}

const defaultCoolDownMs = 30_000;

export function circuitBreaker(
  tool: string,
  { failures, coolDownMs = defaultCoolDownMs }: CircuitBreakerOptions,
): CircuitBreaker {
  let inRow = 0;
  let openedAt = 0;
  return {
    admit: () => {
      if (inRow < failures) return undefined;
      const left = openedAt + coolDownMs - performance.now();
      if (left > 0) return new CircuitOpenError(tool, inRow, Math.ceil(left));
      // One call tries; the others wait until it has told.
      openedAt = performance.now();
      return undefined;
    },
    settled: (ok) => {
      inRow = ok ? 0 : inRow + 1;
      if (inRow >= failures) openedAt = performance.now();
    },
  };
}
