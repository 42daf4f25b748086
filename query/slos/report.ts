import type { Store } from '../../store/connection.ts';
import { allowedBad, type Burn, burnOf, type Count, type Counts } from './burn.ts';
import { countEvents, type Evaluation, sumSpend, type WorkflowCounts } from './counts.ts';
import type { Objective, QuotaObjective, RatioObjective } from './objectives.ts';
import { windowsFor } from './policies.ts';
import { type Quota, quotaOf, quotaWindows, type Spend, type Spends } from './quota.ts';

/** The burn of one workflow; null = its tasks name none, or, in `all`, every workflow together (which hides the small ones). */
export type RatioEntry = Burn & {
  readonly workflow: string | null;
  readonly tasks: number;
  readonly tasks_bad: number;
};
export type QuotaEntry = Quota & { readonly workflow: string | null };
export type Entry = RatioEntry | QuotaEntry;

export interface Report {
  readonly workflows: readonly Entry[];
  readonly all: Entry;
}

/**
 * Every SLO by name, for every workflow it has events of, worst first. Objectives of one name: those with a workflow are
 * for that one, the one without is for the rest.
 */
export async function reports(
  store: Store,
  objectives: readonly Objective[],
  evaluation: Evaluation,
): Promise<ReadonlyMap<string, Report>> {
  const ratios = objectives.filter((objective) => objective.kind === 'ratio');
  const quotas = objectives.filter((objective) => objective.kind === 'quota');
  const counted = await countEvents(store, ratios, evaluation);
  const spent = await sumSpend(store, quotas, evaluation);
  const named = new Map<string, Report>();
  for (const name of new Set(objectives.map((objective) => objective.name))) {
    const [ratio, ...otherRatios] = ratios.filter((objective) => objective.name === name);
    const [quota, ...otherQuotas] = quotas.filter((objective) => objective.name === name);
    if (ratio !== undefined)
      named.set(name, ratioReport([ratio, ...otherRatios], counted, evaluation));
    else if (quota !== undefined)
      named.set(name, quotaReport([quota, ...otherQuotas], spent, evaluation));
  }
  return named;
}

function ratioReport(
  objectives: readonly [RatioObjective, ...RatioObjective[]],
  counted: ReadonlyMap<RatioObjective, readonly WorkflowCounts[]>,
  { workflow }: Evaluation,
): Report {
  const parts = objectives.flatMap((objective) =>
    (counted.get(objective) ?? [])
      .filter((counts) => applies(objective, objectives, counts.workflow))
      .map((counts) => ({ counts, objective, target: objective.target })),
  );
  const entries = parts.map(({ counts, objective }) => ratioEntry(counts, objective));
  const objective = mainOf(objectives, workflow);
  if (workflow !== undefined && entries.length === 0)
    entries.push(ratioEntry(noEvents(workflow, objective), objective));
  return { workflows: entries.sort(worstFirst), all: allTogether(parts, objective) };
}

/** The objective of the workflow asked for, else the one for every workflow. */
function mainOf<Kind extends Objective>(
  objectives: readonly [Kind, ...Kind[]],
  workflow: string | undefined,
): Kind {
  const own = objectives.find((each) => each.workflow !== null && each.workflow === workflow);
  return own ?? objectives.find((each) => each.workflow === null) ?? objectives[0];
}

function applies(objective: Objective, all: readonly Objective[], workflow: string): boolean {
  if (objective.workflow !== null) return objective.workflow === workflow;
  return !all.some((other) => other.workflow === workflow);
}

function ratioEntry(events: WorkflowCounts, objective: RatioObjective): RatioEntry {
  const { workflow, counts, tasks, tasksBad, designEffect } = events;
  const burn = burnOf(counts, objective.target, objective.windowDays, designEffect);
  return { workflow: nameOf(workflow), tasks, tasks_bad: tasksBad, ...burn };
}

