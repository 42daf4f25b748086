import { diag } from '@opentelemetry/api';
import { runtime, scope } from './runtime.ts';

const log = diag.createComponentLogger({ namespace: scope.name });
const maxSteps = 200;

/** Runs one step of telemetry: a failure is counted, told to `diag` once, and never reaches the application. */
export function guard<T, F>(step: string, run: () => T, fallback: F): T | F {
  try {
    return run();
  } catch (error) {
    failed(step, error);
    return fallback;
  }
}

/** {@link guard} for a step without a result. */
export function attempt(step: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    failed(step, error);
  }
}

/** Counts a failed step. Told once: a broken hook must not flood the application's log. */
export function failed(step: string, error: unknown): void {
  try {
    const { failures } = runtime();
    const count = failures.get(step) ?? 0;
    if (count === 0 && failures.size >= maxSteps) return;
    failures.set(step, count + 1);
    if (count === 0) log.warn(`${step} failed; the application is not affected`, error);
  } catch {
    // A diag logger that throws is the last thing that could reach the application.
  }
}
