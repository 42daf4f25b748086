import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createBudget } from '../budget.ts';
import { createCounters } from '../counters.ts';
import type { Accept, Arrival, Outcome } from '../outcome.ts';
import { createGrpc, type GrpcReceiver } from './grpc.ts';

const path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const limit = 10_000;
let receiver: GrpcReceiver;
let session: ClientHttp2Session;

afterEach(async () => {
  session.destroy();
  await receiver.close();
});

async function setUp(outcome: Outcome | Error = { kind: 'accepted' }, maxBodyBytes = limit) {
  const arrivals: Arrival[] = [];
  const problems: unknown[] = [];
  const budget = createBudget(2 * maxBodyBytes);
  const counters = createCounters();
  const accept: Accept = async (arrival) => {
    arrivals.push(arrival);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  receiver = createGrpc({
    accept,
    budget,
    counters,
    maxBodyBytes,
    corsOrigins: [],
    project: () => 'mine',
    report: (problem) => problems.push(problem),
  });
  receiver.server.listen(0, '127.0.0.1');
  await once(receiver.server, 'listening');
  const { port } = receiver.server.address() as AddressInfo;
  // Node's clients stop at 10 MB of session; gRPC clients lift that.
  session = connect(`http://127.0.0.1:${port}`, { maxSessionMemory: 1000 });
  session.on('error', () => undefined);
  const open = (headers: Record<string, string> = {}) =>
    session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
  return { arrivals, problems, budget, counters, open, port };
}

/** A length-prefixed message; `says` is the length that it claims. */
function message(body: Uint8Array, compressed = 0, says = body.length): Buffer {
  const prefix = Buffer.from([compressed, 0, 0, 0, 0]);
  prefix.writeUInt32BE(says, 1);
  return Buffer.concat([prefix, body]);
}

/** The status of a call, wherever it is: in the trailers, or in the headers when there is nothing else. */
async function statusOf(stream: ClientHttp2Stream): Promise<Record<string, unknown>> {
  const seen: Record<string, unknown> = {};
  stream.on('response', (headers) => Object.assign(seen, headers));
  stream.on('trailers', (headers) => Object.assign(seen, headers));
  stream.on('error', () => undefined);
  stream.resume();
  await once(stream, 'close');
  return seen;
}

describe('OTLP over gRPC', () => {
  it('hands on the message as received, in however small pieces it comes', async () => {
    const { open, arrivals, budget, counters } = await setUp();
    const stream = open({ 'grpc-encoding': 'gzip' });
    const status = statusOf(stream);
    for (const byte of message(Buffer.from('packed'), 1)) stream.write(Uint8Array.of(byte));
    stream.end();
    expect(await status).toMatchObject({ ':status': 200, 'grpc-status': '0' });
    expect(arrivals).toMatchObject([
      { signal: 'traces', encoding: 'protobuf', compression: 'gzip', project: 'mine' },
    ]);
    expect(Buffer.from(arrivals[0]!.body).toString()).toBe('packed');
    expect(budget.used).toBe(0);
    expect(counters.requests.get('accepted')).toBe(1);
  });

  it('tells a client when to come back: UNAVAILABLE with a RetryInfo', async () => {
    const { open } = await setUp({ kind: 'busy', retryAfterSeconds: 5, message: 'voll, 100 % ü' });
    const stream = open();
    stream.end(message(Buffer.alloc(0)));
    const status = await statusOf(stream);
    expect(status).toMatchObject({
      'grpc-status': '14',
      'grpc-message': 'voll, 100 %25 %C3%BC',
    });
    const details = Buffer.from(String(status['grpc-status-details-bin']), 'base64');
    const type = Buffer.from('type.googleapis.com/google.rpc.RetryInfo');
    // Status {1 code, 2 message, 3 Any {1 type_url, 2 RetryInfo {1 Duration {1 seconds: 5}}}}
    const retryInfo = Buffer.concat([
      Buffer.from([26, 4 + type.length + 4, 10, type.length]),
      type,
      Buffer.from([18, 4, 10, 2, 8, 5]),
    ]);
    expect([...details.subarray(0, 2)]).toEqual([8, 14]);
    expect([...details.subarray(-6)]).toEqual([18, 4, 10, 2, 8, 5]);
    expect(details.includes(retryInfo.subarray(2))).toBe(true);
  });

  it('lets megabytes be under way on one connection', async () => {
    const { open } = await setUp();
    const stream = open();
    const status = statusOf(stream);
    stream.end(message(Buffer.from('x')));
    await status;
    expect(session?.state.remoteWindowSize).toBeGreaterThan(8 * 1024 * 1024);
  });

  it('refuses a message over the limit by its length alone, and lets go of the sender', async () => {
    const { open, arrivals, budget } = await setUp();
    const stream = open();
    stream.write(message(Buffer.alloc(10), 0, limit + 1));
    const status = await statusOf(stream);
    expect(status['grpc-status']).toBe('8');
    expect(status).not.toHaveProperty('grpc-status-details-bin');
    expect([arrivals, budget.used]).toEqual([[], 0]);
  });

  it('refuses while other bodies fill the memory', async () => {
    const { open, budget } = await setUp();
    budget.take(2 * limit);
    const stream = open();
    stream.write(message(Buffer.alloc(10), 0, 100));
    expect((await statusOf(stream))['grpc-status']).toBe('14');
    expect(budget.used).toBe(2 * limit);
  });

  it('gives back the memory of a client that leaves in the middle', async () => {
    const { open, budget, arrivals } = await setUp();
    const stream = open();
    stream.on('error', () => undefined);
    stream.write(message(Buffer.alloc(10), 0, 1000));
    await expect.poll(() => budget.used).toBe(10);
    stream.destroy();
    await expect.poll(() => budget.used).toBe(0);
    expect(arrivals).toEqual([]);
  });

  it('takes memory for what has come, not for what was announced', async () => {
    const { open, budget } = await setUp();
    const slow = [open(), open(), open()];
    for (const stream of slow) stream.write(message(Buffer.alloc(10), 0, limit));
    await expect.poll(() => budget.used).toBe(30);
    const quick = open();
    quick.end(message(Buffer.from('sound')));
    expect((await statusOf(quick))['grpc-status']).toBe('0');
    for (const stream of slow) stream.destroy();
    await expect.poll(() => budget.used).toBe(0);
  });

  it.each([
    ['an early end', message(Buffer.alloc(3), 0, 9), {}, '3'],
    ['no message', Buffer.alloc(0), {}, '3'],
    ['two messages', Buffer.concat([message(Buffer.alloc(3)), message(Buffer.alloc(3))]), {}, '3'],
    ['a flag that means nothing', message(Buffer.alloc(3), 7), {}, '3'],
    [
      'a compression that we lack',
      message(Buffer.alloc(3), 1),
      { 'grpc-encoding': 'snappy' },
      '12',
    ],
    ['a compression that is not named', message(Buffer.alloc(3), 1), {}, '12'],
    ['another method', message(Buffer.alloc(3)), { ':path': '/a.B/C' }, '12'],
  ])('refuses %s', async (_, body, headers, code) => {
    const { open, arrivals, budget } = await setUp();
    const stream = open(headers);
    stream.end(body);
    expect((await statusOf(stream))['grpc-status']).toBe(code);
    expect([arrivals, budget.used]).toEqual([[], 0]);
  });

  it('tells whatever is not gRPC that it is wrong here', async () => {
    const { open } = await setUp();
    const stream = open({ 'content-type': 'application/x-protobuf' });
    stream.end('x');
    expect((await statusOf(stream))[':status']).toBe(415);
  });

  it('says no more than UNAVAILABLE when something breaks', async () => {
    const bug = new Error('secret detail');
    const { open, problems } = await setUp(bug);
    const stream = open();
    stream.end(message(Buffer.alloc(0)));
    expect(await statusOf(stream)).toMatchObject({
      'grpc-status': '14',
      'grpc-message': 'internal error',
    });
    expect(problems).toEqual([bug]);
  });

  it('cuts off a session that floods it or talks nonsense, and no other', async () => {
    const { open, budget, port } = await setUp();
    const calls = [];
    const call = async () => {
      const stream = open();
      stream.end(message(Buffer.from('sound')));
      return (await statusOf(stream))['grpc-status'];
    };
    calls.push(call());

    const flood = connect(`http://127.0.0.1:${port}`);
    flood.on('error', () => undefined);
    for (let i = 0; i < 3000 && !flood.destroyed; i += 1) {
      const stream = flood.request({ ':method': 'POST', ':path': path });
      stream.on('error', () => undefined);
      stream.close(constants.NGHTTP2_CANCEL);
      if (i % 500 === 0) calls.push(call());
    }
    const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
    for (const nonsense of [
      'GET / HTTP/1.1\r\n\r\n',
      `${preface}${'\0'.repeat(900)}`,
      '\xff\xff',
    ]) {
      const socket = connectSocket(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.end(nonsense, 'latin1');
      calls.push(call());
    }
    await expect.poll(() => flood.destroyed, { timeout: 10_000 }).toBe(true);
    calls.push(call());
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['0']));
    await expect.poll(() => budget.used).toBe(0);
  });

  it('is not brought down by large messages of one session beside small ones', async () => {
    const { open, arrivals } = await setUp({ kind: 'accepted' }, 40_000_000);
    const codes = [15_000_000, 20, 15_000_000, 20, 15_000_000, 20].map(async (size) => {
      const stream = open();
      stream.end(message(Buffer.alloc(size)));
      return (await statusOf(stream))['grpc-status'];
    });
    expect(await Promise.all(codes)).toEqual(Array(6).fill('0'));
    expect(arrivals).toHaveLength(6);
  });
});
