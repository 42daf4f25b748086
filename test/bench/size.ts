// `npm run bench:size [-- spans seconds]`: spans trickle into one task, 20 at a time, while small tasks come and go beside
// it. What the large one costs in all, how long the small ones wait, and whether its numbers are exact at the end
// (BEHAVIOUR §1.14). The last line is JSON.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { attributes, type Data, encodeProtobuf, traceRequest } from '../fuzz/otlp.ts';
import { type PlumblineProcess, startPlumbline } from '../fuzz/server.ts';
import { quantile } from './quantile.ts';

const spans = Number(process.argv[2] ?? 200_000);
const seconds = Number(process.argv[3] ?? 120);
const perRequest = 20;
const large = { task: 'large', trace: 'b'.repeat(32) };
const begun = BigInt(Date.now()) * 1_000_000n;

function modelCall(task: string, trace: string, n: number): Data {
  const start = begun + BigInt(n) * 100_000n;
  return {
    traceId: trace,
    spanId: (n + 1).toString(16).padStart(16, '0'),
    name: 'chat gpt-4o',
    kind: 3,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 90_000n),
    attributes: attributes({
      'agent.task.id': task,
      'agent.task.workflow': 'size',
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o-2024-08-06',
      'gen_ai.response.id': `${task}-${n}`,
      'gen_ai.usage.input_tokens': 1000,
      'gen_ai.usage.output_tokens': 100,
      'app.note': 'x'.repeat(400),
    }),
    status: { code: 1 },
  };
}

async function send(otlp: string, calls: readonly Data[]): Promise<number> {
  const body = encodeProtobuf(traceRequest, {
    resourceSpans: [{ scopeSpans: [{ scope: { name: 'size' }, spans: calls }] }],
  });
  const headers = { 'content-type': 'application/x-protobuf' };
  const start = performance.now();
  const response = await fetch(`${otlp}/v1/traces`, { method: 'POST', headers, body });
  await response.arrayBuffer();
  assert.equal(response.status, 200);
  return performance.now() - start;
}

async function taskOf(api: string, id: string): Promise<Data | undefined> {
  const response = await fetch(`${api}/api/v1/tasks/${id}`);
  const answer = (await response.json()) as Data;
  return response.ok ? answer : undefined;
}

/** Small tasks of three calls, one after the other; milliseconds from the ack of each to its whole row. */
function watchSmall({ otlp, api }: PlumblineProcess): { stop(): Promise<number[]> } {
  const waits: number[] = [];
  let stopped = false;
  const watch = async () => {
    for (let n = 1; !stopped; n += 1) {
      const id = `small-${n}`;
      const trace = n.toString(16).padStart(32, '0');
      await send(
        otlp,
        [0, 1, 2].map((i) => modelCall(id, trace, i)),
      );
      const acked = performance.now();
      while ((await taskOf(api, id))?.['llm_calls'] !== 3) await sleep(100);
      waits.push(performance.now() - acked);
      await sleep(200);
    }
  };
  const running = watch();
  return {
    async stop() {
      stopped = true;
      await running;
      return waits;
    },
  };
}

/** Sends spans `from` to `to` evenly over so many seconds; returns what the server used for it, and all acks. */
async function trickle(server: PlumblineProcess, from: number, to: number, time: number) {
  const acks: number[] = [];
  const cpu = await server.cpuSeconds();
  const start = performance.now();
  for (let n = from; n < to; n += perRequest) {
    const due = start + ((n - from) / (to - from)) * time * 1000;
    await sleep(Math.max(0, due - performance.now()));
    const count = Math.min(perRequest, to - n);
    const calls = Array.from({ length: count }, (_, i) =>
      modelCall(large.task, large.trace, n + i),
    );
    acks.push(await send(server.otlp, calls));
  }
  return { acks, cpuSeconds: (await server.cpuSeconds()) - cpu };
}

const data = mkdtempSync(join(tmpdir(), 'plumbline-size-'));
try {
  const server = await startPlumbline(data);
  const small = watchSmall(server);
  const quarters = [];
  for (let i = 0; i < 4; i += 1) {
    quarters.push(await trickle(server, (spans / 4) * i, (spans / 4) * (i + 1), seconds / 4));
    console.log(
      `${(spans / 4) * (i + 1)} spans: ${quarters[i]?.cpuSeconds} s of CPU in this quarter`,
    );
  }
  const waits = await small.stop();
  const sent = performance.now();
  assert(await server.drained(600_000), server.tail());
  const settled = performance.now() - sent;
  const task = await taskOf(server.api, large.task);
  const expected = {
    llm_calls: spans,
    input_tokens: spans * 1000,
    output_tokens: spans * 100,
    oversized: spans > 100_000,
  };
  const found = Object.fromEntries(Object.keys(expected).map((key) => [key, task?.[key]]));
  assert.deepEqual(found, expected);
  // 2.5 and 10 USD for a million tokens.
  const cost = (spans * (1000 * 2.5 + 100 * 10)) / 1e6;
  assert(Math.abs(Number(task?.['cost_usd']) / cost - 1) < 1e-9, `cost ${task?.['cost_usd']}`);
  const acks = quarters.flatMap((quarter) => quarter.acks);
  console.log(
    JSON.stringify({
      spans,
      seconds,
      cpu_s_by_quarter: quarters.map(({ cpuSeconds }) => Math.round(cpuSeconds * 10) / 10),
      small_tasks: waits.length,
      small_fresh_p50_ms: quantile(waits, 0.5),
      small_fresh_p99_ms: quantile(waits, 0.99),
      ack_p99_ms: quantile(acks, 0.99),
      exact_after_ms: Math.round(settled),
      cost_usd: task?.['cost_usd'],
      oversized: task?.['oversized'],
      rss_mb: server.peakRssMb,
      cores: availableParallelism(),
      node: process.version,
    }),
  );
  await server.stop();
} finally {
  rmSync(data, { recursive: true, force: true });
}
