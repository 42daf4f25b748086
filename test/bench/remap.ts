// `node --conditions=app-source --import tsx test/bench/remap.ts [spans]`: how long a remap of stored spans takes, and
// whether it leaves each of them and each task once. Tasks of ten spans over a day, four of them chats with messages.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batch, noon, span } from '../../ingest/normalise/fixtures.ts';
import { createNormaliser } from '../../ingest/normalise/normaliser.ts';
import { parseOwnMapping } from '../../ingest/normalise/own-mapping.ts';
import type { OtlpSpan } from '../../ingest/otlp/model.ts';
import { type Remapped, remap } from '../../ingest/remap/remap.ts';
import { openStore } from '../../store/connection.ts';
import { createDeriver } from '../../store/derive/deriver.ts';
import { insert } from '../../store/insert.ts';
import { query, sql } from '../../store/sql.ts';
import { messages } from '../../store/tables/messages.ts';
import { spans } from '../../store/tables/spans.ts';
import { taskTraces } from '../../store/tables/task-traces.ts';
import { traceBounds } from '../../store/tables/trace-bounds.ts';

const total = Number(process.argv[2] ?? 1_000_000);
const perTask = 10;
const perBatch = 40_000;
const day = 86_400_000_000_000n;
const id = (n: number, digits: number) => n.toString(16).padStart(digits, '0');

function spanOf(n: number): OtlpSpan {
  const task = Math.floor(n / perTask);
  const step = n % perTask;
  const start =
    noon - day / 2n + (day * BigInt(task)) / BigInt(total / perTask) + BigInt(step) * 1_000_000n;
  const chat = step > 0 && step <= 4;
  const history = Array.from({ length: step }, (_, i) => ({
    role: i % 2 === 0 ? 'user' : 'assistant',
    parts: [
      { type: 'text', content: `message ${i} of task ${task}: ${'what was said '.repeat(10)}` },
    ],
  }));
  return span({
    traceId: id(task + 1, 32),
    spanId: id(n + 1, 16),
    parentSpanId: step === 0 ? '' : id(task * perTask + 1, 16),
    name: chat ? 'chat gpt-4o' : 'step',
    start,
    end: start + 900_000_000n,
    attributes: {
      'acme.job': `job-${task}`,
      'acme.customer': `c-${task % 500}`,
      'gen_ai.conversation.id': `s-${task % 1000}`,
      'code.function.name': `step_${step}`,
      ...(n % 100 === 0 ? { 'acme.agent': `agent-${task % 7}` } : {}),
      ...(chat
        ? {
            'gen_ai.operation.name': 'chat',
            'gen_ai.provider.name': 'openai',
            'gen_ai.request.model': 'gpt-4o',
            'gen_ai.response.model': 'gpt-4o-2024-08-06',
            'gen_ai.usage.input_tokens': 1000 + step,
            'gen_ai.usage.output_tokens': 100,
            'gen_ai.input.messages': JSON.stringify(history),
          }
        : {}),
    },
  });
}

async function timed(run: () => Promise<Remapped>) {
  const [start, cpu, loop] = [
    performance.now(),
    process.cpuUsage(),
    performance.eventLoopUtilization(),
  ];
  const done = await run();
  const remap_s = seconds(start);
  const { user, system } = process.cpuUsage(cpu);
  return {
    ...done,
    remap_s,
    spans_per_s: done.spans / remap_s,
    cpu_us_per_span: (user + system) / done.spans,
    event_loop: performance.eventLoopUtilization(loop).utilization,
  };
}

const path = mkdtempSync(join(tmpdir(), 'plumbline-remap-'));
const store = await openStore({ path });
const forever = 9_000_000_000_000_000_000n;
const show = (at: Remapped & { readonly total: number }) =>
  process.stderr.write(`\r${at.spans} of ${at.total} `);
const seconds = (since: number) => (performance.now() - since) / 1000;
try {
  const former = await createNormaliser();
  const own = parseOwnMapping('task_ids: [acme.job]\nfields: { user_id: [acme.customer] }');
  const normaliser = await createNormaliser({ ...own, version: former.mappingVersion + 1 });
  const { derive } = createDeriver(store, { size: 4096 });
  const filling = performance.now();
  for (let first = 0; first < total; first += perBatch) {
    const items = Array.from({ length: Math.min(perBatch, total - first) }, (_, i) =>
      spanOf(first + i),
    );
    const rows = former.normaliseSpans('p', [batch(items)]);
    await insert(store, taskTraces, rows.taskTraces);
    await insert(store, traceBounds, rows.bounds);
    await insert(store, messages, rows.messages);
    await insert(store, spans, rows.spans);
    await derive([{ project: 'p', traces: rows.bounds.map((row) => row.trace_id), tasks: [] }]);
  }
  process.stderr.write(`stored and derived ${total} spans in ${seconds(filling).toFixed(1)} s\n`);
  const forward = { store, signal: new AbortController().signal, onProgress: show };
  const all = await timed(() => remap({ ...forward, normaliser }, 'p', 0n, forever));
  // A mapping that reads a hundredth of the spans otherwise.
  const few = parseOwnMapping(`task_ids: [acme.job]
fields: { user_id: [acme.customer], agent_name: [acme.agent] }`);
  const narrow = await createNormaliser({ ...few, version: former.mappingVersion + 2 });
  const some = await timed(() => remap({ ...forward, normaliser: narrow }, 'p', 0n, forever));
  const [counts] = await query(
    store,
    sql`SELECT count() AS spans, uniqExact(trace_id, span_id) AS distinct_spans, countIf(user_id = '') AS unmapped,
      (SELECT count() FROM tasks FINAL) AS tasks, (SELECT countIf(task_id LIKE 'job-%') FROM tasks FINAL) AS jobs
    FROM spans FINAL`,
  );
  console.log(JSON.stringify({ all, some, ...(counts ?? {}) }));
} finally {
  await store.close();
  rmSync(path, { recursive: true });
}
