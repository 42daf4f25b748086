import { Hono } from 'hono';
import { z } from 'zod';
import type { QueryContext } from '../context.ts';
import { problem } from '../problem.ts';
import { parseTime, time } from '../time.ts';
import { returns, valid } from '../valid.ts';
import type { Job, Jobs } from './jobs.ts';

const job = z.object({
  job_id: z.string(),
  kind: z.string(),
  from: z.string(),
  to: z.string(),
  state: z.enum(['running', 'done', 'failed']),
  done: z.int(),
  total: z.int(),
  started_at: z.string(),
  ended_at: z.string().nullable(),
  took_ms: z.number().nullable(),
  error: z.string().nullable(),
  result: z.record(z.string(), z.number()).nullable(),
});

const range = z.strictObject({ from: time, to: time.default('now') });

/**
 * `POST /api/v1/remap` reads stored spans and logs of a range again by the mapping in use, `POST /api/v1/rebuild` derives
 * its tasks again. Both start a job and answer 202, 409 while another runs; `GET /api/v1/jobs/{id}` says how far it is.
 */
export function maintenanceRoutes({ project, now }: QueryContext, jobs: Jobs): Hono {
  const app = new Hono();
  for (const kind of ['remap', 'rebuild'] as const) {
    app.post(
      `/api/v1/${kind}`,
      returns(`Starts a ${kind} of a range of time`, job, 202),
      valid('json', range),
      (c) => {
        const clock = now();
        const given = c.req.valid('json');
        const from = parseTime(given.from, clock) ?? clock;
        const to = parseTime(given.to, clock) ?? clock;
        if (from >= to) throw problem(400, 'The range is empty.', 'from must be before to', 'from');
        const started = jobs.start(kind, project(c), from, to);
        if (started === null) {
          throw problem(409, 'Another job runs.', 'Try again when it has ended.');
        }
        return c.json(toJson(started, now()), 202);
      },
    );
  }
  app.get('/api/v1/jobs/:id', returns('How far a job is', job), (c) => {
    const found = jobs.get(project(c), c.req.param('id'));
    if (found === null) throw problem(404, 'No such job.', 'The last twenty jobs are remembered.');
    return c.json(toJson(found, now()));
  });
  return app;
}

function toJson({ project: _, ...one }: Job, now: Date): object {
  return {
    ...one,
    from: one.from.toISOString(),
    to: one.to.toISOString(),
    started_at: one.started_at.toISOString(),
    ended_at: one.ended_at?.toISOString() ?? null,
    took_ms: (one.ended_at ?? now).getTime() - one.started_at.getTime(),
  };
}
