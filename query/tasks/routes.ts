import { Hono } from 'hono';
import { z } from 'zod';
import type { QueryContext } from '../context.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { readFindings } from '../findings/stored.ts';
import { problem } from '../problem.ts';
import { parseTime, time } from '../time.ts';
import { limit, returns, traffic, valid } from '../valid.ts';
import { findTask, findTasks, type Page, type SortKey, sorts, type TaskScope } from './find.ts';
import { type TaskRecord, type TaskViewRow, taskRecord, toRecord } from './record.ts';
import { readSubtasks } from './subtasks.ts';

const priced = { error: 'as_of_call, today or a date (2026-11-20)' };

/** `as_of_call` (default), `today`, or a date whose prices are used. */
export const prices = z
  .union([z.enum(['as_of_call', 'today']), z.iso.date(priced)])
  .default('as_of_call');

const states = [
  'queued',
  'running',
  'waiting_for_approval',
  'done',
  'failed',
  'cancelled',
  'abandoned',
] as const;
const sortKeys = Object.keys(sorts) as SortKey[];
const sortNames = sortKeys.flatMap((key) => [key, `-${key}`] as const);

const place = z.object({ value: z.number(), task_id: z.string() });

const words = z
  .string()
  .regex(/[\p{L}\p{N}]/u, { error: 'text with a letter or a digit' })
  .max(500);
const amount = z.coerce.number({ error: 'a number' }).min(0);

const listQuery = z.strictObject({
  from: time.default('now-1d'),
  to: time.default('now'),
  workflow: z.string().optional(),
  agent: z.string().optional(),
  state: z.enum(states).optional(),
  outcome: z.enum(['success', 'failure', 'unknown']).optional(),
  release: z.string().optional(),
  model: z.string().optional(),
  session: z.string().optional(),
  q: z.string().optional(),
  finding: z.string().optional(),
  signature: z.string().optional(),
  tool: z.string().optional(),
  text: words.optional(),
  argument: words.optional(),
  min_cost_usd: amount.optional(),
  max_cost_usd: amount.optional(),
  min_duration_ms: amount.optional(),
  max_duration_ms: amount.optional(),
  traffic,
  prices,
  sort: z.enum(sortNames as [string, ...string[]]).default('-counted_at'),
  limit: limit(50, 1000),
  cursor: z.string().optional(),
});

const list = z.object({ tasks: z.array(taskRecord), next_cursor: z.string().nullable() });

/** The UTC day of a ClickHouse time. */
function dayOf(time: string): Date {
  return new Date(`${time.slice(0, 10)}T00:00:00Z`);
}

/** `from` and `to` of a request as dates; `to` now means up to and including this moment. */
export function range(from: string, to: string, now: Date): { from: Date; to: Date } {
  const bounds = {
    from: parseTime(from, now) ?? now,
    to: new Date((parseTime(to, now) ?? now).getTime() + 1),
  };
  if (bounds.from < bounds.to) return bounds;
  throw problem(400, 'A parameter is not valid.', 'from: must be before to', 'from');
}

function page(query: z.output<typeof listQuery>): Page {
  const descending = query.sort.startsWith('-');
  const key = (descending ? query.sort.slice(1) : query.sort) as SortKey;
  return {
    sort: key,
    descending,
    limit: query.limit + 1,
    after: decodeCursor(query.cursor, place),
  };
}

/** `GET /api/v1/tasks` and `GET /api/v1/tasks/{id}`. */
export function tasksRoutes({ store, project, now }: QueryContext): Hono {
  const app = new Hono();

  app.get(
    '/api/v1/tasks',
    returns('Tasks, newest first', list),
    valid('query', listQuery),
    async (c) => {
      const query = c.req.valid('query');
      const at = now();
      const scope = {
        project: project(c),
        ...range(query.from, query.to, at),
        now: at,
        prices: query.prices,
      };
      const rows = await findTasks(store, scope, query, page(query));
      const shown = rows.slice(0, query.limit);
      const last = shown.at(-1);
      const more = rows.length > query.limit && last !== undefined;
      return c.json({
        tasks: await recordsOf(scope, shown),
        next_cursor: more
          ? encodeCursor({ value: Number(last['sort_value']), task_id: last['task_id'] })
          : null,
      });
    },
  );

  app.get(
    '/api/v1/tasks/:id',
    returns('One task', taskRecord),
    valid('query', z.strictObject({ prices })),
    async (c) => c.json(await oneTask(c.req.param('id'), project(c), c.req.valid('query').prices)),
  );

  async function oneTask(id: string, project: string, prices: string): Promise<TaskRecord> {
    const at = now();
    const row = await findTask(store, project, id, at, prices);
    if (row === undefined) throw unknownTask(id);
    const [record] = await recordsOf({ project, now: at, prices }, [row]);
    if (record === undefined) throw unknownTask(id);
    return record;
  }

  /** Records with what the second pass found and their subtasks: most questions read the view without them. */
  async function recordsOf(
    scope: Pick<TaskScope, 'project' | 'now' | 'prices'>,
    rows: readonly TaskViewRow[],
  ): Promise<TaskRecord[]> {
    const { project } = scope;
    const starts = rows.map((row) => String(row['started_at'])).toSorted();
    const [first = '1970-01-01'] = starts;
    const days = { first: dayOf(first), last: dayOf(starts.at(-1) ?? first) };
    const ids = rows.map((row) => String(row['task_id']));
    const found = await readFindings(store, project, ids, days);
    const below = rows.length === 0 ? new Map() : await readSubtasks(store, scope, rows);
    return rows.map((row) => {
      const id = String(row['task_id']);
      return toRecord({ ...row, ...below.get(id), findings: found.get(id) ?? null });
    });
  }

  return app;
}

/** The 404 of every route under `/api/v1/tasks/{id}`. */
export function unknownTask(id: string) {
  return problem(
    404,
    'No such task.',
    `No task ${JSON.stringify(id)} in this project. It may not have arrived yet.`,
  );
}
