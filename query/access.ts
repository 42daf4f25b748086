import type { Context, MiddlewareHandler } from 'hono';
import { problem } from './problem.ts';

/** The project that a request's key opens for a scope, or why there is none. */
export type Authorize = (
  headers: Headers,
  scope: 'ingest' | 'read' | 'admin',
) => string | { readonly unauthorized: string; readonly forbidden?: boolean };

export interface Guard {
  readonly handler: MiddlewareHandler;
  /** The project of the key that the request came with. */
  readonly project: (c: Context) => string;
}

/** What a load balancer asks, without a key. */
const open: ReadonlySet<string> = new Set(['/healthz', '/readyz']);
/** What an application reports of its own tasks. */
const reports: ReadonlySet<string> = new Set(['/api/v1/outcomes', '/api/v1/evaluations']);

/** Lets a request in by its API key: questions need `read`, reports of outcomes `ingest`, everything else `admin`. */
export function guard(authorize: Authorize): Guard {
  const projects = new WeakMap<Request, string>();
  return {
    async handler(c, next) {
      if (open.has(c.req.path)) return next();
      const answer = authorize(c.req.raw.headers, scopeOf(c.req.method, c.req.path));
      if (typeof answer !== 'string') {
        if (answer.forbidden === true) throw problem(403, 'Not allowed.', answer.unauthorized);
        // Basic, so that a browser asks for the key.
        c.header('www-authenticate', 'Basic realm="plumbline", Bearer');
        throw problem(401, 'An API key is needed.', answer.unauthorized);
      }
      projects.set(c.req.raw, answer);
      return next();
    },
    project(c) {
      const project = projects.get(c.req.raw);
      if (project === undefined) throw problem(401, 'An API key is needed.');
      return project;
    },
  };
}

function scopeOf(method: string, path: string): 'ingest' | 'read' | 'admin' {
  if (method === 'GET' || method === 'HEAD') return 'read';
  return reports.has(path) ? 'ingest' : 'admin';
}
