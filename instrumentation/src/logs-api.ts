import type { Attributes, Context, TimeInput } from '@opentelemetry/api';
import * as api from '@opentelemetry/api';

/** The part of the logs API that is used here. It has moved between packages, so neither is imported for it. */
export interface LoggerProvider {
  getLogger(name: string, version?: string): { emit(record: EventRecord): void };
}

export interface EventRecord {
  readonly eventName: string;
  readonly timestamp: TimeInput;
  readonly severityNumber: number;
  readonly attributes: Attributes;
  readonly context: Context;
}

/** `SeverityNumber.INFO` of the data model. */
export const severityInfo = 9;

/** Where `@opentelemetry/api-logs` (the 2.x line) keeps the provider: a function of the version of this agreement. */
const separate = Symbol.for('io.opentelemetry.js.api.logs');
const agreement = 1;
/** Where `@opentelemetry/api` keeps its own; logs are among them since 1.10 (the 3.x line). */
const included = Symbol.for('opentelemetry.js.api.1');

interface Slots {
  [separate]?: (version: number) => unknown;
  [included]?: { readonly logs?: unknown };
}

interface LogsApi {
  setGlobalLoggerProvider(provider: LoggerProvider): unknown;
  disable(): void;
}

/** The provider that is registered for this process, by whichever line. */
export function loggerProvider(): LoggerProvider | undefined {
  const slots = globalThis as Slots;
  const found = slots[separate]?.(agreement) ?? slots[included]?.logs;
  return found as LoggerProvider | undefined;
}

/** Registers a provider where none is. */
export function setLoggerProvider(provider: LoggerProvider): void {
  const logs = includedApi();
  if (logs) logs.setGlobalLoggerProvider(provider);
  else {
    const get = (version: number): unknown => (version === agreement ? provider : undefined);
    (globalThis as Slots)[separate] ??= get;
  }
}

export function removeLoggerProvider(): void {
  delete (globalThis as Slots)[separate];
  includedApi()?.disable();
}

/** Read without naming the export: bundlers warn of one that their version does not have. */
function includedApi(): LogsApi | undefined {
  return Reflect.get(api, 'logs') as LogsApi | undefined;
}
