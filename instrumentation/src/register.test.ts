import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Built, buildEntries } from '../test/built.ts';
import { type FakeLlm, startFakeLlm } from '../test/fake-llm.ts';
import { type FakeReceiver, startFakeReceiver } from '../test/fake-receiver.ts';

// Four processes start at once, on machines that may have two slow cores.
vi.setConfig({ testTimeout: 30_000 });

let built: Built;
let llm: FakeLlm;
let receiver: FakeReceiver;
beforeAll(async () => {
  [built, llm, receiver] = await Promise.all([
    buildEntries('register', ['register', 'index']),
    startFakeLlm(),
    startFakeReceiver(),
  ]);
});
afterAll(async () => {
  built?.remove();
  await Promise.all([llm.close(), receiver.close()]);
});

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

/** Starts `node --import …/register` with a script. */
function start(script: string, env: Record<string, string> = {}): ChildProcess {
  return spawn(
    process.execPath,
    [
      `--import=${join(built.folder, 'register.js')}`,
      '--input-type=module',
      '--eval',
      script,
      'secret-argument',
    ],
    {
      cwd: import.meta.dirname,
      env: {
        ...process.env,
        LLM: llm.url,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20k1',
        OTEL_SERVICE_NAME: 'child',
        OTEL_RESOURCE_ATTRIBUTES: 'service.version=2.1,note=a%2Cb',
        ...env,
      },
    },
  );
}

async function end(child: ChildProcess): Promise<Ended> {
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    err += chunk;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, out, err };
}

const uninstrumented = (model: string): string => `
  const response = await fetch(process.env.LLM + '/v1/chat/completions', {
    method: 'POST', body: JSON.stringify({ model: '${model}', messages: [] }),
  });
  console.log((await response.json()).id);
`;

const spansOf = (model: string) => receiver.spans.filter(({ name }) => name === `chat ${model}`);

it.concurrent('sends what an application without a line of ours does, when it ends', async () => {
  expect(await end(start(uninstrumented('zero-code')))).toEqual({
    code: 0,
    signal: null,
    out: 'chatcmpl-1\n',
    err: '',
  });
  expect(spansOf('zero-code')).toMatchObject([{ 'gen_ai.response.id': 'chatcmpl-1' }]);
  expect(receiver.resources[0]).toMatchObject({
    'service.name': 'child',
    'service.version': '2.1',
    note: 'a,b',
  });
  expect(JSON.stringify(receiver.resources)).not.toContain('secret-argument');
  expect(receiver.headers[0]).toMatchObject({
    authorization: 'Bearer k1',
    'content-encoding': 'gzip',
  });
});

it.concurrent('shows a running task at once, and ends as the signal wants, with nothing lost', async ({
  expect,
}) => {
  const child = start(`
    import { withTask } from ${JSON.stringify(join(built.folder, 'index.js'))};
    withTask({ workflow: 'endless', id: 'e1' }, async () => {
      await (await fetch(process.env.LLM + '/v1/chat/completions', {
        method: 'POST', body: JSON.stringify({ model: 'before-signal', messages: [] }),
      })).text();
      console.log('ready');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });
  `);
  const ended = end(child);
  await once(child.stdout!, 'data');
  await expect
    .poll(() => receiver.logs.find((log) => log['agent.task.id'] === 'e1'), { timeout: 20_000 })
    .toMatchObject({ name: 'agent.task.state', 'agent.task.state': 'running' });
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: null, signal: 'SIGTERM', err: '' });
  expect(spansOf('before-signal')).toHaveLength(1);
});

it.concurrent('without a receiver the application works, prints nothing and ends soon', async () => {
  const gone = await startFakeReceiver();
  await gone.close();
  const script = `${uninstrumented('unheard')}
    const done = performance.now();
    process.on('exit', () => console.log(performance.now() - done < 5_000));
  `;
  const result = await end(start(script, { OTEL_EXPORTER_OTLP_ENDPOINT: gone.url }));
  expect(result).toEqual({ code: 0, signal: null, out: 'chatcmpl-1\ntrue\n', err: '' });
});

it.concurrent('does nothing when the SDK is disabled', async () => {
  const script = `${uninstrumented('disabled')}
    console.log(fetch.name, Object.getOwnPropertySymbols(fetch).length);
  `;
  const result = await end(start(script, { OTEL_SDK_DISABLED: 'true' }));
  expect(result).toMatchObject({ code: 0, out: 'chatcmpl-1\nfetch 0\n', err: '' });
  expect(spansOf('disabled')).toEqual([]);
});
