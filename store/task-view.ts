import { readFileSync } from 'node:fs';
import { type Param, param, type Sql, sql } from './sql.ts';

/** Which tasks, as of when, at which prices: the parameters of the view `task_base_v`. */
export interface TaskScope {
  readonly project: string;
  /** The one task wanted; '' for all. */
  readonly only: string;
  /** Bounds of `counted_at`, the second excluded: 'YYYY-MM-DD hh:mm:ss.mmm' in UTC. */
  readonly from: string;
  readonly to: string;
  readonly now: string;
  /** `as_of_call`, `today` or an ISO date. */
  readonly prices: string;
  /** '' or `provider\0model`: every model call priced as this one. */
  readonly whatIf: string;
}

const pieces = readView('task_base_v').split(/\{(\w+):([\w()]+)\}/);

/**
 * The tasks of a scope, to stand behind `FROM`: the select of the view `task_base_v` itself. The same as the view by its
 * name (`tasks_v`, `task_v`), but the engine analyses a view within a view four times: 59 ms become 108. Unlike a view it
 * sees the aliases of the query around it: none of them may be called like a table that it reads (`tasks`, `outcomes`,
 * `prices`), or the engine takes the one for the other and says so.
 */
export function tasksOf(scope: TaskScope): Sql {
  const values: Readonly<Record<string, string>> = {
    project: scope.project,
    only_task: scope.only,
    from: scope.from,
    to: scope.to,
    now: scope.now,
    prices_at: scope.prices,
    what_if: scope.whatIf,
  };
  const strings: string[] = ['('];
  const slots: Param[] = [];
  const bound = new Map<string, Param>();
  for (let i = 0; i < pieces.length; i += 3) {
    const [text = '', name, type] = pieces.slice(i, i + 3);
    strings[strings.length - 1] += text;
    if (name === undefined || type === undefined) continue;
    const value = bound.get(name) ?? param(type, values[name]);
    bound.set(name, value);
    slots.push(value);
    strings.push('');
  }
  strings[strings.length - 1] += ')';
  return sql(Object.assign(strings, { raw: strings }), ...slots);
}

/** The select of a view in the schema, without comments. */
function readView(name: string): string {
  const text = readFileSync(new URL('./schema/0004_views.sql', import.meta.url), 'utf8');
  const plain = text.replaceAll(/--.*$/gm, '').replaceAll(/\s*\n\s*/g, '\n');
  const [, select] = plain.match(new RegExp(`VIEW ${name} AS\\n([^;]*);`)) ?? [];
  if (select === undefined) throw new Error(`no view ${name} in the schema`);
  return select;
}
