import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import {
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import { describe, expect, it } from 'vitest';
import { createBudget } from '../budget.ts';
import { createCounters } from '../counters.ts';
import type { Accept, Arrival, Outcome, Unauthorized } from '../outcome.ts';
import { admit } from '../payload.ts';
import { createReceiver } from './receiver.ts';

const limit = 10_000;

/** A receiver that keeps what arrives and answers with `outcome`, or throws it. */
function setUp(
  outcome: Outcome | Error = { kind: 'accepted' },
  corsOrigins: readonly string[] = [],
  refusal: Unauthorized = { unauthorized: 'no project' },
  maxBodyBytes = limit,
) {
  const arrivals: Arrival[] = [];
  const problems: unknown[] = [];
  const counters = createCounters();
  const budget = createBudget(3 * maxBodyBytes);
  const accept: Accept = async (arrival) => {
    arrivals.push(arrival);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  const app = createReceiver({
    accept,
    budget,
    counters,
    maxBodyBytes,
    corsOrigins,
    project: (headers) => headers.get('x-project') ?? refusal,
    report: (problem) => problems.push(problem),
  });
  const post = (
    path: string,
    headers: Record<string, string> = {},
    body: string | Uint8Array<ArrayBuffer> = '{}',
  ) =>
    app.request(path, {
      method: 'POST',
      headers: { 'x-project': 'mine', 'content-type': 'application/json', ...headers },
      body,
    });
  return { app, arrivals, problems, counters, budget, post };
}

const protobuf = { 'content-type': 'application/x-protobuf' };

/** Reads a google.rpc.Status by hand: code as one byte, then the message. */
function rpcStatus(bytes: Uint8Array): { code: number; message: string } {
  expect([bytes[0], bytes[2]]).toEqual([0x08, 0x12]);
  const long = bytes[3]! >= 128 ? 5 : 4;
  return { code: bytes[1]!, message: Buffer.from(bytes.subarray(long)).toString() };
}

describe('the OTLP receiver', () => {
  it('answers success in the request’s encoding', async () => {
    const { post } = setUp();
    const json = await post('/v1/traces');
    expect(json.status).toBe(200);
    expect(json.headers.get('content-type')).toBe('application/json');
    expect(await json.text()).toBe('{}');

    const proto = await post('/v1/logs', protobuf, '');
    expect(proto.status).toBe(200);
    expect(proto.headers.get('content-type')).toBe('application/x-protobuf');
    expect((await proto.arrayBuffer()).byteLength).toBe(0);
  });

  it.each(['APPLICATION/JSON', 'application/json; charset=utf-8', ' Application/Json ;a=b'])(
    'takes Content-Type %s',
    async (type) => {
      const { post, arrivals } = setUp();
      expect((await post('/v1/traces', { 'content-type': type })).status).toBe(200);
      expect(arrivals).toMatchObject([{ signal: 'traces', encoding: 'json', project: 'mine' }]);
    },
  );

  it.each([
    ['gzip', 'gzip', gzipSync],
    ['X-GZIP', 'gzip', gzipSync],
    ['deflate', 'deflate', deflateSync],
    ['deflate', 'deflate', deflateRawSync],
    ['zstd', 'zstd', () => Buffer.from('KLUv/QBYoQAAeyJyZXNvdXJjZVNwYW5zIjpbXX0=', 'base64')],
    ['identity', 'none', (body: Buffer) => body],
    ['identity, GZIP', 'gzip', gzipSync],
    ['gzip,', 'gzip', gzipSync],
  ] as const)('hands on a body with Content-Encoding %s as received', async (name, as, pack) => {
    const { post, arrivals } = setUp();
    const body = pack(Buffer.from('{"resourceSpans":[]}'));
    expect(
      (await post('/v1/traces', { 'content-encoding': name }, new Uint8Array(body))).status,
    ).toBe(200);
    expect(arrivals[0]!.compression).toBe(as);
    expect(Buffer.from(arrivals[0]!.body)).toEqual(body);
    expect(admit(arrivals[0]!, limit).items).toBe(0);
  });

  it('reports a partial success that the SDK understands', async () => {
    const outcome = { kind: 'partial', rejected: 300, message: 'spans[0]: ünusable' } as const;
    const { post } = setUp(outcome);
    const expected = { rejectedSpans: 300, errorMessage: 'spans[0]: ünusable' };
    const proto = await post('/v1/traces', protobuf, '');
    expect(proto.status).toBe(200);
    const bytes = new Uint8Array(await proto.arrayBuffer());
    expect(ProtobufTraceSerializer.deserializeResponse(bytes).partialSuccess).toEqual(expected);

    const json = await post('/v1/traces');
    const body = new Uint8Array(await json.arrayBuffer());
    expect(JsonTraceSerializer.deserializeResponse(body).partialSuccess).toEqual({
      ...expected,
      // int64 in proto JSON.
      rejectedSpans: '300',
    });

    const logs = await post('/v1/logs', protobuf, '');
    const logBytes = new Uint8Array(await logs.arrayBuffer());
    expect(ProtobufLogsSerializer.deserializeResponse(logBytes).partialSuccess).toEqual({
      rejectedLogRecords: 300,
      errorMessage: 'spans[0]: ünusable',
    });
  });

  it('answers busy with 503 and Retry-After', async () => {
    const { post } = setUp({ kind: 'busy', retryAfterSeconds: 5, message: 'full' });
    const response = await post('/v1/traces');
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await response.json()).toEqual({ code: 14, message: 'full' });
    const proto = await post('/v1/traces', protobuf, '');
    expect(rpcStatus(new Uint8Array(await proto.arrayBuffer()))).toEqual({
      code: 14,
      message: 'full',
    });
  });

  it('answers 503 without any detail when something breaks', async () => {
    const bug = new Error('secret detail');
    const { post, problems, budget } = setUp(bug);
    const response = await post('/v1/traces');
    expect(response.status).toBe(503);
    expect(await response.text()).toBe('{"code":14,"message":"internal error"}');
    expect(problems).toEqual([bug]);
    expect(budget.used).toBe(0);
  });
});

describe('a bad request', () => {
  it.each([
    ['an unknown path', '/v1/trace', 404, 5],
    ['the root', '/', 404, 5],
    ['another API', '/api/v1/tasks', 404, 5],
    ['a long path', `/v1/${'v1/'.repeat(100)}traces`, 404, 5],
  ])('for %s is refused', async (_, path, status, code) => {
    const { post, arrivals } = setUp();
    const response = await post(path);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
    expect(arrivals).toEqual([]);
  });

  it.each(['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('by %s gets 405', async (method) => {
    const { app } = setUp();
    const response = await app.request('/v1/traces', { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it.each(['text/plain', 'application/protobuf', 'multipart/form-data', 'json', ''])(
    'with Content-Type %j gets 415',
    async (type) => {
      const { post } = setUp();
      const response = await post('/v1/traces', { 'content-type': type });
      expect(response.status).toBe(415);
      expect(await response.json()).toMatchObject({ code: 3 });
    },
  );

  it.each(['br', 'gzip, gzip', 'snappy'])('with Content-Encoding %s gets 415', async (name) => {
    const { post } = setUp();
    expect((await post('/v1/traces', { 'content-encoding': name })).status).toBe(415);
  });

  it('with a key that may not send gets 403', async () => {
    const { app } = setUp({ kind: 'accepted' }, [], { unauthorized: 'no scope', forbidden: true });
    const headers = { 'content-type': 'application/json' };
    const response = await app.request('/v1/traces', { method: 'POST', headers, body: '{}' });
    expect(response.status).toBe(403);
    expect(await response.json()).toEqual({ code: 7, message: 'no scope' });
  });

  it('without a project gets 401, in protobuf when it came in protobuf', async () => {
    const { app, arrivals } = setUp();
    const response = await app.request('/v1/traces', {
      method: 'POST',
      headers: protobuf,
      body: '',
    });
    expect(response.status).toBe(401);
    expect(rpcStatus(new Uint8Array(await response.arrayBuffer()))).toEqual({
      code: 16,
      message: 'no project',
    });
    expect(arrivals).toEqual([]);
  });

  it('whose length is declared over the limit gets 413 before it is read', async () => {
    const { post, arrivals } = setUp();
    const response = await post('/v1/traces', { 'content-length': String(limit + 1) });
    expect(response.status).toBe(413);
    expect(arrivals).toEqual([]);
  });

  it.each([
    ['/v1/nothing', {}],
    ['/v1/traces', { 'content-type': 'text/plain' }],
    ['/v1/traces', { 'content-encoding': 'br' }],
    ['/v1/traces', { 'content-encoding': 'gzip, gzip' }],
    ['/v1/traces', { 'x-project': '' }],
    ['/v1/traces', { 'content-length': String(limit + 1) }],
  ])(
    'to %s with %j is read before it is refused: its connection goes on',
    async (path, headers) => {
      const { app } = setUp(undefined, [], { unauthorized: 'no project' });
      let pieces = 0;
      const body = new ReadableStream({
        pull: (controller) => {
          pieces += 1;
          if (pieces === 100) controller.close();
          else controller.enqueue(new Uint8Array(1000));
        },
      });
      const own = { 'x-project': 'mine', 'content-type': 'application/json', ...headers };
      if (own['x-project'] === '') delete (own as Record<string, string>)['x-project'];
      const request = { method: 'POST', headers: own, body, duplex: 'half' } as RequestInit;
      expect((await app.request(path, request)).status).toBeGreaterThanOrEqual(400);
      expect(pieces).toBe(100);
    },
  );

  it('that is refused and never ends is given up', async () => {
    const { app } = setUp();
    let cancelled = false;
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1_000_000)),
      cancel: () => {
        cancelled = true;
      },
    });
    const request = { method: 'POST', body, duplex: 'half' } as RequestInit;
    expect((await app.request('/v1/nothing', request)).status).toBe(404);
    expect(cancelled).toBe(true);
  });

  it('that streams past the limit gets 413, and the stream is let go', async () => {
    const { app, budget } = setUp();
    let cancelled = false;
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(100_000)),
      cancel: () => {
        cancelled = true;
      },
    });
    const response = await app.request('/v1/traces', {
      method: 'POST',
      headers: { 'x-project': 'mine', 'content-type': 'application/json' },
      body,
      duplex: 'half',
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(cancelled).toBe(true);
    expect(budget.used).toBe(0);
  });

  it('takes memory for what has come, not for what it announced', async () => {
    const { app, budget } = setUp(undefined, [], { unauthorized: 'no project' }, 64_000_000);
    let go: () => void = () => undefined;
    const waits = new Promise<void>((resolve) => {
      go = resolve;
    });
    const parts = [new Uint8Array(1000), new Uint8Array(999_000)];
    const body = new ReadableStream({
      async pull(controller) {
        if (parts.length === 1) await waits;
        const part = parts.shift();
        if (part === undefined) controller.close();
        else controller.enqueue(part);
      },
    });
    const headers = {
      'x-project': 'mine',
      'content-type': 'application/json',
      'content-length': '1000000',
    };
    const answer = app.request('/v1/traces', {
      method: 'POST',
      headers,
      body,
      duplex: 'half',
    } as RequestInit);
    await expect.poll(() => budget.used).toBe(1000);
    go();
    expect((await answer).status).toBe(200);
    expect(budget.used).toBe(0);
  });

  it('is refused with 503 while other bodies fill the memory, and gives its own back', async () => {
    const { post, budget } = setUp();
    budget.take(3 * limit - 1);
    expect((await post('/v1/traces', {}, 'x'.repeat(500))).status).toBe(503);
    budget.give(3 * limit - 1);
    expect((await post('/v1/traces', {}, 'x'.repeat(500))).status).toBe(200);
    expect(budget.used).toBe(0);
  });
});

