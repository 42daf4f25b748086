import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { type Authorize, guard } from './access.ts';
import { onError } from './problem.ts';

/** Keys are `project:scope`. */
const authorize: Authorize = (headers, scope) => {
  const [project, granted] = headers.get('x-api-key')?.split(':') ?? [];
  if (project === undefined) return { unauthorized: 'no key' };
  return granted === scope ? project : { unauthorized: `no ${scope}`, forbidden: true };
};

function setUp() {
  const app = new Hono();
  app.onError(onError(() => undefined));
  const { handler, project } = guard(authorize);
  app.use(handler);
  app.all('*', (c) => c.text(c.req.path === '/healthz' ? 'ok' : project(c)));
  return async (method: string, path: string, key?: string) => {
    const headers = key === undefined ? {} : { 'x-api-key': key };
    const response = await app.request(path, { method, headers });
    return [response.status, response.status === 200 ? await response.text() : null];
  };
}

describe('with keys', () => {
  it.each([
    ['GET', '/api/v1/tasks', 'read'],
    ['GET', '/metrics', 'read'],
    ['GET', '/', 'read'],
    ['POST', '/api/v1/outcomes', 'ingest'],
    ['POST', '/api/v1/evaluations', 'ingest'],
    ['POST', '/api/v1/sql', 'admin'],
    ['PUT', '/api/v1/prices/x', 'admin'],
    ['DELETE', '/api/v1/tasks', 'admin'],
  ])('%s %s needs the scope %s and sees the key’s project', async (method, path, scope) => {
    const ask = setUp();
    expect(await ask(method, path, `mine:${scope}`)).toEqual([200, 'mine']);
    expect(await ask(method, path, 'mine:other')).toEqual([403, null]);
    expect(await ask(method, path)).toEqual([401, null]);
  });

  it('a load balancer may ask without one', async () => {
    expect(await setUp()('GET', '/healthz')).toEqual([200, 'ok']);
  });

  it('a browser is asked for one', async () => {
    const app = new Hono();
    app.onError(onError(() => undefined));
    app.use(guard(authorize).handler);
    const response = await app.request('/api/v1/tasks');
    expect(response.headers.get('www-authenticate')).toContain('Basic');
    expect(await response.json()).toMatchObject({ status: 401, detail: 'no key' });
  });
});
