import type { MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';

/** What OTLP exporters and their fetch instrumentation put on a request. */
const allowHeaders = [
  'content-type',
  'content-encoding',
  'authorization',
  'x-api-key',
  'traceparent',
  'tracestate',
  'baggage',
];

/**
 * Lets pages of these origins send. None by default: any page a developer visits could otherwise write into a
 * Plumbline on their own machine, which needs no key.
 */
export function crossOrigin(origins: readonly string[]): MiddlewareHandler {
  const patterns = origins.map(patternOf);
  return cors({
    origin: (origin) => (patterns.some((pattern) => pattern.test(origin)) ? origin : null),
    allowMethods: ['POST'],
    allowHeaders,
    exposeHeaders: ['retry-after'],
    maxAge: 7200,
  });
}

/** `*` alone is every origin, else one or more labels of the host. */
function patternOf(origin: string): RegExp {
  if (origin === '*') return /^/;
  const text = origin.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[a-z0-9.-]+');
  return new RegExp(`^${text}$`, 'i');
}
