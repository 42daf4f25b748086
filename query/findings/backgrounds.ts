import type { Store } from '../../store/connection.ts';
import { param, query, sql } from '../../store/sql.ts';
import type { TaskEvidence } from '../decisions/evidence.ts';
import { type Background, noBackground, type Twin } from './background.ts';
import { readLearnt } from './learn.ts';
import type { LoadedTask } from './load.ts';
import type { FindingsSettings } from './settings.ts';

/** The backgrounds of tasks, in their order: windows, what was learnt before each, and tasks with the same key. */
export async function backgroundsOf(
  store: Store,
  project: string,
  tasks: readonly LoadedTask[],
  settings: FindingsSettings,
): Promise<Background[]> {
  const [windows, twins] = [
    await readWindows(store, project),
    await readTwins(store, project, tasks),
  ];
  const learnt = new Map<number, Awaited<ReturnType<typeof readLearnt>>>();
  for (const day of new Set(tasks.map((task) => task.day))) {
    const own = tasks.filter((task) => task.day === day);
    learnt.set(day, await readLearnt(store, project, day, namesOf(own)));
  }
  return tasks.map((task): Background => {
    const { evidence, day } = task;
    const workflow = evidence.task.workflow ?? '';
    const known = learnt.get(day);
    return {
      startedAt: task.startedAt,
      rateLimitedMs: task.rateLimitedMs,
      humanWaitMs: task.humanWaitMs,
      costUsd: task.costUsd,
      baseline: new Date(day * 86_400_000).toISOString().slice(0, 10),
      windowOf: (provider, model) => windows.get(`${provider}\n${model}`) ?? null,
      shapesOf: (tool) => known?.shapes.get(tool) ?? null,
      cost: known?.cost.get(workflow) ?? null,
      calls: known?.calls.get(workflow) ?? null,
      twins: twins.get(evidence.task.task_id) ?? [],
      expect: Object.hasOwn(settings.expect, workflow) ? (settings.expect[workflow] ?? null) : null,
      retired: settings.retired,
    };
  });
}

/**
 * The background of one task whose evidence was loaded by itself. What only its stored row tells (waits) is read there.
 */
export async function backgroundOf(
  store: Store,
  project: string,
  evidence: TaskEvidence,
  settings: FindingsSettings,
): Promise<Background> {
  const rows = await query<{ day: number; started: string; limited: number; waited: number }>(
    store,
    sql`SELECT toUInt16(tasks.day) AS day, toString(toUnixTimestamp64Nano(started_at)) AS started,
        rate_limited_ms AS limited, human_wait_ms AS waited
      FROM tasks FINAL
      WHERE project = ${param('String', project)} AND task_id = ${param('String', evidence.task.task_id)}
        AND tasks.day IN (
          SELECT task_days.day FROM task_days
          WHERE project = ${param('String', project)} AND task_id = ${param('String', evidence.task.task_id)})
      ORDER BY ver DESC
      LIMIT 1`,
  );
  const [row] = rows;
  if (row === undefined) return { ...noBackground, retired: settings.retired };
  const costs = [...evidence.costs.values()];
  const task: LoadedTask = {
    day: row.day,
    evidence,
    startedAt: BigInt(row.started),
    rateLimitedMs: row.limited,
    humanWaitMs: row.waited,
    costUsd: costs.reduce<number>((sum, cost) => sum + (cost ?? 0), 0),
  };
  const [background = noBackground] = await backgroundsOf(store, project, [task], settings);
  return background;
}

function namesOf(tasks: readonly LoadedTask[]) {
  const tools = tasks.flatMap(({ evidence }) => evidence.spans.map(({ tool_name }) => tool_name));
  const workflows = tasks.map(({ evidence }) => evidence.task.workflow ?? '');
  return {
    tools: [...new Set(tools)].filter((name) => name !== ''),
    workflows: [...new Set(workflows)].filter((name) => name !== ''),
  };
}

/** Context windows in tokens by `provider\nmodel`, as the price list gives them. */
async function readWindows(store: Store, project: string): Promise<Map<string, number>> {
  const rows = await query<{ provider: string; model: string; tokens: string }>(
    store,
    sql`SELECT provider, model, max(context_window) AS tokens
      FROM prices
      WHERE project = ${param('String', project)} AND context_window IS NOT NULL
      GROUP BY provider, model`,
  );
  return new Map(
    rows.map(({ provider, model, tokens }) => [`${provider}\n${model}`, Number(tokens)]),
  );
}

// How far apart two tasks with one key may lie to be looked for; the rule has its own, shorter reach.
const reachNs = 96n * 3_600_000_000_000n;

/** Other tasks of the same workflow with the same idempotency key, by task. */
async function readTwins(
  store: Store,
  project: string,
  tasks: readonly LoadedTask[],
): Promise<Map<string, Twin[]>> {
  const spans = tasks.flatMap(({ evidence }) => evidence.spans);
  const [some] = spans;
  if (some === undefined) return new Map();
  let first = some.start;
  let last = some.start;
  for (const { start } of spans) {
    if (start < first) first = start;
    if (start > last) last = start;
  }
  const traces = [...new Set(spans.map(({ trace_id }) => trace_id))];
  const time = (ns: bigint) => sql`fromUnixTimestamp64Nano(${param('Int64', String(ns))}, 'UTC')`;
  const keys = await query<{ key: string }>(
    store,
    sql`SELECT DISTINCT task_idempotency_key AS key FROM spans
      WHERE project = ${param('String', project)} AND key != '' AND trace_id IN ${param('Array(String)', traces)}
        AND start BETWEEN ${time(first)} AND ${time(last)}`,
  );
  if (keys.length === 0) return new Map();
  const rows = await query<{ key: string; ids: [string, string][] }>(
    store,
    sql`SELECT key, groupArray(100)((task_id, started)) AS ids FROM (
        SELECT task_idempotency_key AS key, workflow, task_id, toString(toUnixTimestamp64Nano(min(start))) AS started
        FROM spans
        WHERE project = ${param('String', project)} AND task_id != ''
          AND key IN ${param(
            'Array(String)',
            keys.map(({ key }) => key),
          )}
          AND start BETWEEN ${time(first - reachNs)} AND ${time(last + reachNs)}
        GROUP BY key, workflow, task_id)
      GROUP BY key, workflow
      HAVING length(ids) > 1`,
  );
  return twinsOf(rows);
}

function twinsOf(rows: readonly { key: string; ids: [string, string][] }[]): Map<string, Twin[]> {
  const twins = new Map<string, Twin[]>();
  for (const { key, ids } of rows) {
    for (const [own] of ids) {
      const others = ids
        .filter(([task_id]) => task_id !== own)
        .map(([task_id, started]) => ({ task_id, key, started_at: BigInt(started) }));
      twins.set(own, [...(twins.get(own) ?? []), ...others]);
    }
  }
  return twins;
}
