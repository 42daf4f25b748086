import type { Store } from '../../store/connection.ts';
import { param, query, sql } from '../../store/sql.ts';
import { wilson } from '../statistics/proportions.ts';
import type { TaskFilter, TaskScope } from '../tasks/find.ts';
import { clickhouseTime } from '../time.ts';
import { judgedTasks } from './groups.ts';

/** Whether stated confidence means anything: tasks with a verdict, by the mean confidence that they stated. */
export interface Calibration {
  readonly tasks: number;
  /** Mean squared difference of confidence and outcome (Brier 1950); 0.25 is what a constant 0.5 gets. */
  readonly brier_score: number | null;
  /** Mean distance of confidence and success rate over the bins, weighted by tasks (Naeini et al. 2015). */
  readonly expected_calibration_error: number | null;
  readonly bins: readonly {
    readonly confidence_low: number;
    readonly tasks: number;
    readonly confidence_mean: number;
    readonly success_rate: number;
  }[];
}

/** Calibration of the confidence that decisions stated, in ten bins; one value per task: the mean of its decisions. */
export async function calibration(
  store: Store,
  scope: TaskScope,
  filter: TaskFilter,
): Promise<Calibration> {
  const rows = await query<{
    bin: number;
    tasks: string;
    mean: number;
    rate: number;
    squares: number;
  }>(
    store,
    sql`SELECT least(toUInt8(floor(confidence * 10)), 9) AS bin, count() AS tasks, avg(confidence) AS mean, avg(success) AS rate,
        sum(pow(confidence - success, 2)) AS squares
      FROM (
        SELECT arrayAvg(f.confidences) AS confidence, t.outcome = 'success' AS success
        ${judgedTasks(scope, filter)}
        WHERE notEmpty(f.confidences) AND t.outcome IN ('success', 'failure'))
      GROUP BY bin
      ORDER BY bin`,
  );
  const bins = rows.map(({ bin, tasks, mean, rate, squares }) => ({
    confidence_low: bin / 10,
    tasks: Number(tasks),
    confidence_mean: mean,
    success_rate: rate,
    squares,
  }));
  const n = bins.reduce((sum, { tasks }) => sum + tasks, 0);
  const over = (value: (bin: (typeof bins)[number]) => number) =>
    n === 0 ? null : bins.reduce((sum, bin) => sum + value(bin), 0) / n;
  return {
    tasks: n,
    brier_score: over(({ squares }) => squares),
    expected_calibration_error: over((b) => b.tasks * Math.abs(b.confidence_mean - b.success_rate)),
    bins: bins.map(({ squares: _, ...bin }) => bin),
  };
}

/** How often a source of verdicts agrees with what people said explicitly about the same task. */
export interface RewardSignal {
  readonly source: string;
  readonly by: string | null;
  /** Tasks with a verdict of both. */
  readonly tasks: number;
  readonly agreeing: number;
  readonly agreement: number;
  /** Wilson, 95 %. */
  readonly agreement_low: number;
  readonly agreement_high: number;
  /** Called a success where the explicit verdict is failure, and the other way round. */
  readonly false_successes: number;
  readonly false_failures: number;
}

const passing = [
  'pass',
  'passed',
  'correct',
  'success',
  'good',
  'true',
  'yes',
  'relevant',
  'factual',
];
const failing = [
  ...['fail', 'failed', 'incorrect', 'failure', 'bad', 'false', 'no', 'irrelevant', 'hallucinated'],
  ...['not_relevant', 'not relevant'],
];

/** What an evaluation says of the task: by its label, else by a score from 0 to 1; others say nothing. */
const evaluated = sql`multiIf(
  lower(label) IN ${param('Array(String)', passing)}, 'success',
  lower(label) IN ${param('Array(String)', failing)}, 'failure',
  ifNull(score, -1) < 0 OR ifNull(score, -1) > 1, 'unknown',
  ifNull(score, 0) >= 0.5, 'success', 'failure')`;

/**
 * Agreement of evaluations and feedback with explicit verdicts that name the same task, given in the range; of several
 * verdicts of one source the latest. An evaluation of a span or an answer counts for the only task of its trace.
 */
export async function rewardSignals(store: Store, scope: TaskScope): Promise<RewardSignal[]> {
  const time = (date: Date) => param('DateTime64(3)', clickhouseTime(date));
  const inRange = sql`project = ${param('String', scope.project)} AND at >= ${time(scope.from)} AND at < ${time(scope.to)}`;
  const rows = await query<{
    source: string;
    by: string;
    tasks: string;
    agreeing: string;
    false_successes: string;
    false_failures: string;
  }>(
    store,
    sql`WITH latest AS (
        SELECT task_id, source, who, argMax(verdict, (at, key)) AS said
        FROM (
          SELECT task_id, toString(source) AS source, if(source = 'explicit', '', by) AS who, toString(outcome) AS verdict,
            at, key
          FROM outcomes FINAL
          WHERE ${inRange}
          UNION ALL
          SELECT if(e.task_id != '', e.task_id, t.only_task) AS task_id, 'evaluation' AS source,
            if(evaluator = '', toString(name), concat(evaluator, ': ', name)) AS who, ${evaluated} AS verdict, at, key
          FROM (SELECT * FROM evaluations FINAL WHERE ${inRange}) AS e
          LEFT JOIN (
            SELECT trace_id, any(task_id) AS only_task
            FROM task_traces
            WHERE project = ${param('String', scope.project)} AND trace_id != ''
            GROUP BY trace_id
            HAVING uniqExact(task_id) = 1) AS t
          ON e.trace_id = t.trace_id)
        WHERE task_id != '' AND verdict IN ('success', 'failure')
        GROUP BY task_id, source, who)
      SELECT s.source AS source, s.who AS by, count() AS tasks, countIf(s.said = e.said) AS agreeing,
        countIf(s.said = 'success' AND e.said = 'failure') AS false_successes,
        countIf(s.said = 'failure' AND e.said = 'success') AS false_failures
      FROM latest AS s
      INNER JOIN (SELECT task_id, said FROM latest WHERE source = 'explicit') AS e ON s.task_id = e.task_id
      WHERE s.source != 'explicit'
      GROUP BY source, by
      ORDER BY tasks DESC, source, by
      LIMIT 100`,
  );
  return rows.map((row) => {
    const share = { hits: Number(row.agreeing), n: Number(row.tasks) };
    const { low, high } = wilson(share);
    return {
      source: row.source,
      by: row.by || null,
      tasks: share.n,
      agreeing: share.hits,
      agreement: share.hits / share.n,
      agreement_low: low,
      agreement_high: high,
      false_successes: Number(row.false_successes),
      false_failures: Number(row.false_failures),
    };
  });
}
