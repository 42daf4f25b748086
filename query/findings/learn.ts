import type { Store } from '../../store/connection.ts';
import { takeVersion } from '../../store/derive/version.ts';
import { insert } from '../../store/insert.ts';
import { param, query, sql } from '../../store/sql.ts';
import { type ProfileRow, profiles } from '../../store/tables/profiles.ts';
import { tasksIn } from '../tasks/find.ts';
import { clickhouseTime } from '../time.ts';
import type { Distribution, Shapes } from './background.ts';
import { bucketOf, distributionOf, shapesOf } from './histogram.ts';

/** Days before a task that judge it. */
export const learntDays = 30;

// More shapes than a rule would take need not be kept; neither need names beyond any sensible number.
const maxShapes = 50;
const maxNames = 5_000;

const dayMs = 86_400_000;

/** Days (since 1970) with their profile's version and the newest version of a task row under them. */
export interface LearntDay {
  readonly day: number;
  /** Null when the day was never learnt. */
  readonly learnt: bigint | null;
  readonly newest: bigint;
}

/** What is known of the days from `from` on, to see which must be learnt again. */
export async function readLearntDays(
  store: Store,
  project: string,
  from: number,
): Promise<LearntDay[]> {
  const rows = await query<{ day: number; learnt: string; newest: string }>(
    store,
    sql`SELECT day, max(learnt) AS learnt, max(newest) AS newest FROM (
        SELECT toUInt16(tasks.day) AS day, toUInt64(0) AS learnt, max(ver) AS newest
        FROM tasks WHERE project = ${param('String', project)} AND tasks.day >= ${dayParam(from)} GROUP BY day
        UNION ALL
        SELECT toUInt16(profiles.day) AS day, max(ver) AS learnt, toUInt64(0) AS newest
        FROM profiles WHERE project = ${param('String', project)} AND profiles.day >= ${dayParam(from)} AND name = ''
        GROUP BY day)
      GROUP BY day`,
  );
  return rows.map(({ day, learnt, newest }) => ({
    day,
    learnt: learnt === '0' ? null : BigInt(learnt),
    newest: BigInt(newest),
  }));
}

function dayParam(day: number) {
  return param('Date', new Date(Math.max(0, day) * dayMs));
}

/** Learns one day anew from its spans and tasks, and replaces what was known of it. */
export async function learnDay(
  store: Store,
  project: string,
  day: number,
  now: Date,
): Promise<void> {
  const ver = await takeVersion(store);
  const [shapes, workflows] = await Promise.all([
    readShapes(store, project, day),
    readWorkflows(store, project, day, now),
  ]);
  const row = (kind: string, name: string, counts: ReadonlyMap<string, number>): ProfileRow => ({
    project,
    day,
    kind,
    name,
    ver,
    keys: [...counts.keys()],
    counts: [...counts.values()].map(BigInt),
  });
  await insert(store, profiles, [
    row('day', '', new Map()),
    ...[...shapes].map(([tool, counts]) => row('tool', tool, counts)),
    ...[...workflows.cost].map(([name, counts]) => row('cost', name, counts)),
    ...[...workflows.calls].map(([name, counts]) => row('calls', name, counts)),
  ]);
}

type Histograms = Map<string, Map<string, number>>;

async function readShapes(store: Store, project: string, day: number): Promise<Histograms> {
  const rows = await query<{ tool: string; shape: string; results: string }>(
    store,
    sql`SELECT tool_name AS tool, tool_result_shape AS shape, count() AS results
      FROM spans FINAL
      WHERE project = ${param('String', project)}
        AND start >= ${time(day)} AND start < ${time(day + 1)}
        AND kind = 'tool' AND tool_error_by = '' AND status != 'error' AND tool_result_shape != '' AND tool_name != ''
      GROUP BY tool, shape
      ORDER BY results DESC
      LIMIT ${param('UInt32', maxShapes)} BY tool
      LIMIT ${param('UInt32', maxNames)}`,
  );
  return grouped(rows.map(({ tool, shape, results }) => [tool, shape, Number(results)]));
}

function time(day: number) {
  return param('DateTime64(3)', clickhouseTime(new Date(day * dayMs)));
}

/** Costs of successes, and tool calls of all tasks that ended, by workflow, of live tasks begun on this day. */
async function readWorkflows(store: Store, project: string, day: number, now: Date) {
  const from = new Date(day * dayMs);
  const to = new Date((day + 32) * dayMs);
  const scope = { project, from, to, now, prices: 'as_of_call' };
  const rows = await query<{ workflow: string; success: number; cost: number; calls: number }>(
    store,
    sql`SELECT workflow, outcome = 'success' AS success, cost_usd_known AS cost, tool_calls AS calls
      FROM ${tasksIn(scope)}
      WHERE day = ${dayParam(day)} AND traffic = 'live' AND workflow != ''
        AND state IN ('done', 'failed', 'cancelled', 'abandoned')`,
  );
  const successes = rows.filter(({ success }) => success === 1);
  return {
    cost: grouped(successes.map(({ workflow, cost }) => [workflow, bucketOf(cost), 1])),
    calls: grouped(rows.map(({ workflow, calls }) => [workflow, bucketOf(calls), 1])),
  };
}

function grouped(rows: readonly (readonly [string, string, number])[]): Histograms {
  const groups: Histograms = new Map();
  for (const [name, key, count] of rows) {
    const group = groups.get(name) ?? new Map<string, number>();
    groups.set(name, group);
    group.set(key, (group.get(key) ?? 0) + count);
  }
  return groups;
}

/** What the {@link learntDays} before a day say. */
export interface Learnt {
  readonly shapes: ReadonlyMap<string, Shapes>;
  readonly cost: ReadonlyMap<string, Distribution>;
  readonly calls: ReadonlyMap<string, Distribution>;
}

/** Tools and workflows that something is asked of. */
export interface Names {
  readonly tools: readonly string[];
  readonly workflows: readonly string[];
}

/** Sums the profiles of the days before `day` for these tools and workflows. */
export async function readLearnt(
  store: Store,
  project: string,
  day: number,
  names: Names,
): Promise<Learnt> {
  const rows = await query<{ kind: string; name: string; sums: [string[], string[]] }>(
    store,
    sql`SELECT kind, name, sumMap(keys, counts) AS sums
      FROM profiles FINAL
      WHERE project = ${param('String', project)}
        AND day >= ${dayParam(day - learntDays)} AND day < ${dayParam(day)}
        AND ((kind = 'tool' AND name IN ${param('Array(String)', names.tools)})
          OR (kind IN ('cost', 'calls') AND name IN ${param('Array(String)', names.workflows)}))
      GROUP BY kind, name`,
  );
  const of = <T>(kind: string, make: (keys: string[], counts: number[]) => T | null) =>
    new Map(
      rows
        .filter((row) => row.kind === kind)
        .flatMap(({ name, sums: [keys, counts] }): [string, T][] => {
          const made = make(keys, counts.map(Number));
          return made === null ? [] : [[name, made]];
        }),
    );
  return {
    shapes: of('tool', shapesOf),
    cost: of('cost', distributionOf),
    calls: of('calls', distributionOf),
  };
}
