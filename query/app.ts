import { Hono } from 'hono';
import { type Authorize, guard } from './access.ts';
import { budgetsRoutes } from './budgets/routes.ts';
import type { Budget } from './budgets/settings.ts';
import type { QueryContext } from './context.ts';
import { costsRoutes } from './costs/routes.ts';
import { createJudge, type Judge } from './decisions/judge.ts';
import { decisionsRoutes } from './decisions/routes.ts';
import { driftRoutes } from './drift/routes.ts';
import { findingsRoutes } from './findings/routes.ts';
import { defaultFindingsSettings, type FindingsSettings } from './findings/settings.ts';
import { inventoryRoutes } from './inventory/routes.ts';
import type { Jobs } from './maintenance/jobs.ts';
import { maintenanceRoutes } from './maintenance/routes.ts';
import { metricsRoutes } from './metrics/routes.ts';
import { openapi } from './openapi.ts';
import { type Operations, operationsRoutes } from './operations/routes.ts';
import { outcomesRoutes } from './outcomes/routes.ts';
import { ratesRoutes } from './prices/rates.ts';
import { pricesRoutes } from './prices/routes.ts';
import { onError, respond } from './problem.ts';
import type { Objective } from './slos/objectives.ts';
import { slosRoutes } from './slos/routes.ts';
import { tasksRoutes } from './tasks/routes.ts';
import { tracesRoutes } from './traces/routes.ts';

export interface QueryOptions extends QueryContext, Operations {
  readonly objectives: readonly Objective[];
  /** Settings of the rules by project; the built-in ones unless given. */
  readonly findings?: (project: string) => FindingsSettings;
  /** With it, every request needs an API key and sees that key's project; without, `project` decides. */
  readonly authorize?: Authorize;
  /** Where decisions are derived and kept; one of its own unless given. */
  readonly judge?: Judge;
  /** Budgets to hold spend against; none unless given. */
  readonly budgets?: readonly Budget[];
  /** Maintenance that may be asked for; without it there are no such routes. */
  readonly jobs?: Jobs;
  /** Told of every error that is not the client's. */
  readonly report: (error: unknown) => void;
}

/** The query API: one Hono app, one folder per question. */
export function createQuery(given: QueryOptions): Hono {
  const app = createBase(given.report);
  const options = guarded(app, given);
  const findings = options.findings ?? (() => defaultFindingsSettings);
  const judge = options.judge ?? createJudge(options.store, findings);
  const metrics = () => [...options.metrics(), ...judge.metrics()];
  app.route('/', operationsRoutes({ ...options, metrics }));
  app.route('/', tasksRoutes(options));
  app.route('/', decisionsRoutes(options, judge));
  app.route('/', findingsRoutes(options, findings, judge));
  app.route('/', tracesRoutes(options));
  app.route('/', metricsRoutes(options));
  app.route('/', outcomesRoutes(options));
  app.route('/', costsRoutes(options));
  app.route('/', pricesRoutes(options));
  app.route('/', ratesRoutes(options));
  app.route('/', budgetsRoutes(options, options.budgets ?? []));
  app.route('/', slosRoutes(options, options.objectives));
  app.route('/', driftRoutes(options));
  app.route('/', inventoryRoutes(options));
  if (options.jobs !== undefined) app.route('/', maintenanceRoutes(options, options.jobs));
  app.get('/openapi.json', (c) => c.json(openapi(app, options.version)));
  return app;
}

/** Health, readiness and metrics alone, of a process that answers no questions. */
export function createOperations(
  operations: Operations,
  authorize: Authorize | undefined,
  report: (error: unknown) => void,
): Hono {
  const app = createBase(report);
  if (authorize !== undefined) app.use(guard(authorize).handler);
  app.route('/', operationsRoutes(operations));
  return app;
}

function createBase(report: (error: unknown) => void): Hono {
  const app = new Hono();
  app.onError(onError(report));
  app.notFound((c) =>
    respond(c, {
      title: 'No such route.',
      status: 404,
      detail: `${c.req.method} ${c.req.path}. See /openapi.json.`,
    }),
  );
  return app;
}

/** The options with every question confined to the project of its key. */
function guarded(app: Hono, options: QueryOptions): QueryOptions {
  if (options.authorize === undefined) return options;
  const { handler, project } = guard(options.authorize);
  app.use(handler);
  return { ...options, project };
}