function noEvents(workflow: string, objective: RatioObjective): WorkflowCounts {
  const counts: Counts = new Map(
    windowsFor(objective.windowDays).map((seconds) => [seconds, { valid: 0, bad: 0 }]),
  );
  return { workflow, counts, tasks: 0, tasksBad: 0, designEffect: 1 };
}

function allTogether(
  parts: readonly { readonly counts: WorkflowCounts; readonly target: number }[],
  objective: RatioObjective,
): RatioEntry {
  const sums = new Map<number, Count>();
  for (const seconds of windowsFor(objective.windowDays)) {
    const counts = parts.map((part) => part.counts.counts.get(seconds) ?? { valid: 0, bad: 0 });
    sums.set(seconds, {
      valid: counts.reduce((sum, count) => sum + count.valid, 0),
      bad: counts.reduce((sum, count) => sum + count.bad, 0),
    });
  }
  return {
    workflow: null,
    tasks: parts.reduce((sum, { counts }) => sum + counts.tasks, 0),
    tasks_bad: parts.reduce((sum, { counts }) => sum + counts.tasksBad, 0),
    ...burnOf(
      sums,
      pooledTarget(parts, objective),
      objective.windowDays,
      Math.max(1, ...parts.map(({ counts }) => counts.designEffect)),
    ),
  };
}

/** The target whose budget equals the sum of the workflows' own budgets. */
function pooledTarget(
  parts: readonly { readonly counts: WorkflowCounts; readonly target: number }[],
  objective: RatioObjective,
): number {
  if (parts.every(({ target }) => target === objective.target)) return objective.target;
  const segments = parts.map(({ counts, target }) => ({
    target,
    valid: counts.counts.get(objective.windowDays * 86_400)?.valid ?? 0,
  }));
  const valid = segments.reduce((sum, segment) => sum + segment.valid, 0);
  return valid === 0 ? objective.target : 1 - allowedBad(segments) / valid;
}

function quotaReport(
  objectives: readonly [QuotaObjective, ...QuotaObjective[]],
  spent: readonly { readonly workflow: string; readonly spends: Spends }[],
  { workflow }: Evaluation,
): Report {
  const parts = objectives.flatMap((objective) =>
    spent
      .filter((entry) => applies(objective, objectives, entry.workflow))
      .map((entry) => ({ ...entry, objective })),
  );
  const entries = parts.map(({ objective, ...entry }) =>
    quotaTogether(nameOf(entry.workflow), [entry.spends], objective),
  );
  const objective = mainOf(objectives, workflow);
  if (workflow !== undefined && entries.length === 0)
    entries.push(quotaTogether(nameOf(workflow), [], objective));
  const all = parts.map(({ spends }) => spends);
  return { workflows: entries.sort(worstFirst), all: quotaTogether(null, all, objective) };
}

function quotaTogether(
  workflow: string | null,
  parts: readonly Spends[],
  objective: QuotaObjective,
): QuotaEntry {
  const sums = new Map<number, Spend>();
  for (const seconds of quotaWindows(objective.windowDays)) {
    const sum = (key: keyof Spend) =>
      parts.reduce((total, part) => total + (part.get(seconds)?.[key] ?? 0), 0);
    sums.set(seconds, {
      tasks: sum('tasks'),
      decided: sum('decided'),
      successes: sum('successes'),
      unpriced: sum('unpriced'),
      cost: sum('cost'),
      costSquares: sum('costSquares'),
      costOfSuccesses: sum('costOfSuccesses'),
    });
  }
  return { workflow, ...quotaOf(sums, objective.targetUsd, objective.windowDays) };
}

function nameOf(workflow: string): string | null {
  return workflow === '' ? null : workflow;
}

const severity = ['page', 'ticket', 'exhausted', 'ok', 'no_data'] as const;

function worstFirst(a: Entry, b: Entry): number {
  const rank = severity.indexOf(a.state) - severity.indexOf(b.state);
  if (rank !== 0) return rank;
  const left = (a.budget_left_ratio ?? 1) - (b.budget_left_ratio ?? 1);
  return left !== 0 ? left : (a.workflow ?? '') < (b.workflow ?? '') ? -1 : 1;
}
