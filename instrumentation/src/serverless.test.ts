import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { type FakeReceiver, startFakeReceiver } from '../test/fake-receiver.ts';
import { readEnvironment } from './environment.ts';
import { serverless, withTask } from './index.ts';
import { type Handle, register } from './node.ts';

let handle: Handle | undefined;
let receiver: FakeReceiver | undefined;
afterEach(async () => {
  await handle?.shutdown();
  await receiver?.close();
  handle = undefined;
});

async function start(): Promise<FakeReceiver> {
  receiver = await startFakeReceiver();
  handle = register({ endpoint: receiver.url, flushOnExit: false });
  return receiver;
}

const work = (id: string, error?: Error) => async (event: number) =>
  withTask({ workflow: 'w', id }, async () => {
    if (error) throw error;
    return event * 2;
  });

it('sends what a call recorded before its answer, and answers the same', async () => {
  const { spans, logs } = await start();
  const handler = serverless(work('fn'));
  expect(await handler(21)).toBe(42);
  expect(spans.map((span) => span['agent.task.id'])).toEqual(['fn']);
  expect(logs.map((log) => log['agent.task.state'])).toEqual(['running', 'done']);
  const error = new Error('no');
  await expect(serverless(work('broken', error))(1)).rejects.toBe(error);
  expect(spans).toHaveLength(2);
});

it('sends after the answer where the platform waits for it', async () => {
  const { spans } = await start();
  const waited: Promise<void>[] = [];
  const handler = serverless(work('edge'), { waitUntil: (sent) => void waited.push(sent) });
  expect(await handler(1)).toBe(2);
  expect(spans).toEqual([]);
  await Promise.all(waited);
  expect(spans).toHaveLength(1);
});

it('holds an answer back for a bounded time, and works without a registration', async () => {
  // Nothing but the bound ends the wait.
  vi.stubEnv('OTEL_EXPORTER_OTLP_TIMEOUT', '3600000');
  expect(await serverless(work('early'))(1)).toBe(2);
  const held: ServerResponse[] = [];
  let holding = true;
  const hung = createServer((_, response) => {
    if (holding) held.push(response);
    else response.end('{}');
  });
  await new Promise<void>((resolve) => {
    hung.listen(0, '127.0.0.1', resolve);
  });
  handle = register({
    endpoint: `http://127.0.0.1:${(hung.address() as AddressInfo).port}`,
    flushOnExit: false,
  });
  expect(await serverless(work('hung'), { timeoutMs: 20 })(1)).toBe(2);
  vi.unstubAllEnvs();
  holding = false;
  for (const response of held) response.end('{}');
  await handle.shutdown();
  hung.close();
});

it('leaves an answer without a promise as it is', async () => {
  const { spans } = await start();
  const handler = serverless(function double(event: number) {
    return withTask({ workflow: 'w', id: 'sync' }, () => event * 2);
  });
  expect([handler.name, handler.length, handler(2)]).toEqual(['double', 1, 4]);
  await expect.poll(() => spans.length).toBe(1);
});

it('is how Lambda is recognised, unless the environment says otherwise', () => {
  const lambda = { AWS_LAMBDA_FUNCTION_NAME: 'f' };
  expect(readEnvironment({}).exportMode).toBeUndefined();
  expect(readEnvironment(lambda).exportMode).toBe('immediate');
  expect(readEnvironment({ ...lambda, PLUMBLINE_EXPORT_MODE: 'batch' }).exportMode).toBe('batch');
});

it('immediate mode sends a span as it ends, whatever the delay of batches', async () => {
  receiver = await startFakeReceiver();
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '3600000');
  handle = register({ endpoint: receiver.url, flushOnExit: false, exportMode: 'immediate' });
  vi.unstubAllEnvs();
  withTask({ workflow: 'w', id: 'now' }, () => undefined);
  await expect.poll(() => receiver?.spans.length, { interval: 5 }).toBe(1);
});
