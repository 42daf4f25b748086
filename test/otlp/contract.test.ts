import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import {
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorizeBy, newKey, parseKeys } from '../../serve/keys.ts';
import { query, sql } from '../../store/sql.ts';
import { grpcClient } from './grpc-client.ts';
import { startReceiver, type TestReceiver } from './receiver.ts';

// The contract of an OTLP 1.11 receiver, each row on every transport that it applies to. Bodies in protobuf are written
// here by hand, so that no decoder of ours has a part in them.

const ingestKey = newKey('mine', ['ingest']);
const readKey = newKey('mine', ['read']);
const keys = parseKeys(`# keys\n${ingestKey.line}\n${readKey.line} dashboards\n`);
const authorize = authorizeBy(() => keys);
const withKey = { authorization: `Bearer ${ingestKey.key}` };

let receiver: TestReceiver;
let grpc: ReturnType<typeof grpcClient>;
let grpcGzip: ReturnType<typeof grpcClient>;

beforeAll(async () => {
  receiver = await startReceiver({ project: (headers) => authorize(headers, 'ingest') });
  grpc = grpcClient(receiver.grpc);
  grpcGzip = grpcClient(receiver.grpc, 'gzip');
});
afterAll(async () => {
  grpc.close();
  grpcGzip.close();
  await receiver.close();
});

type Signal = 'traces' | 'logs' | 'metrics';
const signals: readonly Signal[] = ['traces', 'logs', 'metrics'];

const bytes = (...parts: readonly (number | string | Uint8Array | readonly number[])[]) =>
  Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'number') return Buffer.from([part]);
      return typeof part === 'string' ? Buffer.from(part) : Buffer.from(part);
    }),
  );
/** A field of wire type 2, shorter than 128 bytes. */
const field = (tag: number, body: Uint8Array) => bytes(tag, body.length, body);
const fixed64 = (value: bigint) => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(value);
  return buffer;
};

const time = 1_748_779_200_000_000_000n;
const idOf = (n: number, size: number) => Buffer.alloc(size, n);

/** One item of each signal; `bad` breaks what makes it an item. */
function item(signal: Signal, n: number, bad = false): Buffer {
  switch (signal) {
    case 'traces':
      return bytes(
        field(10, idOf(n, bad ? 15 : 16)),
        field(18, idOf(n, 8)),
        field(42, Buffer.from('span')),
        bytes(57, fixed64(time)),
        bytes(65, fixed64(time + 5n)),
      );
    case 'logs':
      return bytes(
        ...(bad ? [] : [bytes(9, fixed64(time + BigInt(n)))]),
        field(42, field(10, Buffer.from('text'))),
      );
    case 'metrics': {
      const point = bytes(bad ? [] : bytes(25, fixed64(time + BigInt(n))), bytes(49, fixed64(7n)));
      return bytes(field(10, Buffer.from('gauge')), field(42, field(10, point)));
    }
  }
}

/** ExportRequest { 1 resource_… { 2 scope_… { 2 items } } } */
const request = (...items: readonly Uint8Array[]) => {
  const list = Buffer.concat(items.map((one) => field(18, one)));
  return field(10, field(18, list));
};

/** A zstd frame of one raw block (RFC 8878 §3.1.1): single segment, one byte of content size. */
function zstdRaw(body: Buffer): Buffer {
  const block = (body.length << 3) | 1;
  const magic = [0x28, 0xb5, 0x2f, 0xfd];
  return bytes(magic, 0x20, body.length, [block & 255, (block >> 8) & 255, block >> 16], body);
}

/** 65 MiB of one byte, in blocks of 128 KiB that are four bytes each; the size is not stated. */
function zstdBomb(): Buffer {
  const blocks = Array.from({ length: 520 }, (_, i) => {
    const block = ((128 * 1024) << 3) | (1 << 1) | (i === 519 ? 1 : 0);
    return bytes([block & 255, (block >> 8) & 255, block >> 16], 0);
  });
  return bytes([0x28, 0xb5, 0x2f, 0xfd], 0, 0x38, ...blocks);
}

