import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'plumbline-kill-'));
let child: ChildProcess | undefined;

afterAll(() => {
  child?.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const here = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);

/** A whole ingest over an embedded store in its own process; `/numbers` drains it and counts. */
const program = `
  const { createIngest } = await import(${here('./ingest.ts')});
  const { openStore } = await import(${here('../store/connection.ts')});
  const { createDeriver } = await import(${here('../store/derive/deriver.ts')});
  const { query, sql } = await import(${here('../store/sql.ts')});
  const { serve } = await import('@hono/node-server');
  const { Hono } = await import('hono');
  const data = process.env.DIRECTORY;
  const store = await openStore({ path: data });
  const ingest = await createIngest({
    store,
    derive: createDeriver(store).derive,
    journal: { directory: data + '/journal', segmentBytes: 20_000 },
    project: () => 'default',
    report: (problem) => console.error(problem),
    limits: { lingerMs: 20, batchItems: 50 },
  });
  const app = new Hono();
  app.get('/numbers', async (c) => {
    await ingest.drained();
    const [tasks] = await query(store, sql\`
      SELECT groupArray(task_id) AS ids, count() AS tasks, sum(spans) AS spans, sum(llm_calls) AS calls, sum(input_tokens) AS tokens
      FROM tasks FINAL\`);
    const [stored] = await query(store, sql\`SELECT count() AS stored FROM spans FINAL\`);
    return c.json({ ...tasks, ...stored });
  });
  app.route('/', ingest.app);
  serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => console.log(port));`;

async function startChild(): Promise<string> {
  const flags = ['--conditions=app-source', '--import', 'tsx', '--input-type=module', '-e'];
  child = spawn(process.execPath, [...flags, program], {
    cwd: new URL('..', import.meta.url),
    env: { ...process.env, DIRECTORY: directory },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    return `http://127.0.0.1:${line}`;
  }
  throw new Error('the child did not start');
}

async function kill(): Promise<void> {
  const exit = once(child!, 'exit');
  child!.kill('SIGKILL');
  await exit;
}

const tasks = 40;
const spansPerTask = 5;

/** The spans of one task, one model call of 7 tokens each. */
function body(task: number): string {
  const attributes = [
    { key: 'agent.task.id', value: { stringValue: `task-${task}` } },
    { key: 'gen_ai.operation.name', value: { stringValue: 'chat' } },
    { key: 'gen_ai.request.model', value: { stringValue: 'gpt-4o' } },
    { key: 'gen_ai.usage.input_tokens', value: { intValue: 7 } },
  ];
  const spans = Array.from({ length: spansPerTask }, (_, i) => ({
    traceId: String(task + 1).padStart(32, '0'),
    spanId: String(task * spansPerTask + i + 1).padStart(16, '0'),
    name: 'chat',
    startTimeUnixNano: `17487792${String(task).padStart(2, '0')}00000000${i}`,
    endTimeUnixNano: `17487792${String(task).padStart(2, '0')}00000100${i}`,
    attributes,
  }));
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
}

async function send(url: string, task: number): Promise<boolean> {
  const headers = { 'content-type': 'application/json' };
  const request = { method: 'POST', headers, body: body(task) };
  const response = await fetch(`${url}/v1/traces`, request).catch(() => undefined);
  return response?.status === 200;
}

async function numbers(url: string): Promise<{ ids: string[] }> {
  const response = await fetch(`${url}/numbers`);
  return (await response.json()) as { ids: string[] };
}

it('counts every span exactly once through two kill -9 and a resend of everything', async () => {
  const acked = new Set<number>();
  for (const killAt of [10, 25]) {
    const url = await startChild();
    const sending = Array.from({ length: tasks }, async (_, task) => {
      // One after the other, so that the kill falls between and during requests.
      await new Promise((resolve) => setTimeout(resolve, task * 15));
      if (await send(url, task)) acked.add(task);
      if (task === killAt) await kill();
    });
    await Promise.all(sending);
  }
  expect(acked.size).toBeGreaterThan(5);

  const url = await startChild();
  // What was acked is there before anybody sends it again.
  const replayed = await numbers(url);
  expect(replayed.ids).toEqual(expect.arrayContaining([...acked].map((task) => `task-${task}`)));

  const all = Array.from({ length: tasks }, (_, task) => send(url, task));
  expect(await Promise.all(all)).not.toContain(false);
  expect(await numbers(url)).toMatchObject({
    tasks: '40',
    spans: '200',
    calls: '200',
    tokens: '1400',
    stored: '200',
  });
});
