import { Hono } from 'hono';
import type { QueryContext } from './context.ts';
import { costsRoutes } from './costs/routes.ts';
import { decisionsRoutes } from './decisions/routes.ts';
import { driftRoutes } from './drift/routes.ts';
import { openapi } from './openapi.ts';
import { type Operations, operationsRoutes } from './operations/routes.ts';
import { outcomesRoutes } from './outcomes/routes.ts';
import { pricesRoutes } from './prices/routes.ts';
import { onError, respond } from './problem.ts';
import type { Objective } from './slos/objectives.ts';
import { slosRoutes } from './slos/routes.ts';
import { tasksRoutes } from './tasks/routes.ts';
import { tracesRoutes } from './traces/routes.ts';

export interface QueryOptions extends QueryContext, Operations {
  readonly objectives: readonly Objective[];
  /** Told of every error that is not the client's. */
  readonly report: (error: unknown) => void;
}

/** The query API: one Hono app, one folder per question. */
export function createQuery(options: QueryOptions): Hono {
  const app = new Hono();
  app.onError(onError(options.report));
  app.notFound((c) =>
    respond(c, {
      title: 'No such route.',
      status: 404,
      detail: `${c.req.method} ${c.req.path}. See /openapi.json.`,
    }),
  );
  app.route('/', operationsRoutes(options));
  app.route('/', tasksRoutes(options));
  app.route('/', decisionsRoutes(options));
  app.route('/', tracesRoutes(options));
  app.route('/', outcomesRoutes(options));
  app.route('/', costsRoutes(options));
  app.route('/', pricesRoutes(options));
  app.route('/', slosRoutes(options, options.objectives));
  app.route('/', driftRoutes(options));
  app.get('/openapi.json', (c) => c.json(openapi(app, options.version)));
  return app;
}
