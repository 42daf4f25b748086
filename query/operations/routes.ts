import { Hono } from 'hono';
import { z } from 'zod';
import { returns } from '../valid.ts';
import { exposition, type Metric } from './metrics.ts';

/** One condition of readiness, such as `store` or `journal`. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

export interface Operations {
  readonly version: string;
  readonly checks: () => Promise<readonly Check[]>;
  readonly metrics: () => readonly Metric[];
}

const health = z.object({ status: z.enum(['ok', 'unavailable']), version: z.string() });

const readiness = health.extend({
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
});

/** `GET /healthz` (the process answers), `/readyz` (it can do its work; 503 says what cannot), `/metrics`. */
export function operationsRoutes({ version, checks, metrics }: Operations): Hono {
  const app = new Hono();

  app.get('/healthz', returns('Liveness', health), (c) => c.json({ status: 'ok', version }));

  app.get('/readyz', returns('Readiness', readiness), async (c) => {
    const results = await checks();
    const ok = results.every((check) => check.ok);
    return c.json({ status: ok ? 'ok' : 'unavailable', version, checks: results }, ok ? 200 : 503);
  });

  app.get('/metrics', (c) =>
    c.text(exposition(metrics()), 200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    }),
  );

  return app;
}
