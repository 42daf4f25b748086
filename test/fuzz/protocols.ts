import { Agent, request } from 'node:http';
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
  /** Ends the connection after so many bytes of the body, though all were announced. */
  readonly cutAt?: number;
}

/** A way in; a new one (gRPC) is one more entry of {@link protocols}. */
export interface Protocol {
  readonly name: string;
  readonly encoding: 'protobuf' | 'json';
  readonly encode: (signal: Signal, request: Data) => Buffer;
  readonly send: (otlp: string, signal: Signal, attack: Attack) => Promise<Answer>;
}

/** Longer than this without an answer is a hang. */
const timeoutMs = 60_000;

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function overHttp(contentType: string): Protocol['send'] {
  return (otlp, { path }, { body, headers, cutAt }) => {
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
];
