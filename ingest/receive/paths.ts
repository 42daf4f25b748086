import type { Signal } from '../journal/record.ts';

export interface Route {
  readonly signal: Signal;
  /** The path as it was asked for, when it was not the right one. */
  readonly courtesy: string | null;
}

// Bases that senders put before the right path: a signal's own endpoint given as the general one (SDKs append
// /v1/traces to it), the base path of another backend, or both.
const bases = ['/v1/(?:traces|logs|metrics)', '/v1', '/otlp', '/api/otlp', '/api/public/otel'];
const path = new RegExp(`^(?:${bases.join('|')}){0,2}/v1/(traces|logs|metrics)$`);

/** The signal that a path means, right or well-known wrong; undefined for any other path. */
export function routeOf(pathname: string): Route | undefined {
  // A longer path is none of ours, and the length bounds the work on hostile ones.
  if (pathname.length > 100) return undefined;
  const plain = pathname.replace(/\/{2,}/g, '/').replace(/\/$/, '');
  const signal = path.exec(plain)?.[1];
  if (signal !== 'traces' && signal !== 'logs' && signal !== 'metrics') return undefined;
  return { signal, courtesy: pathname === `/v1/${signal}` ? null : plain };
}
