import { Hono } from 'hono';
import { z } from 'zod';
import type { QueryContext } from '../context.ts';
import { problem } from '../problem.ts';
import { parseTime, time } from '../time.ts';
import { returns, traffic, valid } from '../valid.ts';
import { driftReport } from './report.ts';
import {
  activities,
  MAX_WORKFLOWS,
  parseRange,
  planFor,
  type Range,
  SPAN_MAX,
  spanOf,
} from './windows.ts';

const range = z.string().refine((text) => parseRange(text, new Date(0)) !== null, {
  error: 'a range such as now-7d..now-1d, the earlier end first',
});

const driftQuery = z.strictObject({
  workflow: z.string().optional(),
  reference: range.optional(),
  current: range.optional(),
  now: time.default('now'),
  traffic,
});

const number = z.number().nullable();
const text = z.string().nullable();
const config = z.enum(['prompt', 'model', 'release', 'agent_version']);
const delta = z.object({ value: z.number(), low: number, high: number }).nullable();
const group = z.object({ tasks: z.number(), value: number });

const suspect = z.object({
  kind: config,
  value: z.string(),
  first_seen: z.string(),
  verdict: z.enum(['cause', 'external', 'mixed', 'temporal_only', 'inconclusive']),
  deltas: z.object({ unit: z.string(), new: delta, time: delta }),
  groups: z.object({ new_after: group, old_after: group, old_before: group }),
  explained_ratio: number,
  confounded_with: z.array(z.object({ kind: config, value: z.string() })),
  text: z.string(),
});

const signal = z.object({
  signal: z.string(),
  workflow: text,
  verdict: z.enum(['drift', 'warn', 'stable', 'insufficient_data']),
  effect: number,
  effect_low: number,
  effect_high: number,
  effect_unit: z.enum(['percentage_points', 'ratio', 'js_distance', 'probability_current_greater']),
  p: number,
  q: number,
  n_reference: z.number(),
  n_current: z.number(),
  reference_value: number,
  current_value: number,
  value_unit: z.enum(['ratio', 'usd', 'tokens', 'ms', 'steps']).nullable(),
  floor: z.number(),
  minimum_detectable_effect: number,
  degenerate: z.boolean(),
  detail: z.record(z.string(), z.unknown()),
  began_at: text,
  began_at_low: text,
  began_at_high: text,
  suspects: z.array(suspect),
});

const window = z.object({ from: z.string(), to: z.string(), tasks: z.number() });
const split = {
  mix_percentage_points: z.number(),
  rate_percentage_points: z.number(),
};

const drift = z.object({
  signals: z.array(signal),
  events: z.array(
    z.object({
      workflow: text,
      kind: z.enum(['prompt', 'model', 'release', 'agent_version', 'tool']),
      value: z.string(),
      change: z.enum(['new', 'vanished']),
      first_seen: z.string(),
      last_seen: z.string(),
      tasks_reference: z.number(),
      tasks_current: z.number(),
      share_ratio: z.number(),
      p: z.number(),
    }),
  ),
  windows: z.array(z.object({ workflow: text, reference: window, current: window })),
  composition: z
    .object({
      signal: z.literal('success_rate'),
      change_percentage_points: z.number(),
      ...split,
      workflows: z.array(z.object({ workflow: text, ...split })),
    })
    .nullable(),
  skipped_workflows: z.boolean(),
  traffic: z.string(),
  evaluated_through: z.string(),
});

/** `GET /api/v1/drift`: what changed between two windows of each workflow, since when, and because of what. */
export function driftRoutes({ store, project, now }: QueryContext): Hono {
  const app = new Hono();
  app.get(
    '/api/v1/drift',
    returns('Signals that drifted, with onset and suspects', drift),
    valid('query', driftQuery),
    async (c) => {
      const query = c.req.valid('query');
      const at = parseTime(query.now, now()) ?? now();
      const { workflow, traffic } = query;
      const scope = { project: project(c), workflow, traffic, now: at };
      const given = windowsOf(query, at);
      const busy = await activities(store, scope, spanOf(at.getTime(), given));
      const plans = busy
        .slice(0, MAX_WORKFLOWS)
        .map((activity) => planFor(activity, at.getTime(), given));
      return c.json({
        ...(await driftReport(store, scope, plans)),
        skipped_workflows: busy.length > MAX_WORKFLOWS,
        traffic,
        evaluated_through: at.toISOString(),
      });
    },
  );
  return app;
}

interface Given {
  readonly reference: Range | undefined;
  readonly current: Range | undefined;
}

function windowsOf(
  query: { reference?: string | undefined; current?: string | undefined },
  now: Date,
): Given {
  const parse = (text: string | undefined) =>
    text === undefined ? undefined : (parseRange(text, now) ?? undefined);
  const given = { reference: parse(query.reference), current: parse(query.current) };
  const { reference, current } = given;
  if (reference !== undefined && current !== undefined && reference.to > current.from)
    throw bad('reference', 'must end before current begins');
  if (reference !== undefined && reference.to > now.getTime() - 1)
    throw bad('reference', 'must end before now');
  const { from, to } = spanOf(now.getTime(), given);
  const parameter = reference === undefined ? 'current' : 'reference';
  if (to - from > SPAN_MAX) throw bad(parameter, 'both windows together cover more than 62 days');
  return given;
}

function bad(parameter: string, reason: string) {
  return problem(400, 'A parameter is not valid.', `${parameter}: ${reason}`, parameter);
}
