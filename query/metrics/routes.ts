import { Hono } from 'hono';
import { z } from 'zod';
import { param, query, sql } from '../../store/sql.ts';
import type { QueryContext } from '../context.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { problem } from '../problem.ts';
import { clickhouseTime, parseTime, rfc, time } from '../time.ts';
import { limit, returns, valid } from '../valid.ts';

const range = { from: time.default('now-1h'), to: time.default('now') };

const namesQuery = z.strictObject({
  ...range,
  name: z.string().optional(),
  limit: limit(100, 1000),
  cursor: z.string().optional(),
});

const pointsQuery = z.strictObject({
  ...range,
  name: z.string(),
  task_id: z.string().optional(),
  session_id: z.string().optional(),
  limit: limit(100, 1000),
  cursor: z.string().optional(),
});

const names = z.object({
  metrics: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      unit: z.string(),
      series: z.int(),
      points: z.int(),
      first_at: z.string(),
      last_at: z.string(),
    }),
  ),
  next_cursor: z.string().nullable(),
});

const attributes = z.record(z.string(), z.string());
const point = z.looseObject({
  series: z.string(),
  started_at: z.string().nullable(),
  at: z.string(),
  type: z.string(),
  attributes,
  value: z.number().nullable(),
  count: z.number().nullable(),
});
const points = z.object({ points: z.array(point), next_cursor: z.string().nullable() });

const offset = z.int().min(0);

/** `GET /api/v1/metrics`: which metrics came in; `GET /api/v1/metrics/points?name`: their data points, newest first. */
export function metricsRoutes({ store, project, now }: QueryContext): Hono {
  const app = new Hono();

  const between = (from: string, to: string) => {
    const clock = now();
    const [start, end] = [parseTime(from, clock), parseTime(to, clock)];
    if (start === null || end === null || start >= end) {
      throw problem(400, 'A parameter is not valid.', 'from: must be before to', 'from');
    }
    const at = (date: Date) => param("DateTime64(3, 'UTC')", clickhouseTime(date));
    return sql`time >= ${at(start)} AND time < ${at(end)}`;
  };

  app.get(
    '/api/v1/metrics',
    returns('The metrics that came in', names),
    valid('query', namesQuery),
    async (c) => {
      const { from, to, name = '', limit, cursor } = c.req.valid('query');
      const skip = decodeCursor(cursor, offset) ?? 0;
      const where = sql`
WHERE project = ${param('String', project(c))} AND ${between(from, to)}
  AND (${param('String', name)} = '' OR name = ${param('String', name)})`;
      const rows = await query<NameRow>(
        store,
        sql`
SELECT name, type, any(unit) AS unit, uniqExact(series) AS series, count() AS points, min(time) AS first, max(time) AS last
FROM
(
    SELECT name, type, unit, series, time FROM metrics_number_v ${where}
    UNION ALL
    SELECT name, type, unit, series, time FROM metrics_histogram_v ${where}
)
GROUP BY name, type
ORDER BY name, type
LIMIT ${param('UInt32', limit + 1)} OFFSET ${param('UInt32', skip)}`,
      );
      const metrics = rows.slice(0, limit).map(({ first, last, series, points, ...rest }) => ({
        ...rest,
        series: Number(series),
        points: Number(points),
        first_at: rfc(first),
        last_at: rfc(last),
      }));
      return c.json({
        metrics,
        next_cursor: rows.length > limit ? encodeCursor(skip + limit) : null,
      });
    },
  );

  app.get(
    '/api/v1/metrics/points',
    returns('The data points of a metric', points),
    valid('query', pointsQuery),
    async (c) => {
      const { from, to, name, task_id = '', session_id = '', limit, cursor } = c.req.valid('query');
      const skip = decodeCursor(cursor, offset) ?? 0;
      const where = sql`
WHERE project = ${param('String', project(c))} AND name = ${param('String', name)} AND ${between(from, to)}
  AND (${param('String', task_id)} = '' OR task_id = ${param('String', task_id)})
  AND (${param('String', session_id)} = '' OR conversation_id = ${param('String', session_id)})`;
      const shared = sql`
    toString(series) AS series_id, start, time, type, unit, temporality, service, task_id, conversation_id AS session_id,
    attributes`;
      const rows = await query<PointRow>(
        store,
        sql`
SELECT *
FROM
(
    SELECT ${shared}, value, NULL AS count, NULL AS sum, NULL AS min, NULL AS max, [] AS bounds, [] AS bucket_counts
    FROM metrics_number_v ${where}
    UNION ALL
    SELECT ${shared}, NULL, count, sum, min, max, bounds, bucket_counts
    FROM metrics_histogram_v ${where}
)
ORDER BY time DESC, series_id, start
LIMIT ${param('UInt32', limit + 1)} OFFSET ${param('UInt32', skip)}`,
      );
      return c.json({
        points: rows.slice(0, limit).map(pointOf),
        next_cursor: rows.length > limit ? encodeCursor(skip + limit) : null,
      });
    },
  );

  return app;
}

interface NameRow {
  readonly name: string;
  readonly type: string;
  readonly unit: string;
  readonly series: string;
  readonly points: string;
  readonly first: string;
  readonly last: string;
}

interface PointRow {
  readonly series_id: string;
  readonly start: string;
  readonly time: string;
  readonly count: string | null;
  readonly bucket_counts: readonly string[];
  readonly [column: string]: unknown;
}

/** Counts become numbers; a start that the sender left unset is null. */
function pointOf({ series_id, start, time: at, count, bucket_counts, ...rest }: PointRow) {
  return {
    series: series_id,
    started_at: start.startsWith('1970-01-01 00:00:00') ? null : rfc(start),
    at: rfc(at),
    ...rest,
    count: count === null ? null : Number(count),
    bucket_counts: bucket_counts.map(Number),
  };
}
