import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createIngest, type Ingest } from '../../ingest/ingest.ts';
import { createQuery } from '../../query/app.ts';
import { builtinObjectives } from '../../query/slos/objectives.ts';
import type { Store } from '../../store/connection.ts';
import { createDeriver } from '../../store/derive/deriver.ts';
import { rebuild } from '../../store/derive/rebuild.ts';
import { query, sql } from '../../store/sql.ts';
import { openEmbedded } from '../clickhouse/backends.ts';
import { itemsOf, pack, signals } from './items.ts';
import { planner } from './plan.ts';

const now = Date.parse('2026-06-15T12:00:00Z');
const day = 86_400_000_000_000n;
const to = BigInt(now) * 1_000_000n;
const journal = mkdtempSync(join(tmpdir(), 'plumbline-rebuild-'));
const plan = planner(11, now);
const planned = Array.from({ length: 28 }, plan);
let store: Store;
let ingest: Ingest;
let ask: (path: string) => Promise<string>;

beforeAll(async () => {
  store = await openEmbedded();
  ingest = await createIngest({
    store,
    derive: createDeriver(store).derive,
    journal: { directory: journal },
    project: () => 'default',
    report: (problem) => console.error(problem),
  });
  const api = createQuery({
    store,
    objectives: builtinObjectives,
    project: () => 'default',
    now: () => new Date(now),
    version: 'test',
    checks: async () => [],
    metrics: () => [],
    report: (error) => console.error(error),
  });
  ask = async (path) => {
    const answer = await api.request(path);
    expect(answer.status, path).toBe(200);
    return answer.text();
  };
  const items = planned.flatMap(itemsOf);
  for (const signal of signals) {
    const some = items.filter((item) => item.signal === signal);
    for (let at = 0; at < some.length; at += 100) {
      const { path, headers, body } = pack(some.slice(at, at + 100), false);
      const answer = await ingest.app.request(path, { method: 'POST', headers, body });
      expect(answer.status).toBe(200);
    }
  }
  await ingest.drained();
});

afterAll(async () => {
  await ingest?.close();
  await store?.close();
  rmSync(journal, { recursive: true, force: true });
});

const range = 'from=2026-06-01T00:00:00Z&to=2026-06-16T00:00:00Z';
const tasks = `/api/v1/tasks?${range}&limit=200&sort=cost_usd`;

/** Everything that is answered from derived rows. */
async function answers(): Promise<string[]> {
  const paths = [
    tasks,
    ...['workflow', 'model', 'tool'].map((by) => `/api/v1/costs?${range}&group_by=${by}`),
    ...planned.slice(0, 7).map(({ id }) => `/api/v1/tasks/${id}`),
  ];
  const texts: string[] = [];
  for (const path of paths) texts.push(`${path}: ${await ask(path)}`);
  return texts;
}

it('gives byte-equal answers after derived rows were lost, made up and withdrawn', async () => {
  const before = await answers();
  expect(before[0]).toContain(planned[0]?.id);
  await store.client.command({ query: 'TRUNCATE TABLE tasks' });
  await rebuild(store, 'default', to - 10n * day, to);
  expect(await answers()).toEqual(before);

  const columns =
    'project, day, task_id, ver, started_at, last_signal_at, ended_at, attribution, traffic';
  await store.client.command({
    query: `INSERT INTO tasks (${columns})
      SELECT project, day, concat('ghost-', task_id), ver, started_at, last_signal_at, ended_at, attribution, traffic
      FROM tasks FINAL`,
  });
  await store.client.command({
    query:
      "INSERT INTO task_days SELECT project, task_id, day FROM tasks WHERE task_id LIKE 'ghost-%'",
  });
  expect(await ask(tasks)).toContain('ghost-');
  await rebuild(store, 'default', to - 10n * day, to);
  expect(await answers()).toEqual(before);
});

it('leaves alone what lies outside its range', async () => {
  const versions = () =>
    query<{ task_id: string; started: string; ver: string }>(
      store,
      sql`SELECT task_id, toString(toUnixTimestamp64Nano(started_at)) AS started, ver FROM tasks FINAL ORDER BY task_id`,
    );
  const before = await versions();
  const from = to - 4n * day;
  const end = from + day;
  await rebuild(store, 'default', from, end);
  const after = await versions();
  const changed = after.filter((row, i) => row.ver !== before[i]?.ver);
  expect(after.length).toBe(before.length);
  expect(changed.length).toBeGreaterThan(0);
  expect(changed.length).toBeLessThan(after.length);
  const inside = after.filter(({ started }) => BigInt(started) >= from && BigInt(started) < end);
  expect(changed).toEqual(expect.arrayContaining(inside));
});
