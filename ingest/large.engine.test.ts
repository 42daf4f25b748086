import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Store } from '../store/connection.ts';
import { createDeriver, type Touched } from '../store/derive/deriver.ts';
import { createDeriveThread, type DeriveThread } from '../store/derive/thread/thread.ts';
import { query, sql } from '../store/sql.ts';
import { openEmbedded } from '../test/clickhouse/backends.ts';
import { createIngest, type Ingest } from './ingest.ts';

/** When derivations that touched a trace ran, in milliseconds. */
interface Run {
  readonly lane: 'small' | 'large';
  readonly start: number;
  readonly end: number;
}

let store: Store;
let thread: DeriveThread;
let ingest: Ingest;
const directory = mkdtempSync(join(tmpdir(), 'plumbline-large-'));
const runs: Run[] = [];
const bigTrace = 'b'.repeat(32);
const begun = BigInt(Date.now() - 60_000) * 1_000_000n;

beforeAll(async () => {
  store = await openEmbedded();
  thread = createDeriveThread(store);
  const deriver = createDeriver(store, { thread });
  const timed =
    (lane: Run['lane'], derive: (touched: readonly Touched[]) => Promise<void>) =>
    async (touched: readonly Touched[]) => {
      const start = performance.now();
      await derive(touched);
      const isBig = touched.some(({ traces }) => traces.includes(bigTrace));
      if (isBig) runs.push({ lane, start, end: performance.now() });
    };
  ingest = await createIngest({
    store,
    derive: timed('small', deriver.derive),
    large: { ...deriver, deriveLarge: timed('large', deriver.deriveLarge) },
    journal: { directory },
    project: (headers) => headers.get('x-project') ?? 'default',
    report: () => {},
    limits: { lingerMs: 5 },
  });
});

afterAll(async () => {
  await ingest.close();
  await thread.close();
  await store.close();
  rmSync(directory, { recursive: true });
});

async function send(project: string, trace: string, first: number, count: number): Promise<void> {
  const spans = Array.from({ length: count }, (_, i) => ({
    traceId: trace,
    spanId: String(first + i + 1).padStart(16, '0'),
    name: 'chat',
    startTimeUnixNano: String(begun + BigInt(first + i) * 1_000_000n),
    endTimeUnixNano: String(begun + BigInt(first + i) * 1_000_000n + 500_000n),
    attributes: [
      { key: 'agent.task.id', value: { stringValue: `task-${trace}` } },
      { key: 'gen_ai.operation.name', value: { stringValue: 'chat' } },
      { key: 'gen_ai.request.model', value: { stringValue: 'gpt-4o' } },
      { key: 'gen_ai.usage.input_tokens', value: { intValue: 7 } },
    ],
  }));
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
  const headers = { 'content-type': 'application/json', 'x-project': project };
  const response = await ingest.app.request('/v1/traces', { method: 'POST', headers, body });
  expect(response.status).toBe(200);
}

const tasksOf = (project: string) =>
  query<{ task_id: string; spans: number; tokens: string }>(
    store,
    sql`SELECT task_id, spans, input_tokens AS tokens FROM tasks FINAL
        WHERE project = ${project === 'big' ? sql`'big'` : sql`'other'`} ORDER BY task_id`,
  );

it('derives a large task ever more seldom while it grows, others at once, and ends exact', async () => {
  await send('big', bigTrace, 0, 2000);
  await ingest.drained();
  expect(runs.map(({ lane }) => lane)).toEqual(['small']);

  const requests = 40;
  for (let i = 0; i < requests; i += 1) {
    await send('big', bigTrace, 2000 + i * 25, 25);
    await sleep(25);
  }
  await send('other', 'c'.repeat(32), 0, 3);
  await expect
    .poll(() => tasksOf('other'), { timeout: 10_000, interval: 20 })
    .toEqual([{ task_id: `task-${'c'.repeat(32)}`, spans: 3, tokens: '21' }]);

  const trickled = runs.slice(1);
  expect(trickled.every(({ lane }) => lane === 'large')).toBe(true);
  // The spacing it learnt: of one that took 20 ms or more, the next begins 200 ms or more after it.
  trickled.slice(1).forEach(({ start }, i) => {
    const before = trickled[i];
    if (before === undefined) return;
    expect(start - before.end).toBeGreaterThan(7 * (before.end - before.start));
  });
  expect(trickled.length).toBeLessThan(requests / 4);

  await ingest.drained();
  expect(await tasksOf('big')).toEqual([
    { task_id: `task-${bigTrace}`, spans: 3000, tokens: '21000' },
  ]);
});
