import { setTimeout as sleep } from 'node:timers/promises';
import { startFakeProviders } from './fake-providers.mjs';
import { sdks } from './sdks.mjs';

// Runs every shape of every SDK and writes what the application saw, and the spans, as one line of JSON per shape.
// Started twice by run.mjs: with the instrumentation and without. `INSTRUMENTED` says which.

const instrumented = process.env.INSTRUMENTED === '1';
const only = process.env.ONLY;
const use = (name) => import(name);
const unhandled = [];
process.on('unhandledRejection', (error) => unhandled.push(String(error)));

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
    await sleep(15);
    // Some SDKs drop an abandoned stream without closing it: only its collection tells.
    for (let round = 0; shape.includes('abandoned') && round < 3; round += 1) {
      globalThis.gc?.();
      await sleep(5);
    }
    await sleep(shape === 'retry' ? 120 : 0);
    const line = {
      sdk,
      shape,
      seen,
      requests: server.requests.map(({ url, headers, body }) => [
        url,
        body,
        headers.traceparent,
        headers.baggage,
      ]),
      spans: recorder?.spans(),
      failures: recorder?.failures(),
      unhandled: unhandled.splice(0),
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}
server.close();
process.exit(0);

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
  const exporter = new InMemorySpanExporter();
  const handle = register({
    otlp: false,
    flushOnExit: false,
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const flat = ({ name, kind, status, attributes, instrumentationScope }) => ({
    name,
    kind,
    status: status.code,
    attributes,
    scope: instrumentationScope.name,
  });
  return {
    spans: () => exporter.getFinishedSpans().map(flat),
    failures: () => handle.stats().failures,
    clear: () => exporter.reset(),
  };
}
