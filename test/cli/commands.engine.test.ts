import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openStore } from '../../store/connection.ts';
import { type PlumblineProcess, startPlumbline } from '../fuzz/server.ts';

// The command as people run it: `main.ts` in processes of its own, against a Plumbline that serves and after it.

const root = fileURLToPath(new URL('../../', import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'plumbline-cli-'));
afterAll(() => rmSync(data, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function plumbline(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const child = spawn(
    process.execPath,
    ['--conditions=app-source', '--import', 'tsx', join(root, 'main.ts'), ...args],
    { cwd: root, env: { ...process.env, PLUMBLINE_DATA: data, CLICKHOUSE_URL: '', ...env } },
  );
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  await once(child, 'close');
  return { code: child.exitCode, out, err };
}

/** One block of text, and no trace of a stack. */
function isClear(text: string): boolean {
  return text.trim() !== '' && !/^\s+at /m.test(text) && text.length < 1000;
}

const start = Date.now() - 3_600_000;
const nanos = (ms: number) => `${start + ms}000000`;
const text = (key: string, value: string) => ({ key, value: { stringValue: value } });

const task = (n: number) => {
  const ids = { traceId: String(n).padStart(32, '0') };
  const attributes = [text('agent.task.id', `task ${n}`), text('agent.task.workflow', 'refund')];
  return [
    {
      ...ids,
      spanId: 'a'.repeat(16),
      name: 'invoke_workflow refund',
      startTimeUnixNano: nanos(0),
      endTimeUnixNano: nanos(900),
      attributes,
    },
    {
      ...ids,
      spanId: 'b'.repeat(16),
      parentSpanId: 'a'.repeat(16),
      name: 'chat',
      startTimeUnixNano: nanos(100),
      endTimeUnixNano: nanos(800),
      attributes: [
        ...attributes,
        text('gen_ai.operation.name', 'chat'),
        text('gen_ai.provider.name', 'openai'),
        text('gen_ai.request.model', 'gpt-4o'),
        { key: 'gen_ai.usage.input_tokens', value: { intValue: 1000 * n } },
        { key: 'gen_ai.usage.output_tokens', value: { intValue: 10 } },
      ],
    },
  ];
};

async function tasksOf({ api }: Pick<PlumblineProcess, 'api'>): Promise<string> {
  const answer = await fetch(`${api}/api/v1/tasks?from=now-1d&sort=-cost_usd`);
  expect(answer.status).toBe(200);
  return answer.text();
}

describe('while Plumbline runs', () => {
  let server: PlumblineProcess;
  let env: Record<string, string>;
  let before: string;
  beforeAll(async () => {
    server = await startPlumbline(data);
    env = { PLUMBLINE_PORT: new URL(server.api).port };
    const spans = [1, 2, 3].flatMap(task);
    const answer = await fetch(`${server.otlp}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('keep-alive')).toBe('timeout=120');
    expect(await server.drained(30_000)).toBe(true);
    // Findings come once the tasks have been quiet for 10 s; each look at them costs both processes.
    await vi.waitFor(async () => expect(await tasksOf(server)).not.toContain('"findings":null'), {
      timeout: 30_000,
      interval: 1_000,
    });
    before = await tasksOf(server);
    // 1,000 tokens in at 2.50 USD and 10 out at 10 USD per million.
    expect(JSON.parse(before)).toMatchObject({
      tasks: [{ input_tokens: 3000 }, { input_tokens: 2000 }, { cost_usd: 0.0026 }],
    });
  });
  afterAll(() => server.stop());

  it('rebuild has it derive its tasks again, with byte-equal answers', async () => {
    const { code, out, err } = await plumbline(['rebuild', '--from', 'now-3h'], env);
    expect(err).toMatch(/^((\rrebuild: \d of 3)+\n)?$/);
    expect(out).toMatch(/^rebuild: 3 traces, 3 tasks in \d+\.\d s\n$/);
    expect(code).toBe(0);
    await expect.poll(() => tasksOf(server), { timeout: 30_000 }).toBe(before);
  });

  it('remap has it read its spans again, and finds that they are as they should be', async () => {
    const { code, out } = await plumbline(['remap', '--from', 'now-3h', '--to', 'now'], env);
    expect(out).toMatch(/^remap: .*\b0 spans\b.* in \d+\.\d s\n$/);
    expect(code).toBe(0);
    await expect.poll(() => tasksOf(server), { timeout: 30_000 }).toBe(before);
  });

  it('journal shows what is on disk; replay asks to be alone', async () => {
    const { code, out } = await plumbline(['journal'], env);
    expect(out).toMatch(/^segment +0 +\d+ bytes +done/m);
    expect(out).toMatch(/^checkpoint +(\d+) of \1: 0 bytes to store$/m);
    expect(code).toBe(0);
    const replay = await plumbline(['journal', 'replay'], env);
    expect(replay.err).toBe(
      `plumbline journal replay: the journal ${join(data, 'journal')} is in use by process ${server.pid}\n`,
    );
    expect(replay.code).toBe(78);
  });

  it('it audits what it derives, and says so', async () => {
    const metrics = await server.metrics();
    expect(metrics.get('plumbline_audit_runs_total')).toBeGreaterThanOrEqual(0);
    expect(metrics.get('plumbline_audit_mismatches_total')).toBe(0);
  });

  it('a second one on the same directory does not start', async () => {
    const second = { PLUMBLINE_PORT: '0', PLUMBLINE_OTLP_PORT: '0', PLUMBLINE_GRPC_PORT: '0' };
    const { code, err } = await plumbline([], second);
    expect(err).toBe(
      `Plumbline cannot start: the data directory ${data} is in use by process ${server.pid}\n`,
    );
    expect(code).toBe(78);
  });

  it('why explains a task, and says so when it knows none of that name', async () => {
    const known = await plumbline(['why', 'task 2'], env);
    expect(known.out).toContain('task 2');
    expect(known.code).toBe(0);
    const unknown = await plumbline(['why', 'nobody'], env);
    expect(isClear(unknown.err)).toBe(true);
    expect(unknown).toMatchObject({ code: 1, out: '' });
  });
});

describe('after it has ended', () => {
  // Nobody listens there: discard's port.
  const env = { PLUMBLINE_PORT: '9' };

  it('rebuild works on the store itself', async () => {
    const store = await openStore({ path: data });
    await store.client.command({ query: 'TRUNCATE TABLE tasks' });
    await store.close();
    const { code, out, err } = await plumbline(['rebuild', '--from', 'now-3h'], env);
    // Of the tasks none had a row: their traces lead to them.
    expect(out, err).toMatch(/^rebuild: 3 traces, 0 tasks in \d+\.\d s\n$/);
    expect(code).toBe(0);
  });

  it('remap too, and journal replay stores again what the journal has', async () => {
    const remapped = await plumbline(['remap', '--from', 'now-3h'], env);
    expect(remapped.out, remapped.err).toMatch(/^remap: .*\b0 spans\b/);
    expect(remapped.code).toBe(0);
    const replayed = await plumbline(['journal', 'replay'], env);
    expect(replayed.out, replayed.err).toMatch(/^replayed \d+ bytes; in quarantine: 0 requests\n$/);
    expect(replayed.code).toBe(0);
    const store = await openStore({ path: data });
    const rows = await store.client.query({
      query: `SELECT (SELECT count() FROM spans FINAL) AS spans,
                (SELECT sum(input_tokens) FROM tasks FINAL WHERE deleted = 0) AS tokens`,
      format: 'JSONEachRow',
    });
    expect(await rows.json()).toEqual([{ spans: '6', tokens: '6000' }]);
    await store.close();
  });

  it('a mapping that has no more versions is said in one line', async () => {
    const store = await openStore({ path: data });
    await store.client.command({
      query: "INSERT INTO mappings (version, checksum) VALUES (2047, 'another')",
    });
    await store.close();
    const { code, err } = await plumbline(['rebuild', '--from', 'now-3h'], env);
    expect(err).toMatch(/^plumbline rebuild --from now-3h: the mapping changed 2047 times.*\n$/);
    expect(code).toBe(78);
  });
});

describe('what cannot be done', () => {
  it.each([
    [['rebuild', '--from', 'yesterday'], 64, /^--from "yesterday" is neither a time with offset/],
    [['key', 'new', '--project', 'Two Words', '--scopes', 'read'], 64, /^--project "Two Words": /],
    [['map', 'explain', 'nowhere.json'], 65, /nowhere\.json/],
    [['fly'], 64, /^plumbline +serve/],
  ])('%j ends with %i and says why', async (args, code, says) => {
    const ended = await plumbline(args, { PLUMBLINE_DATA: join(data, 'none') });
    expect(ended).toMatchObject({ code, out: '' });
    expect(ended.err).toMatch(says);
    expect(ended.err).not.toMatch(/^\s+at /m);
  });

  it('a journal that is not there is not replayed, and not made', async () => {
    const ended = await plumbline(['journal', 'replay'], { PLUMBLINE_DATA: join(data, 'none') });
    expect(ended).toMatchObject({ code: 78, out: '' });
    expect(ended.err).toContain('Is PLUMBLINE_DATA right?');
    expect(isClear(ended.err)).toBe(true);
  });
});
