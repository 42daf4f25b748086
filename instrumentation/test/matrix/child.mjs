import { setTimeout as sleep } from 'node:timers/promises';
import { startFakeProviders } from './fake-providers.mjs';
import { sdks } from './sdks.mjs';

// Runs every shape of every SDK and writes what the application saw, and the spans, as one line of JSON per shape.
// Started twice by run.mjs: with the instrumentation and without. `INSTRUMENTED` says which.

// @openai/agents tells nothing of its tools under NODE_ENV=test, and tells OpenAI where there is a key.
delete process.env.NODE_ENV;
delete process.env.OPENAI_API_KEY;

const instrumented = process.env.INSTRUMENTED === '1';
const only = process.env.ONLY;
// Where the package was built to, if it is not installed.
const { BUILT: built } = process.env;
const own = '@plumbline/instrumentation';
const use = (name) =>
  import(
    built && name.startsWith(own)
      ? new URL(`${name.slice(own.length + 1) || 'index'}.js`, built).href
      : name
  );
const unhandled = [];
process.on('unhandledRejection', (error) => unhandled.push(String(error)));

// Waiting costs the suite time and shows nothing: the half minute after which an unread stream counts as left, the tenth of a
// second that an error may stay unread, and what SDKs sleep before they try again, are short here.
const { setInterval: interval, setTimeout: timeout } = globalThis;
globalThis.setInterval = (run, ms, ...rest) => interval(run, ms === 30_000 ? 20 : ms, ...rest);
globalThis.setTimeout = (run, ms, ...rest) =>
  timeout(run, ms >= 100 && ms <= 3_000 ? 10 : ms, ...rest);

const recorder = instrumented ? await record() : undefined;
const server = await startFakeProviders();

for (const [sdk, make] of Object.entries(sdks)) {
  if (only && !sdk.includes(only)) continue;
  const shapes = await make({ use, url: server.url }).catch((error) => ({
    load: () => Promise.reject(error),
  }));
  for (const [shape, run] of Object.entries(shapes)) {
    recorder?.clear();
    server.requests.length = 0;
    const seen = await outcome(() => run(sdk.replace(/\W/g, '-')));
    await sleep(2);
    // Some SDKs drop an abandoned stream without closing it: only its collection tells, or that nobody reads it.
    for (let round = 0; unfinished() && round < 50; round += 1) {
      if (shape === 'abandoned' && round < 3) globalThis.gc?.();
      await sleep(5);
    }
    const line = {
      sdk,
      shape,
      seen,
      requests: [...server.requests],
      spans: recorder?.spans(),
      states: recorder?.states(),
      failures: recorder?.failures(),
      unhandled: unhandled.splice(0),
    };
    write(line);
  }
  if (shapes.plain)
    write({ sdk, shape: 'budget stop', ...(recorder && (await stopped(shapes.plain))) });
}
server.close();
process.exit(0);

function write(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Two calls where the budget has one. */
async function stopped(call) {
  const { withTask } = await use('@plumbline/instrumentation');
  recorder.clear();
  server.requests.length = 0;
  const started = performance.now();
  const seen = await outcome(() =>
    withTask({ workflow: 'stop', budget: { llmCalls: 1 } }, async () => {
      await call();
      return call();
    }),
  );
  const ms = Math.round(performance.now() - started);
  const requests = [...server.requests];
  return { seen, requests, ms, spans: recorder.spans(), failures: recorder.failures() };
}

/** Whether a model call has not ended. */
function unfinished() {
  return (globalThis[Symbol.for('plumbline.instrumentation')]?.openCalls.size ?? 0) > 0;
}

async function outcome(run) {
  try {
    return { value: plain(await Promise.race([run(), tooLong()])) };
  } catch (error) {
    const { name, message, status, code } = error;
    return { threw: error?.constructor?.name, name, message, status, code };
  }
}

async function tooLong() {
  await sleep(8_000, undefined, { ref: false });
  throw new Error('the shape did not come to an end');
}

/** What differs from run to run by nature is left out: ids that SDKs make up, times, the port. */
function plain(value) {
  const json = JSON.stringify(value ?? null, (key, item) =>
    /^(_request_id|request_id|created|createdAt|timestamp|id|elapsed)$/.test(key)
      ? undefined
      : item,
  );
  return JSON.parse(json.replaceAll(server.url, 'http://fake'));
}

async function record() {
  const { register } = await use('@plumbline/instrumentation/node');
  const { InMemorySpanExporter, SimpleSpanProcessor } = await use('@opentelemetry/sdk-trace');
  const { InMemoryLogRecordExporter, SimpleLogRecordProcessor } =
    await use('@opentelemetry/sdk-logs');
  const exporter = new InMemorySpanExporter();
  const logs = new InMemoryLogRecordExporter();
  const handle = register({
    otlp: false,
    flushOnExit: false,
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    logRecordProcessors: [new SimpleLogRecordProcessor({ exporter: logs })],
  });
  const flat = ({ name, kind, status, attributes, events, instrumentationScope, startTime }) => ({
    name,
    start: startTime[0] + startTime[1] / 1e9,
    kind,
    status: status.code,
    attributes,
    events: events.map((event) => event.name),
    scope: instrumentationScope.name,
  });
  return {
    spans: () => exporter.getFinishedSpans().map(flat),
    states: () =>
      logs.getFinishedLogRecords().map(({ attributes }) => attributes['agent.task.state']),
    failures: () => handle.stats().failures,
    clear: () => {
      exporter.reset();
      logs.reset();
    },
  };
}
