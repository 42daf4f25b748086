import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Instance, newInstance } from '../faults/instance.ts';

// A refund over the limit: one process asks, another one decides, a third one pays. Each is a process of its own, as it
// would be with days between them.

let plumbline: Instance;
let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'plumbline-resume-'));
  plumbline = newInstance({ name: 'resume', data: join(directory, 'data') });
  await plumbline.start();
});
afterAll(async () => {
  await plumbline?.kill();
  rmSync(directory, { recursive: true, force: true });
});

/** Runs a script as its users do; gives what it printed. */
async function run(script: string, ...values: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [
      '--conditions=app-source',
      '--import=tsx',
      '--import=@plumbline/instrumentation/register',
      join(import.meta.dirname, script),
      ...values,
    ],
    { env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: plumbline.urls.otlp } },
  );
  expect(stderr).toBe('');
  return stdout;
}

async function ask<T>(path: string): Promise<T> {
  const response = await fetch(`${plumbline.urls.api}/api/v1${path}`);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

interface Task {
  readonly [field: string]: unknown;
  readonly trace_ids: string[];
  readonly human_wait_ms: number;
  readonly duration_ms: number;
}

it('is one task in two traces, and the time between counts as waiting for a person', async () => {
  const { token, approvalId } = JSON.parse(await run('asks.ts')) as Record<string, string>;
  const suspended = Date.now();
  await plumbline.drained(60);
  expect(await ask<Task>('/tasks/refund-7')).toMatchObject({
    state: 'waiting_for_approval',
    ended_at: null,
    approvals: 1,
  });

  await sleep(1_500);
  await run('decides.ts', String(approvalId));
  const resumed = Date.now();
  expect(await run('pays.ts', String(token))).toBe('refund-7 paid');
  await plumbline.drained(60);

  const { tasks } = await ask<{ tasks: Task[] }>('/tasks?from=now-1h');
  expect(tasks.map(({ task_id }) => task_id)).toEqual(['refund-7']);
  const task = await ask<Task>('/tasks/refund-7');
  expect(task).toMatchObject({
    state: 'done',
    outcome: 'success',
    workflow: 'refund',
    attempts: 1,
    user_id: 'mia',
    tool_calls: 2,
    approvals: 1,
    escalated: false,
  });
  expect(task.trace_ids).toHaveLength(2);
  // At least from one process's end to the next one's start; the processes themselves take time too.
  expect(task.human_wait_ms).toBeGreaterThanOrEqual(1_500);
  expect(task.human_wait_ms).toBeGreaterThanOrEqual(resumed - suspended);
  expect(task.human_wait_ms).toBeLessThan(task.duration_ms);

  const { spans } = await ask<{
    spans: { name: string; trace_id: string; span_id: string; links?: object[] }[];
  }>('/tasks/refund-7/spans');
  const [first, second] = spans.filter(({ name }) => name === 'invoke_workflow refund');
  expect(second?.trace_id).not.toBe(first?.trace_id);
  const { edges } = await ask<{ edges: { type: string }[] }>('/tasks/refund-7/decisions');
  expect(edges).toBeDefined();
});