describe('a well-known misdirected path', () => {
  it.each([
    ['/v1/traces/v1/traces', 'traces'],
    ['/v1/traces/v1/logs', 'logs'],
    ['/v1/v1/traces', 'traces'],
    ['/otlp/v1/traces', 'traces'],
    ['/otlp/v1/traces/v1/traces', 'traces'],
    ['/api/public/otel/v1/traces', 'traces'],
    ['//v1/traces', 'traces'],
    ['/v1/logs/', 'logs'],
    ['/v1/traces/v1/metrics', 'metrics'],
  ])('%s is served and counted', async (path, signal) => {
    const { post, arrivals, counters } = setUp();
    expect((await post(path)).status).toBe(200);
    expect(arrivals).toMatchObject([{ signal }]);
    expect([...counters.courtesy.values()]).toEqual([1]);
  });

  it('is told from the right one', async () => {
    const { post, counters } = setUp();
    await post('/v1/traces');
    expect(counters.courtesy.size).toBe(0);
  });
});

describe('a page of another origin', () => {
  const preflight = async (origin: string, origins: readonly string[]) => {
    const { app } = setUp({ kind: 'accepted' }, origins);
    const headers = {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-api-key',
    };
    const response = await app.request('/v1/traces', { method: 'OPTIONS', headers });
    return [response.status, response.headers.get('access-control-allow-origin')];
  };

  it.each([
    ['https://app.example.com', ['https://app.example.com'], true],
    ['https://a.b.example.com', ['https://*.example.com'], true],
    ['http://localhost:3000', ['*'], true],
    ['https://evil.com', ['https://app.example.com', 'https://*.example.com'], false],
    ['https://example.com.evil.com', ['https://*.example.com'], false],
    ['https://appXexample.com', ['https://app.example.com'], false],
    ['http://app.example.com', ['https://app.example.com'], false],
  ])('%s may send to %j: %s', async (origin, origins, allowed) => {
    expect(await preflight(origin, origins)).toEqual([204, allowed ? origin : null]);
  });

  it('may not send unless told so, and reads the answer where it may', async () => {
    expect(await preflight('https://app.example.com', [])).toEqual([405, null]);
    const { post } = setUp({ kind: 'accepted' }, ['https://app.example.com']);
    const response = await post('/v1/traces', { origin: 'https://app.example.com' });
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
  });
});
