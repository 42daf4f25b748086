import type { Store } from '../../store/connection.ts';
import { param, query, sql } from '../../store/sql.ts';
import type { LoadedTask } from '../decisions/load.ts';
import type { Background, Twin } from './background.ts';
import { type Learnt, type Names, readLearnt } from './learn.ts';
import type { FindingsSettings } from './settings.ts';

/** What judges tasks beside their own evidence, as far as it is the same for many of them. */
export interface Known {
  /** Context windows in tokens by `provider\nmodel`. */
  readonly windows: (project: string) => Promise<ReadonlyMap<string, number>>;
  /** What the days before `day` say of these tools and workflows. */
  readonly learnt: (project: string, day: number, names: Names) => Promise<Learnt>;
}

/** Read anew for every question: for the pass, which has just learnt. */
export function freshKnown(store: Store): Known {
  return {
    windows: (project) => readWindows(store, project),
    learnt: (project, day, names) => readLearnt(store, project, day, names),
  };
}

/** The backgrounds of tasks, in their order: windows, what was learnt before each, and tasks with the same key. */
export async function backgroundsOf(
  store: Store,
  project: string,
  tasks: readonly LoadedTask[],
  settings: FindingsSettings,
  known: Known = freshKnown(store),
): Promise<Background[]> {
  const days = [...new Set(tasks.map(({ day }) => day))];
  const [windows, twins, learnt] = await Promise.all([
    known.windows(project),
    readTwins(store, project, tasks),
    Promise.all(
      days.map((day) =>
        known.learnt(project, day, namesOf(tasks.filter((task) => task.day === day))),
      ),
    ),
  ]);
  return tasks.map((task): Background => {
    const { evidence, day } = task;
    const workflow = evidence.task.workflow ?? '';
    const before = learnt[days.indexOf(day)];
    return {
      startedAt: task.startedAt,
      rateLimitedMs: task.rateLimitedMs,
      humanWaitMs: task.humanWaitMs,
      costUsd: task.costUsd,
      baseline: new Date(day * 86_400_000).toISOString().slice(0, 10),
      windowOf: (provider, model) => windows.get(`${provider}\n${model}`) ?? null,
      shapesOf: (tool) => before?.shapes.get(tool) ?? null,
      cost: before?.cost.get(workflow) ?? null,
      calls: before?.calls.get(workflow) ?? null,
      twins: twins.get(evidence.task.task_id) ?? [],
      expect: Object.hasOwn(settings.expect, workflow) ? (settings.expect[workflow] ?? null) : null,
      retired: settings.retired,
    };
  });
}

function namesOf(tasks: readonly LoadedTask[]): Names {
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
  const keys = [...new Set(tasks.flatMap(({ idempotencyKeys }) => idempotencyKeys))];
  if (keys.length === 0) return new Map();
  const starts = tasks.map(({ startedAt }) => startedAt);
  const first = starts.reduce((a, b) => (a < b ? a : b));
  const last = starts.reduce((a, b) => (a > b ? a : b));
  const time = (ns: bigint) => sql`fromUnixTimestamp64Nano(${param('Int64', String(ns))}, 'UTC')`;
  const rows = await query<{ key: string; ids: [string, string][] }>(
    store,
    sql`SELECT key, groupArray(100)((task_id, started)) AS ids FROM (
        SELECT task_idempotency_key AS key, workflow, task_id, toString(toUnixTimestamp64Nano(min(start))) AS started
        FROM spans
        WHERE project = ${param('String', project)} AND task_id != ''
          AND key IN ${param('Array(String)', keys)}
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
