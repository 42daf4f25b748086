import type { Store } from '../../store/connection.ts';
import { param, query, sql } from '../../store/sql.ts';
import type { Metric, Sample } from '../operations/metrics.ts';
import { clickhouseTime } from '../time.ts';

/** What the pass over one project tells of itself. */
export interface PassState {
  readonly project: string;
  readonly waiting: number;
  readonly backlog: number;
  readonly judged: number;
  readonly failed: number;
  readonly gauges: readonly Metric[];
}

/** The families of the pass itself, and under them those of what it found. */
export function passMetrics(states: readonly PassState[]): Metric[] {
  const of = (value: (state: PassState) => number) =>
    states.map((state) => ({ labels: { project: state.project }, value: value(state) }));
  const found = new Map<string, Metric>();
  for (const metric of states.flatMap(({ gauges }) => gauges)) {
    const known = found.get(metric.name);
    const samples = [...(known?.samples ?? []), ...metric.samples];
    found.set(metric.name, { ...metric, samples });
  }
  return [
    {
      name: 'plumbline_findings_backlog_tasks',
      help: 'Tasks whose findings are due and not stored yet.',
      type: 'gauge',
      samples: of(({ backlog }) => backlog),
    },
    {
      name: 'plumbline_findings_waiting_tasks',
      help: 'Tasks that will be judged again when they end or fall silent, those due included.',
      type: 'gauge',
      samples: of(({ waiting }) => waiting),
    },
    {
      name: 'plumbline_findings_judged_total',
      help: 'Tasks judged since the start of the process; a task that changes is judged again.',
      type: 'counter',
      samples: of(({ judged }) => judged),
    },
    {
      name: 'plumbline_findings_failures_total',
      help: 'Tasks that could not be judged at a try.',
      type: 'counter',
      samples: of(({ failed }) => failed),
    },
    ...found.values(),
  ];
}

interface Row {
  readonly workflow: string;
  readonly finding: string;
  readonly tasks: string;
}

const maxSeries = 1_000;

/** Live tasks of the last 24 h by workflow: those judged, and those with each finding. */
export async function findingsGauges(store: Store, project: string, now: Date): Promise<Metric[]> {
  const from = new Date(now.getTime() - 86_400_000);
  const rows = await query<Row>(
    store,
    sql`SELECT workflow, arrayJoin(arrayConcat([''], arrayDistinct(names))) AS finding, count() AS tasks
      FROM (
        SELECT t.workflow AS workflow, f.names AS names
        FROM (
          SELECT day, task_id, workflow FROM tasks FINAL
          WHERE project = ${param('String', project)} AND day >= ${param('Date', new Date(from.getTime() - 86_400_000))}
            AND traffic = 'live' AND coalesce(ended_at, last_signal_at) >= ${param('DateTime64(3)', clickhouseTime(from))}) AS t
        INNER JOIN (
          SELECT day, task_id, \`findings.finding\` AS names FROM task_findings FINAL
          WHERE project = ${param('String', project)} AND day >= ${param('Date', new Date(from.getTime() - 86_400_000))}) AS f
        ON t.day = f.day AND t.task_id = f.task_id)
      GROUP BY workflow, finding
      ORDER BY tasks DESC
      LIMIT ${param('UInt32', maxSeries)}`,
  );
  const sample = ({ workflow, finding, tasks }: Row): Sample => ({
    labels: { project, workflow, ...(finding === '' ? {} : { finding }) },
    value: Number(tasks),
  });
  return [
    {
      name: 'plumbline_findings_tasks_judged',
      help: 'Live tasks of the last 24 hours that were judged.',
      type: 'gauge',
      samples: rows.filter(({ finding }) => finding === '').map(sample),
    },
    {
      name: 'plumbline_findings_tasks',
      help: 'Live tasks of the last 24 hours with a finding.',
      type: 'gauge',
      samples: rows.filter(({ finding }) => finding !== '').map(sample),
    },
  ];
}
