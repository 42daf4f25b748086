import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { QueryContext } from '../context.ts';
import type { Judge } from '../decisions/judge.ts';
import type { TaskScope } from '../tasks/find.ts';
import { range } from '../tasks/routes.ts';
import { time } from '../time.ts';
import { limit, returns, traffic, valid } from '../valid.ts';
import { ratesAnswer, rulesAnswer, trajectoriesAnswer } from './answers.ts';
import { findingKeys, isBase, taskKeys } from './groups.ts';
import { findingRates, type RateKeyName } from './rates.ts';
import { rules } from './rules.ts';
import type { FindingsSettings } from './settings.ts';
import { calibration, rewardSignals } from './signals.ts';
import { taskTrajectoryRoutes } from './task-trajectory.ts';
import { type TrajectoryKeyName, trajectoryGroups } from './trajectories.ts';

/** One or more names, separated by commas. */
function keys<Name extends string>(names: readonly Name[], initial: Name) {
  const accepted = names as [Name, ...Name[]];
  return z
    .string()
    .default(initial)
    .transform((text) => (text === '' ? [] : text.split(',')))
    .pipe(
      z.array(
        z.enum(accepted, { error: `one or more of ${names.join(', ')}, separated by commas` }),
      ),
    );
}

const scopeQuery = {
  from: time.default('now-7d'),
  to: time.default('now'),
  workflow: z.string().optional(),
  agent: z.string().optional(),
  outcome: z.enum(['success', 'failure', 'unknown']).optional(),
  release: z.string().optional(),
  model: z.string().optional(),
  traffic,
  limit: limit(100, 1000),
};

const rateKeys = [...Object.keys(findingKeys), ...Object.keys(taskKeys)] as RateKeyName[];
const ratesQuery = z.strictObject({
  ...scopeQuery,
  group_by: keys(rateKeys, 'finding'),
  finding: z.string().optional(),
});

const trajectoryKeys = Object.keys(taskKeys).filter(isBase) as TrajectoryKeyName[];
const trajectoriesQuery = z.strictObject({
  ...scopeQuery,
  group_by: keys(trajectoryKeys, 'workflow'),
});

/** Rates of findings, the rules behind them, and how trajectories went. */
export function findingsRoutes(
  context: QueryContext,
  settings: (project: string) => FindingsSettings,
  judge: Judge,
): Hono {
  const { store, project, now } = context;
  const app = new Hono();

  function scopeOf(c: Context, from: string, to: string): TaskScope {
    const at = now();
    return { project: project(c), ...range(from, to, at), now: at, prices: 'as_of_call' };
  }

  app.get(
    '/api/v1/findings',
    returns('How often each defect was found, by group', ratesAnswer),
    valid('query', ratesQuery),
    async (c) => {
      const { from, to, group_by, limit: size, ...filter } = c.req.valid('query');
      return c.json(await findingRates(store, scopeOf(c, from, to), filter, group_by, size));
    },
  );

  app.get('/api/v1/rules', returns('The rules that find defects', rulesAnswer), (c) => {
    const { rules: own } = settings(project(c));
    return c.json({
      rules: rules.map(({ id, version, class: kind, severity, level, parameters }) => ({
        finding: id,
        version,
        class: kind,
        severity,
        level,
        enabled: own[id] !== false,
        parameters: { ...parameters, ...own[id] },
      })),
    });
  });

  app.get(
    '/api/v1/trajectories',
    returns('How tasks went, by group', trajectoriesAnswer),
    valid('query', trajectoriesQuery),
    async (c) => {
      const { from, to, group_by, limit: size, ...filter } = c.req.valid('query');
      const scope = scopeOf(c, from, to);
      const [groups, confidence, signals] = await Promise.all([
        trajectoryGroups(store, scope, filter, group_by, size),
        calibration(store, scope, filter),
        rewardSignals(store, scope),
      ]);
      return c.json({ groups, calibration: confidence, reward_signals: signals });
    },
  );

  app.route('/', taskTrajectoryRoutes(context, judge));
  return app;
}
