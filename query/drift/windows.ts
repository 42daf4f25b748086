import type { Store } from '../../store/connection.ts';
import { empty, join, param, query, sql } from '../../store/sql.ts';
import { filters, tasksIn } from '../tasks/find.ts';
import { parseTime } from '../time.ts';

/** [from, to), milliseconds since 1970. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What is compared with what, for one workflow. */
export interface Plan {
  readonly workflow: string;
  readonly reference: Range;
  readonly current: Range;
}

/** How busy a workflow was lately; times in milliseconds since 1970. */
export interface Activity {
  readonly workflow: string;
  readonly tasks: number;
  readonly first: number;
  /** When the 500th latest task counted; null when there are fewer. */
  readonly nth: number | null;
}

export interface DriftScope {
  readonly project: string;
  readonly workflow?: string | undefined;
  readonly traffic: string;
  readonly now: Date;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const CURRENT_MIN = DAY;
const CURRENT_MAX = 7 * DAY;
const CURRENT_TASKS = 500;
const REFERENCE_MAX = 14 * DAY;

/** Reference and current together; longer ones would scan months by the hour. */
export const SPAN_MAX = 62 * DAY;
/** More workflows than this are left out, the quiet ones first, and counted as skipped. */
export const MAX_WORKFLOWS = 50;

/** The range that `from..to` names, each end a time as everywhere else (`now-7d..now-1d`); null when it names none. */
export function parseRange(text: string, now: Date): Range | null {
  const [from, to, ...rest] = text.split('..');
  if (from === undefined || to === undefined || rest.length > 0) return null;
  const start = parseTime(from, now)?.getTime();
  const end = parseTime(to, now)?.getTime();
  if (start === undefined || end === undefined || start >= end) return null;
  return { from: start, to: end };
}

/**
 * Current: the last 24 hours or the last 500 tasks, whichever is longer, at most 7 days, and never more than a third of
 * what there is (or little would be left to compare with). Reference: the 14 days before it, or what exists. A given
 * range replaces its default.
 */
export function planFor(
  activity: Activity,
  now: number,
  given: { readonly reference?: Range | undefined; readonly current?: Range | undefined },
): Plan {
  const third = Math.max(CURRENT_MIN, (now - activity.first) / 3);
  const wanted = activity.nth === null ? CURRENT_MAX : now - activity.nth;
  const length = Math.max(CURRENT_MIN, Math.min(wanted, CURRENT_MAX, third));
  const from = Math.max(now - length, given.reference?.to ?? Number.NEGATIVE_INFINITY);
  const current = given.current ?? { from, to: now + 1 };
  const reference = given.reference ?? {
    from: Math.max(current.from - REFERENCE_MAX, Math.min(activity.first, current.from)),
    to: current.from,
  };
  return { workflow: activity.workflow, reference, current };
}

/** Activity per workflow over the longest default span, the busiest first; one more than {@link MAX_WORKFLOWS} at most. */
export async function activities(
  store: Store,
  { project, workflow, traffic, now }: DriftScope,
  span: Range,
): Promise<Activity[]> {
  const scope = {
    project,
    from: new Date(span.from),
    to: new Date(span.to),
    now,
    prices: 'as_of_call',
  };
  const conditions = filters({ workflow, traffic });
  const rows = await query<{
    workflow: string;
    tasks: number;
    first: number;
    nth: number;
  }>(
    store,
    sql`SELECT toString(workflow) AS workflow, toFloat64(count()) AS tasks, toFloat64(min(t)) AS first,
        toFloat64(arrayElement(arrayReverseSort(groupArray(t)), ${param('UInt32', CURRENT_TASKS)})) AS nth
      FROM (
        SELECT workflow, toUnixTimestamp64Milli(toDateTime64(counted_at, 3, 'UTC')) AS t FROM ${tasksIn(scope)}
        ${conditions.length > 0 ? sql`WHERE ${join(conditions, ' AND ')}` : empty}
      )
      GROUP BY workflow
      ORDER BY tasks DESC, workflow
      LIMIT ${param('UInt32', MAX_WORKFLOWS + 1)}`,
  );
  return rows.map((row) => ({ ...row, nth: row.nth > 0 ? row.nth : null }));
}

/** Everything that the windows may reach into. */
export function spanOf(
  now: number,
  {
    reference,
    current,
  }: { readonly reference?: Range | undefined; readonly current?: Range | undefined },
): Range {
  const start = current?.from ?? now - CURRENT_MAX;
  return { from: reference?.from ?? start - REFERENCE_MAX, to: current?.to ?? now + 1 };
}
