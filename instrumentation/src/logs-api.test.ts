import { logs } from '@opentelemetry/api-logs';
import { afterEach, expect, it } from 'vitest';
import {
  type LoggerProvider,
  loggerProvider,
  removeLoggerProvider,
  setLoggerProvider,
} from './logs-api.ts';

// The provider of the 3.x line is found in the matrix, with its real packages.

const provider: LoggerProvider = { getLogger: () => ({ emit: () => undefined }) };
afterEach(removeLoggerProvider);

it('finds what others registered, and others find what is registered here', () => {
  expect(loggerProvider()).toBeUndefined();
  logs.setGlobalLoggerProvider(provider as never);
  expect(loggerProvider()).toBe(provider);
  removeLoggerProvider();
  expect(loggerProvider()).toBeUndefined();
  setLoggerProvider(provider);
  expect(logs.getLoggerProvider()).toBe(provider);
});

it('does not take the place of a provider', () => {
  logs.setGlobalLoggerProvider(provider as never);
  setLoggerProvider({ getLogger: () => ({ emit: () => undefined }) });
  expect(loggerProvider()).toBe(provider);
});
