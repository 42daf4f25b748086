import { empty, join, param, type Sql, sql } from '../../store/sql.ts';
import { clickhouseTime } from '../time.ts';
import type { TaskFilter, TaskScope } from './find.ts';

// A task that counts in the range may have begun this much before it, as in the view of tasks.
const reachMs = 31 * 86_400_000;

/** Conditions on `tasks_v` that look beyond the task's row: into its calls, findings and content. */
export function searches(scope: TaskScope, filter: TaskFilter): Sql[] {
  const { finding, signature, tool, text, argument } = filter;
  return [
    ...(finding === undefined
      ? []
      : [judgedWith(scope, sql`has(findings.finding, ${param('String', finding)})`)]),
    ...(signature === undefined
      ? []
      : [judgedWith(scope, sql`signature = ${param('String', signature)}`)]),
    ...(tool === undefined
      ? []
      : [
          sql`arrayExists((name, kind) -> kind = 'tool' AND name = ${param('String', tool)}, calls.name, calls.kind)`,
        ]),
    ...(text === undefined ? [] : [holds(scope, text, anywhere, empty)]),
    ...(argument === undefined ? [] : [holds(scope, argument, arguments_, toolOf(tool))]),
    ...bounds(filter),
  ];
}

function bounds(filter: TaskFilter): Sql[] {
  const numbers: [Sql, number | undefined][] = [
    [sql`cost_usd_known >=`, filter.min_cost_usd],
    [sql`cost_usd_known <=`, filter.max_cost_usd],
    [sql`duration_ms >=`, filter.min_duration_ms],
    [sql`duration_ms <=`, filter.max_duration_ms],
  ];
  return numbers.flatMap(([compare, value]) =>
    value === undefined ? [] : [sql`${compare} ${param('Float64', value)}`],
  );
}

function days(scope: TaskScope, column: Sql): Sql {
  const first = new Date(scope.from.getTime() - reachMs);
  return sql`project = ${param('String', scope.project)}
    AND ${column} BETWEEN ${param('Date', first)} AND ${param('Date', scope.to)}`;
}

function judgedWith(scope: TaskScope, condition: Sql): Sql {
  return sql`(day, task_id) IN (
    SELECT day, task_id FROM task_findings FINAL WHERE ${days(scope, sql`day`)} AND ${condition})`;
}

/** Where a text may stand: what was said and returned; not the tools' definitions, which every task of an agent has. */
const anywhere = {
  hashes: sql`arrayConcat(input_messages, output_messages, tool_arguments, tool_result)`,
  content: sql`1`,
};

/** Arguments stand alone in tool spans, and among other parts in what models said. */
const arguments_ = {
  hashes: sql`arrayConcat(tool_arguments, output_messages)`,
  content: sql`(NOT startsWith(content, '{"role"') OR position(content, '"tool_call"') > 0)`,
};

function toolOf(tool: string | undefined): Sql {
  // What a model chose names its tool in the message itself; a tool span does in its column.
  return tool === undefined ? empty : sql` AND tool_name IN ('', ${param('String', tool)})`;
}

/**
 * Tasks on whose traces a piece of content holds the words of `text` in this order. Words are looked up in the index
 * whole and without regard to case; other characters must be the same.
 */
function holds(scope: TaskScope, text: string, place: typeof anywhere, extra: Sql): Sql {
  const tokens = tokensOf(text).map(
    (token) => sql`hasToken(lower(content), ${param('String', token)})`,
  );
  const escaped = JSON.stringify(text).slice(1, -1);
  const content = join(
    [
      days(scope, sql`day`),
      ...tokens,
      place.content,
      sql`(positionCaseInsensitiveUTF8(content, ${param('String', text)}) > 0
        OR positionCaseInsensitiveUTF8(content, ${param('String', escaped)}) > 0)`,
    ],
    ' AND ',
  );
  const from = new Date(scope.from.getTime() - reachMs);
  return sql`task_id IN (
    SELECT task_id FROM (
      SELECT task_id, arrayJoin(trace_ids) AS trace FROM tasks FINAL WHERE ${days(scope, sql`day`)})
    WHERE trace IN (
      SELECT trace_id FROM (
        SELECT trace_id, arrayJoin(${place.hashes}) AS hash FROM spans
        WHERE project = ${param('String', scope.project)}
          AND start >= ${param('DateTime64(3)', clickhouseTime(from))}
          AND start < ${param('DateTime64(3)', clickhouseTime(scope.to))}
          AND trace_id IN (SELECT trace_id FROM messages WHERE ${content})${extra})
      WHERE (trace_id, hash) IN (SELECT trace_id, messages.hash FROM messages WHERE ${content})))`;
}

/** The words of a text as the index cuts them: runs of ASCII letters, digits and everything beyond ASCII. */
function tokensOf(text: string): string[] {
  const lower = text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return [...new Set(lower.match(/[a-z0-9\u0080-\u{10ffff}]+/gu) ?? [])].slice(0, 20);
}
