import { param, type Sql, sql } from '../../store/sql.ts';
import { filters, type TaskFilter, type TaskScope, tasksIn } from '../tasks/find.ts';
import { searches } from '../tasks/search.ts';

/** What tasks can be grouped by: a column of the task, or something of each of its findings. */
export const taskKeys = {
  workflow: sql`t.workflow`,
  agent: sql`t.agent_path`,
  agent_version_hash: sql`t.agent_version_hash`,
  release: sql`t.release`,
  environment: sql`t.environment`,
  prompt: sql`arrayStringConcat(arraySort(t.prompt_versions), ' ')`,
  model: sql`arrayStringConcat(arraySort(arrayDistinct(arrayFilter((name, kind) -> kind = 'llm', t.calls.name, t.calls.kind))), ' ')`,
  outcome: sql`t.outcome`,
  day: sql`toString(toDate(t.counted_at))`,
  signature: sql`f.signature`,
} as const;

/** Of a tuple `one` of {@link findingTuples}. */
export const findingKeys = {
  finding: sql`one.1`,
  severity: sql`one.2`,
  tool: sql`one.3`,
} as const;

export const findingTuples = sql`arrayZip(f.findings.finding, f.findings.severity, f.findings.tool)`;

export type TaskKeyName = keyof typeof taskKeys;
export type FindingKeyName = keyof typeof findingKeys;

/** Task keys that hold the same values for judged tasks whatever was found: a rate has a base only by these. */
export function isBase(name: string): name is Exclude<TaskKeyName, 'signature'> {
  return name in taskKeys && name !== 'signature';
}

export function keyArray(parts: readonly Sql[]): Sql {
  const [first, ...rest] = parts.map((part) => sql`toString(${part})`);
  if (first === undefined) return sql`CAST([], 'Array(String)')`;
  return sql`[${rest.reduce((list, part) => sql`${list}, ${part}`, first)}]`;
}

const reachMs = 31 * 86_400_000;

/**
 * `FROM … WHERE …` of the tasks of a scope (`t`) with their findings (`f`): the one view of tasks, joined with what
 * the second pass stored for their rows.
 */
export function judgedTasks(scope: TaskScope, filter: TaskFilter): Sql {
  const conditions = [...filters(filter), ...searches(scope, filter)];
  const where = conditions.reduce((all, own) => sql`${all} AND ${own}`, sql`1`);
  const first = new Date(scope.from.getTime() - reachMs);
  return sql`FROM (SELECT * FROM ${tasksIn(scope)} WHERE ${where}) AS t
    LEFT JOIN (
      SELECT * FROM task_findings FINAL
      WHERE project = ${param('String', scope.project)}
        AND day BETWEEN ${param('Date', first)} AND ${param('Date', scope.to)}) AS f
    ON t.day = f.day AND t.task_id = f.task_id`;
}
