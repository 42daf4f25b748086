import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import type { Store } from '../../store/connection.ts';
import { onError } from '../problem.ts';
import { createJobs, type Progress } from './jobs.ts';
import { maintenanceRoutes } from './routes.ts';

type Json = Readonly<Record<string, unknown>>;

function server() {
  const calls: unknown[][] = [];
  const problems: unknown[] = [];
  let progress: (now: Progress) => void = () => {};
  let finish: (result: Record<string, number>) => void = () => {};
  let fail: (error: Error) => void = () => {};
  const now = () => new Date('2026-11-20T12:00:00Z');
  const jobs = createJobs(
    {
      remap: (project, from, to, onProgress, signal) => {
        calls.push([project, from, to]);
        progress = onProgress;
        return new Promise((resolve, reject) => {
          finish = resolve;
          fail = reject;
          signal.addEventListener('abort', () => reject(signal.reason));
        });
      },
      rebuild: async () => ({ tasks: 3 }),
    },
    now,
    (error) => problems.push(error),
  );
  const app = new Hono();
  app.onError(onError(() => {}));
  // The routes touch no store.
  const store = undefined as unknown as Store;
  app.route('/', maintenanceRoutes({ store, now, project: (c) => c.req.header('p') ?? 'a' }, jobs));
  const ask = async (path: string, body?: Json, headers: Record<string, string> = {}) => {
    const post = { method: 'POST', body: JSON.stringify(body) };
    const answer = await app.request(path, {
      ...(body === undefined ? {} : post),
      headers: { 'content-type': 'application/json', ...headers },
    });
    return { status: answer.status, body: (await answer.json()) as Json };
  };
  const work = {
    progress: (at: Progress) => progress(at),
    finish: (result: Record<string, number>) => finish(result),
    fail: (error: Error) => fail(error),
  };
  return { ask, calls, problems, jobs, work };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('maintenance', () => {
  it('runs a job and says how far it is', async () => {
    const { ask, calls, work } = server();
    const started = await ask('/api/v1/remap', { from: 'now-1h' });
    expect(started.status).toBe(202);
    expect(calls).toEqual([['a', 1_795_172_400_000_000_000n, 1_795_176_000_000_000_000n]]);
    const path = `/api/v1/jobs/${started.body['job_id']}`;
    work.progress({ done: 3, total: 10 });
    expect((await ask(path)).body).toMatchObject({ state: 'running', done: 3, total: 10 });
    expect((await ask('/api/v1/rebuild', { from: 'now-1h' })).status).toBe(409);
    work.finish({ spans: 9 });
    await settled();
    expect((await ask(path)).body).toMatchObject({
      state: 'done',
      done: 10,
      result: { spans: 9 },
      error: null,
      from: '2026-11-20T11:00:00.000Z',
    });
    expect((await ask('/api/v1/rebuild', { from: 'now-1h' })).status).toBe(202);
  });

  it('shows a job to its project alone', async () => {
    const { ask } = server();
    const { body } = await ask('/api/v1/remap', { from: 'now-1h' });
    expect(body).not.toHaveProperty('project');
    expect((await ask(`/api/v1/jobs/${body['job_id']}`, undefined, { p: 'b' })).status).toBe(404);
  });

  it('tells of a failure without its details', async () => {
    const { ask, problems, work } = server();
    const { body } = await ask('/api/v1/remap', { from: 'now-1h' });
    work.fail(new Error('secret'));
    await settled();
    const job = (await ask(`/api/v1/jobs/${body['job_id']}`)).body;
    expect(job).toMatchObject({ state: 'failed' });
    expect(JSON.stringify(job)).not.toContain('secret');
    expect(problems).toEqual([new Error('secret')]);
  });

  it('stops with the server', async () => {
    const { ask, jobs, problems } = server();
    await ask('/api/v1/remap', { from: 'now-1h' });
    await jobs.close();
    expect(problems).toEqual([]);
    expect((await ask('/api/v1/remap', { from: 'now-1h' })).status).toBe(409);
  });

  it.each([[{}], [{ from: 'yesterday' }], [{ from: 'now', to: 'now-1h' }]])(
    'refuses %j',
    async (body) => {
      expect((await server().ask('/api/v1/remap', body)).status).toBe(400);
    },
  );
});
