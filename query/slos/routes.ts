import { Hono } from 'hono';
import { z } from 'zod';
import type { QueryContext } from '../context.ts';
import { problem } from '../problem.ts';
import { parseTime, time } from '../time.ts';
import { returns, traffic, valid } from '../valid.ts';
import type { Evaluation } from './counts.ts';
import { builtinObjectives, type Objective } from './objectives.ts';
import { type Entry, type Report, reports } from './report.ts';

const number = z.number().nullable();
const state = z.enum(['page', 'ticket', 'exhausted', 'ok', 'no_data']);
const severity = z.enum(['page', 'ticket']);

const objectiveShape = z.object({
  name: z.string(),
  description: z.string(),
  kind: z.enum(['ratio', 'quota']),
  indicator: z.string(),
  unit: z.enum(['task', 'llm_call', 'tool_call']),
  workflow: z.string().nullable(),
  window_days: z.int(),
  target: number,
  threshold_ms: number,
  target_usd: number,
});

const ratioEntry = z.object({
  workflow: z.string().nullable(),
  state,
  valid: z.number(),
  bad: z.number(),
  tasks: z.number(),
  tasks_bad: z.number(),
  target: z.number(),
  error_ratio: number,
  burn: number,
  budget_consumed_ratio: number,
  budget_left_ratio: number,
  exhaustion_days: number,
  design_effect: z.number(),
  windows: z.array(
    z.object({
      window: z.string(),
      valid: z.number(),
      bad: z.number(),
      error_ratio: number,
      burn: number,
    }),
  ),
  policies: z.array(
    z.object({
      policy: z.string(),
      severity,
      long_window: z.string(),
      short_window: z.string(),
      factor: z.number(),
      factor_effective: z.number(),
      reachable: z.boolean(),
      burn_long: number,
      burn_short: number,
      margin: number,
      p: number,
      p_below: z.number(),
      budget_share_ratio: number,
      fires: z.boolean().nullable(),
    }),
  ),
});

const windowQuota = z.object({
  tasks: z.number(),
  successes: z.number(),
  unpriced_tasks: z.number(),
  cost_usd: number,
  cost_usd_known: z.number(),
  unit_cost_usd: number,
  unit_cost_usd_low: number,
  unit_cost_usd_high: number,
  quota_burn: number,
  reason: z.enum(['no_tasks', 'no_verdicts', 'no_success', 'unpriced']).nullable(),
});

const quotaEntry = windowQuota.extend({
  workflow: z.string().nullable(),
  state,
  target_usd: z.number(),
  label_coverage_ratio: number,
  budget_consumed_ratio: number,
  budget_left_ratio: number,
  windows: z.array(windowQuota.extend({ window: z.string() })),
  policies: z.array(
    z.object({
      policy: z.string(),
      severity,
      long_window: z.string(),
      short_window: z.string().nullable(),
      factor: z.number(),
      margin: number,
      fires: z.boolean().nullable(),
    }),
  ),
});

const entry = z.union([ratioEntry, quotaEntry]);

const burn = z.object({
  slo: objectiveShape,
  traffic: z.string(),
  evaluated_through: z.string(),
  workflows: z.array(entry),
  all: entry,
});

const summary = objectiveShape.extend({
  state,
  workflows: z.array(
    z.object({
      workflow: z.string().nullable(),
      state,
      burn: number,
      budget_left_ratio: number,
    }),
  ),
});

const slos = z.object({
  slos: z.array(summary),
  traffic: z.string(),
  evaluated_through: z.string(),
});

const scope = {
  workflow: z.string().optional(),
  now: time.default('now'),
  traffic,
};

/**
 * `GET /api/v1/slos` and `GET /api/v1/slos/{name}/burn`. `objectives` are the built-in ones unless a file gave others
 * (`mergeObjectives(parseOpenSlo(text))`).
 */
export function slosRoutes(
  { store, project, now }: QueryContext,
  objectives: readonly Objective[] = builtinObjectives,
): Hono {
  const app = new Hono();
  const names = [...new Set(objectives.map(({ name }) => name))];

  app.get(
    '/api/v1/slos',
    returns('Objectives with their state', slos),
    valid('query', z.strictObject(scope)),
    async (c) => {
      const query = c.req.valid('query');
      const evaluation = evaluate(project(c), query, now());
      const found = await reports(store, objectives, evaluation);
      const summaries = [...found].map(([name, report]) =>
        summarise(objectivesOf(name)[0], report),
      );
      return c.json({
        slos: summaries,
        traffic: query.traffic,
        evaluated_through: evaluation.through.toISOString(),
      });
    },
  );

  app.get(
    '/api/v1/slos/:name/burn',
    returns('Burn of one SLO per workflow and window', burn),
    valid('query', z.strictObject(scope)),
    async (c) => {
      const query = c.req.valid('query');
      const named = objectivesOf(c.req.param('name'));
      const evaluation = evaluate(project(c), query, now());
      return c.json({
        slo: describe(named[0]),
        traffic: query.traffic,
        evaluated_through: evaluation.through.toISOString(),
        ...(await reports(store, named, evaluation)).get(named[0].name),
      });
    },
  );

  function objectivesOf(name: string): [Objective, ...Objective[]] {
    const [first, ...rest] = objectives.filter((objective) => objective.name === name);
    if (first !== undefined) return [first, ...rest];
    throw problem(
      404,
      'No such SLO.',
      `${JSON.stringify(name)} is not one of ${names.join(', ')}.`,
    );
  }

  return app;
}

function evaluate(
  project: string,
  query: { workflow?: string | undefined; now: string; traffic: string },
  at: Date,
): Evaluation {
  const { workflow, traffic } = query;
  return { project, workflow, traffic, through: parseTime(query.now, at) ?? at };
}

function describe(objective: Objective): z.output<typeof objectiveShape> {
  const { name, description, kind, indicator, unit, workflow } = objective;
  return {
    name,
    description,
    kind,
    indicator,
    unit,
    workflow,
    window_days: objective.windowDays,
    target: objective.kind === 'ratio' ? objective.target : null,
    threshold_ms: objective.kind === 'ratio' ? objective.thresholdMs : null,
    target_usd: objective.kind === 'quota' ? objective.targetUsd : null,
  };
}

function summarise(objective: Objective, { workflows, all }: Report) {
  return {
    ...describe(objective),
    state: workflows[0]?.state ?? all.state,
    workflows: workflows.map(brief),
  };
}

function brief(entry: Entry) {
  return {
    workflow: entry.workflow,
    state: entry.state,
    burn: 'burn' in entry ? entry.burn : entry.quota_burn,
    budget_left_ratio: entry.budget_left_ratio,
  };
}
