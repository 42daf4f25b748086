import { context, diag, trace } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import { InMemoryLogRecordExporter, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { afterEach, expect, it } from 'vitest';
import { startFakeReceiver } from '../test/fake-receiver.ts';
import { type Handle, processors, register } from './node.ts';
import { withTask } from './task.ts';

let handle: Handle | undefined;
afterEach(async () => {
  await handle?.shutdown();
  for (const api of [trace, logs, context, diag]) api.disable();
});

const quiet = { otlp: false, flushOnExit: false };

it('sends spans and logs to the endpoint, and flush waits until they are there', async () => {
  const receiver = await startFakeReceiver();
  handle = register({
    endpoint: `${receiver.url}/`,
    headers: { authorization: 'Bearer k' },
    serviceName: 'shop',
    resourceAttributes: { 'service.version': '7' },
    flushOnExit: false,
  });
  withTask({ workflow: 'w', id: 'x' }, () => undefined);
  await handle.flush();
  expect(receiver.spans.map(({ name }) => name)).toEqual(['invoke_workflow w']);
  expect(receiver.logs.map((log) => log['agent.task.state'])).toEqual(['running', 'done']);
  expect(receiver.logs[0]?.['traceId']).toBe(receiver.spans[0]?.['traceId']);
  expect(receiver.resources[0]).toMatchObject({ 'service.name': 'shop', 'service.version': '7' });
  expect(receiver.headers[0]?.authorization).toBe('Bearer k');
  await receiver.close();
});

it('registers once, and again after a shutdown', async () => {
  handle = register(quiet);
  expect(register({ content: 'full' })).toBe(handle);
  const native = Object.getOwnPropertySymbols(fetch);
  await handle.shutdown();
  expect(Object.getOwnPropertySymbols(fetch)).not.toEqual(native);
  const again = register(quiet);
  expect(again).not.toBe(handle);
  handle = again;
});

it('joins a provider that is there: its spans carry the task, and states still go out', async () => {
  const warnings: string[] = [];
  const silent = (): void => undefined;
  diag.setLogger({
    error: silent,
    info: silent,
    debug: silent,
    verbose: silent,
    warn: (text) => warnings.push(text),
  });
  const spans = new InMemorySpanExporter();
  const theirs = new TracerProvider({
    spanProcessors: [new SimpleSpanProcessor({ exporter: spans })],
  });
  trace.setGlobalTracerProvider(theirs);
  const states = new InMemoryLogRecordExporter();
  handle = register({
    ...quiet,
    logRecordProcessors: [new SimpleLogRecordProcessor({ exporter: states })],
  });
  withTask({ workflow: 'w', id: 'j' }, () => undefined);
  expect(spans.getFinishedSpans()[0]?.attributes['agent.task.id']).toBe('j');
  expect(states.getFinishedLogRecords()).toHaveLength(2);
  expect(warnings.join()).toContain('takes no processors');
});

it('adds its processors where a provider takes them', () => {
  const added: SpanProcessor[] = [];
  const open = Object.assign(new TracerProvider(), {
    addSpanProcessor: (processor: SpanProcessor) => added.push(processor),
  });
  trace.setGlobalTracerProvider(open);
  handle = register(quiet);
  expect(added).toHaveLength(1);
});

it('gives its processors to an SDK that somebody else sets up', async () => {
  const receiver = await startFakeReceiver();
  const pipeline = processors({ endpoint: receiver.url });
  const provider = new TracerProvider({ spanProcessors: [...pipeline.spanProcessors] });
  provider.getTracer('t').startSpan('theirs').end();
  await pipeline.flush();
  expect(receiver.spans.map(({ name }) => name)).toEqual(['theirs']);
  await provider.shutdown();
  await receiver.close();
});
