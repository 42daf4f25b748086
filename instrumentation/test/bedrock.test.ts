import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type FakeReceiver, startFakeReceiver } from './fake-receiver.ts';
import { type Packed, pack } from './packed.ts';

// Bedrock speaks HTTP/2, which `fetch` does not see: its calls come from the instrumentation that OpenTelemetry maintains, and
// get the task from us. The real client, over its own transport, against a server that answers as Bedrock does.

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const usage = { inputTokens: 5, outputTokens: 7, totalTokens: 12 };
const metrics = { latencyMs: 3 };
const answer = {
  output: { message: { role: 'assistant', content: [{ text: 'sunny' }] } },
  ...{ stopReason: 'end_turn', usage, metrics },
};
const events = {
  messageStart: { role: 'assistant' },
  contentBlockDelta: { contentBlockIndex: 0, delta: { text: 'sunny' } },
  messageStop: { stopReason: 'end_turn' },
  metadata: { usage, metrics },
};

/** A message of AWS's event stream: lengths, headers and payload, each part with its checksum. */
function frame(type: string, payload: object): Buffer {
  const header = (name: string, value: string): Buffer =>
    Buffer.concat([
      Buffer.from([name.length]),
      Buffer.from(name),
      Buffer.from([7, 0, value.length]),
      Buffer.from(value),
    ]);
  const headers = Buffer.concat([
    header(':message-type', 'event'),
    header(':event-type', type),
    header(':content-type', 'application/json'),
  ]);
  const body = Buffer.from(JSON.stringify(payload));
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(16 + headers.length + body.length, 0);
  lengths.writeUInt32BE(headers.length, 4);
  const checked = (bytes: Buffer): Buffer => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(bytes));
    return Buffer.concat([bytes, sum]);
  };
  return checked(Buffer.concat([checked(lengths), headers, body]));
}

const asked: IncomingHttpHeaders[] = [];
const bedrock = createServer((request, response) => {
  asked.push(request.headers);
  request.resume().on('end', () => {
    if (request.url.includes('unknown')) {
      response.writeHead(400, { 'x-amzn-errortype': 'ValidationException' });
      response.end('{"message":"no such model"}');
    } else if (request.url.endsWith('/converse-stream')) {
      response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' });
      for (const [type, payload] of Object.entries(events)) response.write(frame(type, payload));
      response.end();
    } else {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(answer));
    }
  });
});

const application = (registered: string): string => `
  ${registered}
  const { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } =
    require('@aws-sdk/client-bedrock-runtime');
  const client = new BedrockRuntimeClient({
    region: 'eu-west-1',
    endpoint: process.env.BEDROCK,
    credentials: { accessKeyId: 'a', secretAccessKey: 's' },
  });
  const request = (modelId) => ({
    modelId,
    messages: [{ role: 'user', content: [{ text: 'Weather?' }] }],
    inferenceConfig: { maxTokens: 9 },
  });
  const said = [];
  withTask({ workflow: 'weather', id: 'w-1' }, async () => {
    const { output } = await client.send(new ConverseCommand(request('claude')));
    said.push(output.message.content[0].text);
    const { stream } = await client.send(new ConverseStreamCommand(request('claude')));
    for await (const event of stream) said.push(Object.keys(event)[0]);
    await client.send(new ConverseCommand(request('unknown'))).catch(({ name, message }) => said.push(name, message));
    console.log(JSON.stringify(said));
    client.destroy();
  });
`;
const plain = 'const withTask = (_, run) => run();';
const registered = `
  const { withTask } = require('@plumbline/instrumentation');
  const { register } = require('@plumbline/instrumentation/node');
  const { AwsInstrumentation } = require('@opentelemetry/instrumentation-aws-sdk');
  register({ instrumentations: [new AwsInstrumentation()] });
`;

let packed: Packed;
let receiver: FakeReceiver;
beforeAll(async () => {
  packed = pack('@aws-sdk');
  receiver = await startFakeReceiver();
  await once(bedrock.listen(0, '127.0.0.1'), 'listening');
});
afterAll(async () => {
  bedrock.close();
  await receiver.close();
  packed.remove();
});

async function saidBy(name: string, setup: string): Promise<unknown> {
  writeFileSync(join(packed.app, name), application(setup));
  const { port } = bedrock.address() as AddressInfo;
  const { stdout } = await promisify(execFile)(process.execPath, [name], {
    cwd: packed.app,
    env: {
      ...process.env,
      BEDROCK: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    },
  });
  return JSON.parse(stdout);
}

it('calls of Bedrock belong to their task, and are what they are without us', async () => {
  const before = await saidBy('plain.cjs', plain);
  expect(before).toEqual(['sunny', ...Object.keys(events), 'ValidationException', 'no such model']);
  expect(await saidBy('registered.cjs', registered)).toEqual(before);

  const task = { 'agent.task.id': 'w-1', 'agent.task.workflow': 'weather' };
  const call = { ...task, 'gen_ai.system': 'aws.bedrock', 'gen_ai.operation.name': 'chat' };
  const answered = {
    ...call,
    name: 'chat claude',
    'gen_ai.request.model': 'claude',
    'gen_ai.request.max_tokens': 9,
    'gen_ai.usage.input_tokens': 5,
    'gen_ai.usage.output_tokens': 7,
  };
  expect(receiver.spans).toMatchObject([
    answered,
    answered,
    { ...call, name: 'chat unknown' },
    { ...task, name: 'invoke_workflow weather' },
  ]);
  expect(asked).toHaveLength(6);
  expect(asked.filter((headers) => headers['traceparent'] ?? headers['baggage'])).toEqual([]);
});
