// `npm run bench:ingest [-- seconds]`: how fast spans become durable, stored, derived and readable, against what the
// engine itself can take. Prints a JSON line for the chat profile and, last, one for the plain profile.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type PlumblineProcess, startPlumbline } from '../fuzz/server.ts';
import { engineLimit, exportRows } from './engine-limit.ts';
import type { Load, Order, Ready } from './load.ts';
import { quantile } from './quantile.ts';

const seconds = Number(process.argv[2] ?? 20);
const only = process.argv[3];
const lanes = 8;

interface Generator {
  readonly bytesPerSpan: number;
  run(order: Order): Promise<Load>;
  stop(): void;
}

async function startGenerator(profile: string): Promise<Generator> {
  const child = fork(fileURLToPath(new URL('./load.ts', import.meta.url)), [profile], {
    execArgv: ['--conditions=app-source', '--import', 'tsx'],
  });
  const { bytesPerSpan } = await answer<Ready>(child);
  return {
    bytesPerSpan,
    run(order) {
      child.send(order);
      return answer<Load>(child);
    },
    stop: () => child.kill(),
  };
}

async function answer<T>(child: ChildProcess): Promise<T> {
  const gone = once(child, 'exit').then(([code]) => {
    throw new Error(`the load generator ended with ${code}`);
  });
  const [message] = await Promise.race([once(child, 'message'), gone]);
  return message as T;
}

/** Readers of the API, each asking the next of a few heavy questions as soon as it has an answer. */
function startReaders(api: string, readers: number): { stop(): Promise<number> } {
  let stopped = false;
  let answers = 0;
  const questions = [
    '/api/v1/costs?group_by=workflow,model',
    '/api/v1/costs?group_by=agent,tool',
    '/api/v1/tasks?limit=100&sort=-cost_usd',
    '/api/v1/slos',
    '/api/v1/costs?group_by=user',
    '/api/v1/drift',
  ];
  const read = async (first: number) => {
    for (let i = first; !stopped; i += 1) {
      const response = await fetch(`${api}${questions[i % questions.length]}`);
      await response.arrayBuffer();
      if (response.ok) answers += 1;
      else await sleep(50);
    }
  };
  const all = Promise.all(Array.from({ length: readers }, (_, i) => read(i)));
  return {
    async stop() {
      stopped = true;
      await all;
      return answers;
    },
  };
}

/** Every lag that the server reports from now on, by looking more often than it changes. */
async function watchLag(server: PlumblineProcess): Promise<{ stop(): Promise<number[]> }> {
  const lags: number[] = [];
  let stopped = false;
  const batches = (metrics: ReadonlyMap<string, number>) =>
    metrics.get('plumbline_ingest_lag_seconds_count') ?? 0;
  let seen = batches(await server.metrics());
  const look = async () => {
    const metrics = await server.metrics();
    if (batches(metrics) === seen) return;
    seen = batches(metrics);
    lags.push((metrics.get('plumbline_ingest_lag_last_seconds') ?? 0) * 1000);
  };
  const watch = async () => {
    while (!stopped) {
      await look();
      await sleep(150);
    }
  };
  const running = watch();
  return {
    async stop() {
      stopped = true;
      await running;
      await look();
      return lags;
    },
  };
}

async function drain(server: PlumblineProcess): Promise<void> {
  if (!(await server.drained(600_000))) throw new Error(`not drained: ${server.tail()}`);
}

/**
 * As much as it takes, for a few seconds: most of it waits in the journal then, and is stored as fast as possible. What
 * counts is the time until all of it is stored and derived.
 */
async function atFullRate(server: PlumblineProcess, generator: Generator) {
  const { otlp, api } = server;
  const lag = await watchLag(server);
  const cpu = await server.cpuSeconds();
  const start = performance.now();
  const load = await generator.run({ otlp, api, seconds: seconds / 4, lanes });
  await drain(server);
  const took = (performance.now() - start) / 1000;
  const used = (await server.cpuSeconds()) - cpu;
  return {
    load,
    rate: load.spans / took,
    cpuMicros: (used / load.spans) * 1e6,
    cores: used / took,
    lags: await lag.stop(),
  };
}

async function measure(profile: string) {
  const files = mkdtempSync(join(tmpdir(), 'plumbline-bench-'));
  const data = join(files, 'data');
  const generator = await startGenerator(profile);
  try {
    const server = await startPlumbline(data);
    const { otlp, api } = server;
    const at = { otlp, api, seconds };
    // The first requests pay for compilation, here and there.
    await generator.run({ ...at, seconds: 3, lanes: 2 });
    await drain(server);

    const rush = await atFullRate(server, generator);
    const { rate } = rush;

    const lag = await watchLag(server);
    const half = await generator.run({ ...at, spansPerSecond: rate / 2, followUps: true });
    await drain(server);
    const lags = await lag.stop();

    const readers = startReaders(api, 6);
    const read = await generator.run({ ...at, spansPerSecond: rate / 2, followUps: false });
    const answers = await readers.stop();
    await drain(server);
    await server.stop();

    const stored = await exportRows(data, files);
    const limit = await engineLimit(files);
    return {
      profile,
      engine_limit_rows_s: Math.round(limit),
      plumbline_spans_s: Math.round(rate),
      ratio: Math.round((rate / limit) * 100) / 100,
      ack_p50_ms: quantile(half.ackMs, 0.5),
      ack_p99_ms: quantile(half.ackMs, 0.99),
      ack_p99_ms_under_reads: quantile(read.ackMs, 0.99),
      fresh_p99_ms: quantile(half.freshMs, 0.99),
      derive_lag_p99_ms: quantile(lags, 0.99),
      rss_mb: server.peakRssMb,
      bytes_per_span_on_disk: Math.round(stored.bytes / stored.spans),
      // Beyond what is asked: how the figures came about.
      bytes_per_span: generator.bytesPerSpan,
      spans_at_full_rate: rush.load.spans,
      acked_spans_s_at_full_rate: Math.round(rush.load.spans / rush.load.seconds),
      ack_p99_ms_at_full_rate: quantile(rush.load.ackMs, 0.99),
      derive_lag_p99_ms_at_full_rate: quantile(rush.lags, 0.99),
      cpu_us_per_span_at_full_rate: Math.round(rush.cpuMicros),
      cores_used_at_full_rate: Math.round(rush.cores * 100) / 100,
      refused_503: rush.load.refused + half.refused + read.refused,
      fresh_p50_ms: quantile(half.freshMs, 0.5),
      freshness_samples: half.freshMs.length,
      reads: answers,
      spans: stored.spans,
      seconds,
      cores: availableParallelism(),
      node: process.version,
    };
  } finally {
    generator.stop();
    rmSync(files, { recursive: true, force: true });
  }
}

for (const profile of only === undefined ? ['chat', 'plain'] : [only]) {
  console.log(JSON.stringify(await measure(profile)));
}
