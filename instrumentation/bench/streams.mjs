// 1,000 streams at once, a stream of 10 MB, and bodies of 4 MB both ways: heap, how long the event loop stood still, and the
// longest stretch that it was in code of the instrumentation, by a profile with a sample each 0.2 ms.
// node --expose-gc streams.mjs <plain|none|metadata|full>; one line of JSON.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Session } from 'node:inspector/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const [variant = 'plain'] = process.argv.slice(2);
let spans = 0;
if (variant !== 'plain') {
  const { register } = await import('@plumbline/instrumentation/node');
  const { SimpleSpanProcessor } = await import('@opentelemetry/sdk-trace');
  const exporter = {
    export: (batch, done) => {
      spans += batch.length;
      done({ code: 0 });
    },
    shutdown: () => Promise.resolve(),
  };
  const spanProcessors = [new SimpleSpanProcessor({ exporter })];
  register({ otlp: false, flushOnExit: false, content: variant, spanProcessors });
}
const { default: OpenAI } = await import('openai');
const server = fork(new URL('server.mjs', import.meta.url));
const [port] = await once(server, 'message');
const client = new OpenAI({ apiKey: 'k', baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 });
const messages = [{ role: 'user', content: 'Weather in Paris?' }];
const read = async (model) => {
  let chunks = 0;
  for await (const _ of await client.chat.completions.create({ model, messages, stream: true }))
    chunks += 1;
  return chunks;
};
const long = [{ role: 'user', content: 'word '.repeat(800_000) }];
const cases = {
  '1,000 streams': () => Promise.all(Array.from({ length: 1_000 }, () => read('many'))),
  '10 MB stream': () => read('big'),
  '4 MB answer': () => client.chat.completions.create({ model: 'body', messages }),
  '4 MB request': () =>
    client.chat.completions
      .create({ model: 'many', messages: long, stream: true })
      .then((stream) => stream.controller.abort()),
};

for (let warm = 0; warm < 20; warm += 1) await read('many');
const result = { variant };
for (const [name, run] of Object.entries(cases)) result[name] = await observed(run);
process.stdout.write(`${JSON.stringify({ ...result, spans })}\n`);
server.kill();
process.exit(0);

/** Twice, so that the second time has no first times in it: what stays in the heap after both is what leaks. */
async function observed(run) {
  await run();
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  let peak = before;
  const sampler = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().heapUsed);
  }, 5);
  const profiler = new Session();
  profiler.connect();
  await profiler.post('Profiler.enable');
  await profiler.post('Profiler.setSamplingInterval', { interval: 200 });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  await profiler.post('Profiler.start');
  delay.enable();
  const started = performance.now();
  const cpu = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(cpu);
  const ms = performance.now() - started;
  delay.disable();
  const { profile } = await profiler.post('Profiler.stop');
  profiler.disconnect();
  clearInterval(sampler);
  await new Promise((resolve) => setTimeout(resolve, 200));
  globalThis.gc();
  globalThis.gc();
  const mb = (bytes) => Math.round(bytes / 104_857.6) / 10;
  return {
    ms: Math.round(ms),
    cpu_ms: Math.round((user + system) / 1000),
    stall_p99_ms: round(delay.percentile(99)),
    stall_max_ms: round(delay.max),
    ...ours(profile),
    heap_peak_mb: mb(peak - before),
    heap_kept_mb: mb(process.memoryUsage().heapUsed - before),
  };
}

/** Time in our code, and its longest stretch. What we call in node counts as ours, what we pass on to fetch does not. */
function ours({ nodes, samples, timeDeltas }) {
  const parents = new Map();
  for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const owner = (id) => {
    for (let at = id; at !== undefined; at = parents.get(at)) {
      const { url } = byId.get(at).callFrame;
      if (url.includes('@plumbline/instrumentation')) return true;
      if (url.includes('deps/undici') || (url !== '' && !url.startsWith('node:'))) return false;
    }
    return false;
  };
  const own = new Map(nodes.map(({ id }) => [id, owner(id)]));
  let [total, stretch, longest] = [0, 0, 0];
  for (const [index, id] of samples.entries()) {
    const us = timeDeltas[index + 1] ?? 0;
    stretch = own.get(id) ? stretch + us : 0;
    total += own.get(id) ? us : 0;
    longest = Math.max(longest, stretch);
  }
  return { ours_ms: Math.round(total / 1000), ours_longest_ms: round(longest * 1000) };
}

function round(ns) {
  return Math.round(ns / 1e5) / 10;
}