async function post(
  signal: string,
  body: Uint8Array | string,
  headers: Readonly<Record<string, string>> = {},
) {
  const response = await fetch(`${receiver.http}/v1/${signal}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', ...withKey, ...headers },
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: new Uint8Array(await response.arrayBuffer()),
  };
}

const deserialize = {
  traces: (body: Uint8Array) => ProtobufTraceSerializer.deserializeResponse(body),
  logs: (body: Uint8Array) => ProtobufLogsSerializer.deserializeResponse(body),
  metrics: (body: Uint8Array) => ProtobufMetricsSerializer.deserializeResponse(body),
} as const;
const rejected = {
  traces: 'rejectedSpans',
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
} as const;

describe.each(signals)('%s', (signal) => {
  it('full success is an empty response', async () => {
    const http = await post(signal, request(item(signal, 1)));
    expect([http.status, http.headers.get('content-type'), http.body.length]).toEqual([
      200,
      'application/x-protobuf',
      0,
    ]);
    const answer = await grpc.export(signal, request(item(signal, 2)), withKey);
    expect(answer).toMatchObject({ code: 0, body: Buffer.alloc(0) });
  });

  it('an empty request is a success', async () => {
    expect((await post(signal, bytes())).status).toBe(200);
    const json = { 'content-type': 'application/json' };
    expect((await post(signal, '{}', json)).status).toBe(200);
    expect((await grpc.export(signal, bytes(), withKey)).code).toBe(0);
  });

  it('a bad item among good ones is a partial success that names it', async () => {
    const body = request(item(signal, 3), item(signal, 4, true));
    const http = await post(signal, body);
    const answer = await grpc.export(signal, body, withKey);
    expect([http.status, answer.code]).toEqual([200, 0]);
    for (const reply of [http.body, answer.body]) {
      const partial = deserialize[signal](reply).partialSuccess as Record<string, unknown>;
      expect(partial[rejected[signal]]).toBe(1);
      expect(partial['errorMessage']).toMatch(/\[1\]/);
    }
  });

  it('a body that cannot be read is refused for good', async () => {
    const broken = request(item(signal, 5)).subarray(0, -3);
    const http = await post(signal, broken);
    expect(http.status).toBe(400);
    // google.rpc.Status: code 3.
    expect([http.body[0], http.body[1]]).toEqual([8, 3]);
    expect((await post(signal, '{', { 'content-type': 'application/json' })).status).toBe(400);
    const answer = await grpc.export(signal, broken, withKey);
    expect(answer).toMatchObject({ code: 3, details: undefined });
  });

  it.each([
    ['gzip', (body: Buffer) => gzipSync(body)],
    ['zstd', (body: Buffer) => zstdRaw(body)],
  ] as const)('%s is undone', async (name, pack) => {
    const packed = pack(request(item(signal, 6)));
    expect((await post(signal, packed, { 'content-encoding': name })).status).toBe(200);
    expect((await grpcGzip.export(signal, request(item(signal, 7)), withKey)).code).toBe(0);
  });
});

describe('a body over 64 MiB after decompression', () => {
  it('is refused for good, in any compression', async () => {
    const gzip = gzipSync(Buffer.alloc(65 * 1024 ** 2));
    expect((await post('traces', gzip, { 'content-encoding': 'gzip' })).status).toBe(413);
    expect((await post('traces', zstdBomb(), { 'content-encoding': 'zstd' })).status).toBe(413);
    const answer = await grpc.export('traces', Buffer.alloc(65 * 1024 ** 2), withKey);
    expect(answer).toMatchObject({ code: 8, details: undefined });
    const inflated = await grpcGzip.export('traces', Buffer.alloc(64 * 1024 ** 2 + 1), withKey);
    expect(inflated).toMatchObject({ code: 8, details: undefined });
  });

  it('is read to its end first: its sender gets the answer, and its connection goes on', async () => {
    const { hostname, port } = new URL(receiver.http);
    const socket = connect(Number(port), hostname);
    const head = `POST /v1/traces HTTP/1.1\r\nhost: here\r\ncontent-type: application/x-protobuf\r\nx-api-key: ${ingestKey.key}\r\n`;
    const size = 64 * 1024 ** 2 + 1;
    let answers = '';
    socket.on('data', (chunk) => {
      answers += chunk.toString('latin1');
    });
    socket.write(`${head}content-length: ${size}\r\n\r\n`);
    socket.write(Buffer.alloc(1000));
    // Longer than Node and Hono wait for the rest of a request that is answered already.
    await sleep(1200);
    socket.write(Buffer.alloc(size - 1000));
    socket.write(`${head}content-length: 0\r\n\r\n`);
    await expect.poll(() => answers.match(/HTTP\/1.1 \d+/g), { timeout: 10_000 }).toHaveLength(2);
    socket.destroy();
    expect(answers.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 413', 'HTTP/1.1 200']);
  });
});

describe('a key', () => {
  const body = request(item('traces', 9));
  const basic = (text: string) => Buffer.from(text).toString('base64');

  it.each([
    ['Bearer', { authorization: `Bearer ${ingestKey.key}` }],
    ['Basic, as password', { authorization: `Basic ${basic(`any:${ingestKey.key}`)}` }],
    ['Basic, as user', { authorization: `basic ${basic(`${ingestKey.key}:`)}` }],
    ['x-api-key', { 'x-api-key': ingestKey.key }],
    ['a percent-encoded header', { authorization: `Bearer%20${ingestKey.key}` }],
  ])('comes as %s', async (_, headers) => {
    expect((await post('traces', body, { authorization: '', ...headers })).status).toBe(200);
    expect((await grpc.export('traces', body, headers)).code).toBe(0);
  });

  it.each([
    ['missing', {}, 401, 16],
    ['not known', { authorization: 'Bearer pl_guess' }, 401, 16],
    ['its own hash', { 'x-api-key': ingestKey.line.slice(0, 64) }, 401, 16],
    ['for something else', { authorization: `Bearer ${readKey.key}` }, 403, 7],
  ] as const)('that is %s opens nothing', async (_, headers, status, code) => {
    const http = await post('traces', body, { authorization: '', ...headers });
    expect([http.status, http.body[1]]).toEqual([status, code]);
    expect((await grpc.export('traces', body, headers)).code).toBe(code);
  });

  it('decides the project', async () => {
    await receiver.ingest.drained();
    const projects = await query(receiver.store, sql`SELECT DISTINCT project FROM spans`);
    expect(projects).toEqual([{ project: 'mine' }]);
  });
});

describe('gRPC', () => {
  it('has no other methods', async () => {
    expect((await grpc.call('/grpc.health.v1.Health/Check', bytes(), withKey)).code).toBe(12);
  });
});
