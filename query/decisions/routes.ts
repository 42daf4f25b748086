import { Hono } from 'hono';
import { accepts } from 'hono/accepts';
import { z } from 'zod';
import type { QueryContext } from '../context.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { defaultFindingsSettings } from '../findings/settings.ts';
import { unknownTask } from '../tasks/routes.ts';
import { limit, returns, valid } from '../valid.ts';
import { createJudge, type Judge } from './judge.ts';
import { toAnswer } from './shape.ts';
import { renderTask } from './text.ts';

const decisionsQuery = z.strictObject({
  content: z.enum(['preview', 'full', 'none']).default('preview'),
  agent: z.string().optional(),
  limit: limit(200, 1000),
  cursor: z.string().optional(),
});

const list = z.array(z.looseObject({}));

/** The whole shape is in `decisions.schema.json`. */
const answer = z.object({
  task_id: z.string(),
  workflow: z.string().nullable(),
  state: z.string(),
  outcome: z.enum(['success', 'failure', 'unknown']),
  outcome_source: z.enum(['explicit', 'feedback', 'evaluation', 'inferred']).nullable(),
  complete: z.boolean(),
  toolsets: z.record(z.string(), z.looseObject({})),
  decisions: list,
  edges: list,
  findings: list,
  suspects: list,
  next_cursor: z.string().nullable(),
});

/** `GET /api/v1/tasks/{id}/decisions`: JSON, or for `Accept: text/plain` the task explained for a terminal. */
export function decisionsRoutes(
  { store, project, now }: QueryContext,
  judge: Judge = createJudge(store, () => defaultFindingsSettings),
): Hono {
  const app = new Hono();

  app.get(
    '/api/v1/tasks/:id/decisions',
    returns('Why a task went as it did: its decisions, findings and suspects', answer),
    valid('query', decisionsQuery),
    async (c) => {
      const { content, agent, limit: size, cursor } = c.req.valid('query');
      const id = c.req.param('id');
      const task = await judge.task(project(c), id, now());
      if (task === undefined) throw unknownTask(id);
      const { trajectory, findings, suspects } = task;
      const type = accepts(c, {
        header: 'Accept',
        supports: ['application/json', 'text/plain'],
        default: 'application/json',
      });
      c.header('Vary', 'Accept');
      if (type === 'text/plain') return c.text(renderTask(trajectory, findings, suspects));
      const after = decodeCursor(cursor, z.int().min(0)) ?? 0;
      const page = { content, agent, limit: size, after, cursorOf: encodeCursor };
      return c.json(toAnswer(trajectory, findings, suspects, page));
    },
  );

  return app;
}
