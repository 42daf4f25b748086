import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { openapi } from './openapi.ts';
import { onError } from './problem.ts';
import { time } from './time.ts';
import { limit, returns, valid } from './valid.ts';

interface Operation {
  readonly summary: string;
  readonly parameters: readonly { name: string; required: boolean }[];
  readonly responses: Record<
    string,
    {
      content: { 'application/json': { schema: { properties: Record<string, { type: string }> } } };
    }
  >;
}

function app(): { app: Hono; reported: unknown[] } {
  const reported: unknown[] = [];
  const app = new Hono();
  app.onError(onError((error) => reported.push(error)));
  const question = z.strictObject({ from: time.default('now-1d'), limit: limit(50, 100) });
  app.get(
    '/things/:id',
    returns('Things', z.object({ n: z.int() })),
    valid('query', question),
    (c) => c.json({ n: c.req.valid('query').limit }),
  );
  app.get('/cursor', (c) => c.json(decodeCursor(c.req.query('cursor'), z.int()) ?? null));
  app.get('/bug', () => {
    throw new Error('secret detail');
  });
  return { app, reported };
}

describe('a bad query parameter', () => {
  it.each([
    ['limit=0', 'limit'],
    ['limit=x', 'limit'],
    ['limit=101', 'limit'],
    ['from=yesterday', 'from'],
    ['form=now', 'form'],
  ])('%s is refused by name', async (text, parameter) => {
    const res = await app().app.request(`/things/1?${text}`);
    expect(res.status).toBe(400);
    expect(res.headers.get('content-type')).toBe('application/problem+json');
    const body = (await res.json()) as { parameter: string; detail: string };
    expect(body.parameter).toBe(parameter);
    expect(body.detail).toContain(parameter);
  });

  it('is a cursor that is not ours', async () => {
    const { app: api } = app();
    expect((await api.request('/cursor?cursor=zzz')).status).toBe(400);
    const good = await api.request(`/cursor?cursor=${encodeCursor(7)}`);
    expect(await good.json()).toBe(7);
  });
});

it('a bug is reported here and never shown to the client', async () => {
  const { app: api, reported } = app();
  const res = await api.request('/bug');
  expect(res.status).toBe(500);
  expect(await res.text()).not.toContain('secret');
  expect(reported).toHaveLength(1);
});

it('OpenAPI comes from the schemas that check the requests', () => {
  const document = openapi(app().app, '1.2.3') as {
    paths: Record<string, { get: Operation }>;
  };
  const get = document.paths['/things/{id}']!.get;
  expect(get.summary).toBe('Things');
  const names = get.parameters.map((p: { name: string; required: boolean }) => [
    p.name,
    p.required,
  ]);
  expect(names).toEqual([
    ['id', true],
    ['from', false],
    ['limit', false],
  ]);
  expect(get.responses['200']!.content['application/json'].schema.properties['n']?.type).toBe(
    'integer',
  );
});
