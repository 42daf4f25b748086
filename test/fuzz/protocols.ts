import { Agent, request } from 'node:http';
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect } from 'node:net';
import { type Data, encodeProtobuf } from './otlp.ts';
import type { Signal } from './signals.ts';

/** What came back: an HTTP status, or why there is none. */
export type Answer =
  | { readonly kind: 'answer'; readonly status: number; readonly text: string }
  | { readonly kind: 'reset' | 'timeout'; readonly why: string };

/** A body on its way to the server, whatever is in it. */
export interface Attack {
  readonly name: string;
  readonly body: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whose sound items have to be stored though another of the request is bad. */
  readonly neighboursOf?: string;
  /** Ends the connection after so many bytes of the body, though all were announced. */
  readonly cutAt?: number;
}

/** Where a server listens. */
export interface Target {
  readonly otlp: string;
  readonly grpc: string;
}

/** A way in; a new one is one more entry of {@link protocols}. */
export interface Protocol {
  readonly name: string;
  readonly encoding: 'protobuf' | 'json';
  readonly encode: (signal: Signal, request: Data) => Buffer;
  readonly send: (to: Target, signal: Signal, attack: Attack) => Promise<Answer>;
}

/** Longer than this without an answer is a hang. */
const timeoutMs = 60_000;

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function overHttp(contentType: string): Protocol['send'] {
  return ({ otlp }, { path }, { body, headers, cutAt }) => {
    const all = { 'content-type': contentType, ...headers };
    return cutAt === undefined
      ? post(`${otlp}${path}`, all, body)
      : cutOff(`${otlp}${path}`, all, body, cutAt);
  };
}

const ignore = () => undefined;

function post(url: string, headers: Record<string, string>, body: Buffer): Promise<Answer> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const fail = (error: Error & { code?: string }) =>
      resolve(
        signal.aborted
          ? { kind: 'timeout', why: `no answer in ${timeoutMs} ms` }
          : { kind: 'reset', why: error.code ?? error.message },
      );
    const sent = request(url, { method: 'POST', agent, headers, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () =>
        resolve({
          kind: 'answer',
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('latin1'),
        }),
      );
    });
    sent.on('error', fail);
    // A server that refuses a body early closes the connection, which may show only after the answer.
    sent.on('socket', (socket) => {
      if (socket.listenerCount('error', ignore) === 0) socket.on('error', ignore);
    });
    sent.end(body);
  });
}

/** Announces the whole body, sends its beginning and hangs up. There is nobody left to answer. */
function cutOff(
  url: string,
  headers: Record<string, string>,
  body: Buffer,
  cutAt: number,
): Promise<Answer> {
  const { hostname, port, pathname } = new URL(url);
  const lines = Object.entries({ ...headers, 'content-length': String(body.length) });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(`POST ${pathname} HTTP/1.1\r\nhost: ${hostname}\r\n${head}\r\n`);
      socket.write(body.subarray(0, cutAt), () => socket.destroy());
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve({ kind: 'answer', status: 499, text: '' }));
  });
}

const sessions = new Map<string, ClientHttp2Session>();

function sessionTo(url: string): ClientHttp2Session {
  const known = sessions.get(url);
  if (known !== undefined && !known.closed && !known.destroyed) return known;
  // Node's own bound for what a session holds is 10 MB, which one of our bodies reaches: it would end streams by itself
  // then. Real gRPC clients lift it too.
  const session = connectHttp2(url, { maxSessionMemory: 4096 });
  // Each of its streams says so too.
  session.on('error', ignore);
  // The last one ends with its server.
  session.unref();
  sessions.set(url, session);
  return session;
}

/** One unary call. Its status comes back as the HTTP status that means the same. */
function overGrpc({ grpc }: Target, { method }: Signal, attack: Attack): Promise<Answer> {
  const { body, headers = {}, cutAt } = attack;
  const { 'content-encoding': encoding, ...others } = headers;
  const frame = Buffer.alloc(5);
  frame.writeUInt8(encoding === undefined ? 0 : 1, 0);
  frame.writeUInt32BE(body.length, 1);
  return new Promise((resolve) => {
    const stream = sessionTo(grpc).request({
      ':method': 'POST',
      ':path': method,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(encoding !== undefined && { 'grpc-encoding': encoding }),
      ...others,
    });
    let status: IncomingHttpHeaders = {};
    const timer = setTimeout(() => {
      resolve({ kind: 'timeout', why: `no answer in ${timeoutMs} ms` });
      stream.close();
    }, timeoutMs);
    stream.on('response', (head) => {
      status = { ...status, ...head };
    });
    stream.on('trailers', (trailers) => {
      status = { ...status, ...trailers };
    });
    let why = '';
    stream.on('error', (error) => {
      why = error.message;
    });
    stream.resume();
    stream.on('close', () => {
      clearTimeout(timer);
      if (cutAt !== undefined) return resolve({ kind: 'answer', status: 499, text: '' });
      resolve(
        grpcAnswer(status) ?? {
          kind: 'reset',
          why: `the stream ended without a status, with code ${stream.rstCode}: ${why}`,
        },
      );
    });
    stream.write(frame);
    if (cutAt === undefined) stream.end(body);
    else stream.write(body.subarray(0, cutAt), () => stream.close(constants.NGHTTP2_CANCEL));
  });
}

/** What each code means to a client, in HTTP's terms; any other is a failure of the server. */
const httpOfGrpc: Readonly<Record<string, number>> = {
  '0': 200,
  '3': 400,
  '8': 413,
  '12': 415,
  '14': 503,
};

/** Undefined when the stream ended before the server said anything. */
function grpcAnswer(head: IncomingHttpHeaders): Answer | undefined {
  const code = head['grpc-status'];
  const http = head[':status'];
  const text = decodeURIComponent(String(head['grpc-message'] ?? ''));
  if (code !== undefined) {
    return { kind: 'answer', status: httpOfGrpc[String(code)] ?? 500, text };
  }
  // Refused before gRPC began: HTTP's own status.
  if (http === undefined || Number(http) === 200) return undefined;
  return { kind: 'answer', status: Number(http), text };
}

export const protocols: readonly Protocol[] = [
  {
    name: 'http/protobuf',
    encoding: 'protobuf',
    encode: (signal, request) => encodeProtobuf(signal.message, request),
    send: overHttp('application/x-protobuf'),
  },
  {
    name: 'http/json',
    encoding: 'json',
    encode: (_signal, request) => Buffer.from(JSON.stringify(request)),
    send: overHttp('application/json'),
  },
  {
    name: 'grpc',
    encoding: 'protobuf',
    encode: (signal, request) => encodeProtobuf(signal.message, request),
    send: overGrpc,
  },
];
