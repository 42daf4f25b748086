import { Hono } from 'hono';
import { z } from 'zod';
import type { QueryContext } from '../context.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { problem } from '../problem.ts';
import { unknownTask } from '../tasks/routes.ts';
import { limit, returns, valid } from '../valid.ts';
import { maxTreeSpans, spansOf, toJson, tracesOfTask } from './spans.ts';
import { placeSpans } from './tree.ts';

const treeQuery = z.strictObject({ limit: limit(10_000, 10_000), cursor: z.string().optional() });

const span = z.looseObject({
  trace_id: z.string(),
  span_id: z.string(),
  parent_id: z.string().nullable(),
  depth: z.int(),
  duration_ms: z.number(),
  self_ms: z.number(),
  critical: z.boolean(),
  critical_ms: z.number(),
  started_at: z.string(),
  name: z.string(),
  kind: z.string(),
});

const tree = z.object({
  spans: z.array(span),
  /** True when the trace has more spans than are placed in one tree. */
  truncated: z.boolean(),
  next_cursor: z.string().nullable(),
});

/** `GET /api/v1/tasks/{id}/spans` and `GET /api/v1/traces/{trace_id}`: the spans depth first. */
export function tracesRoutes({ store, project }: QueryContext): Hono {
  const app = new Hono();

  async function answer(own: string, traces: readonly string[], query: z.output<typeof treeQuery>) {
    const spans = await spansOf(store, own, traces);
    const offset = decodeCursor(query.cursor, z.int().min(0)) ?? 0;
    const placed = placeSpans(spans);
    const end = offset + query.limit;
    return {
      spans: placed.slice(offset, end).map(toJson),
      truncated: spans.length === maxTreeSpans,
      next_cursor: end < placed.length ? encodeCursor(end) : null,
    };
  }

  app.get(
    '/api/v1/tasks/:id/spans',
    returns('The span tree of a task', tree),
    valid('query', treeQuery),
    async (c) => {
      const own = project(c);
      const traces = await tracesOfTask(store, own, c.req.param('id'));
      if (traces === undefined) throw unknownTask(c.req.param('id'));
      return c.json(await answer(own, traces, c.req.valid('query')));
    },
  );

  app.get(
    '/api/v1/traces/:trace_id',
    returns('The span tree of a trace', tree),
    valid('query', treeQuery),
    async (c) => {
      const id = c.req.param('trace_id').toLowerCase();
      const found = await answer(project(c), [id], c.req.valid('query'));
      if (found.spans.length > 0) return c.json(found);
      throw problem(
        404,
        'No such trace.',
        `No span of trace ${JSON.stringify(id)} in this project.`,
      );
    },
  );

  return app;
}
