import type { IncomingHttpHeaders } from 'node:http2';
import { constants, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { count } from '../counters.ts';
import type { Signal } from '../journal/record.ts';
import type { Outcome } from '../outcome.ts';
import { compressionOf } from './body.ts';
import { readMessage } from './grpc-message.ts';
import { answerOf, type GrpcAnswer, grpcCodes } from './grpc-status.ts';
import { busy, type ReceiverOptions, refused } from './receiver.ts';

const services: ReadonlyMap<string, Signal> = new Map([
  ['/opentelemetry.proto.collector.trace.v1.TraceService/Export', 'traces'],
  ['/opentelemetry.proto.collector.logs.v1.LogsService/Export', 'logs'],
  ['/opentelemetry.proto.collector.metrics.v1.MetricsService/Export', 'metrics'],
]);

/** A stream that says nothing for this long is given up, with the memory it was promised. */
const idleMs = 60_000;

/**
 * What may be under way on one connection, over all its streams. By default it is 64 KiB, whatever the streams are
 * allowed: 10 MB then need 160 round trips, each of which waits for both event loops.
 */
const connectionWindow = 16 * 1024 * 1024;

/** OTLP over gRPC. */
export interface GrpcReceiver {
  readonly server: Http2Server;
  /** Takes no new calls, lets those under way end, for at most five seconds. */
  close(): Promise<void>;
}

/**
 * The three Export calls of OTLP/gRPC on HTTP/2 itself: a unary call is one length-prefixed message there and a status
 * in the trailers. A gRPC library would hold whole messages of every stream in memory before we see them, and
 * decompress them on libuv's pool behind the engine's queries; here the sizes are known from the first five bytes, the
 * budget is asked before anything is kept, and the body goes into the journal as it came, compressed. `onBroken` hears
 * of connections that are no HTTP/2.
 */
export function createGrpc(
  options: ReceiverOptions,
  onBroken: (error: unknown) => void = () => undefined,
): GrpcReceiver {
  const server = createServer({
    settings: {
      initialWindowSize: 1024 * 1024,
      maxConcurrentStreams: 128,
      maxHeaderListSize: 16 * 1024,
    },
  });
  const sessions = new Set<{ close(): void; destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.setLocalWindowSize(connectionWindow);
    // A broken peer ends its own connection, nothing else.
    session.on('error', () => session.destroy());
    session.on('close', () => sessions.delete(session));
  });
  server.on('sessionError', (error) => onBroken(error));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    serveCall(options, stream, headers).catch((error: unknown) => {
      options.report(error);
      reply(stream, answerOf(busy(5, 'internal error'), 'traces'));
    });
  });
  return {
    server,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.close();
      const giveUp = setTimeout(() => {
        for (const session of sessions) session.destroy();
      }, 5000);
      await closed;
      clearTimeout(giveUp);
    },
  };
}

async function serveCall(
  options: ReceiverOptions,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): Promise<void> {
  if (!/^application\/grpc(?:\+proto)?(?:;|$)/i.test(headers['content-type'] ?? '')) {
    stream.respond({ ':status': 415 }, { endStream: true });
    stream.close(constants.NGHTTP2_NO_ERROR);
    return;
  }
  stream.setTimeout(idleMs, () => stream.close(constants.NGHTTP2_CANCEL));
  const signal = services.get(headers[':path'] ?? '');
  const outcome =
    signal === undefined
      ? refused('path', 'no such method: the three OTLP Export methods are served here')
      : await exportCall(options, stream, headers, signal);
  if (outcome === undefined) return;
  count(options.counters.requests, outcome.kind === 'refused' ? outcome.refusal : outcome.kind);
  reply(stream, answerOf(outcome, signal ?? 'traces'));
}

/** What became of a call; undefined when its client left in the middle. */
async function exportCall(
  options: ReceiverOptions,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  signal: Signal,
): Promise<Outcome | undefined> {
  const { accept, budget, counters, maxBodyBytes } = options;
  const project = options.project(headersOf(headers));
  if (typeof project !== 'string') {
    return refused(project.forbidden === true ? 'forbidden' : 'unauthorized', project.unauthorized);
  }
  const message = await readMessage(stream, maxBodyBytes, budget);
  switch (message.kind) {
    case 'too_large':
      return refused('too_large', `the message is larger than ${maxBodyBytes} bytes`);
    case 'no_memory':
      return busy(1, 'too many bytes of requests in memory');
    case 'broken':
      return refused('malformed', message.what);
    case 'aborted':
      return undefined;
    case 'read':
      break;
  }
  const { length } = message.bytes;
  try {
    const encoding = headers['grpc-encoding'];
    const compression = compressionOf(
      message.compressed && typeof encoding === 'string' ? encoding : null,
    );
    if (compression === undefined || (message.compressed && compression === 'none')) {
      return refused('content_encoding', 'grpc-encoding is gzip, deflate, zstd or identity');
    }
    counters.receivedBytes += length;
    const arrival = { signal, encoding: 'protobuf', compression, project } as const;
    return await accept({ ...arrival, body: message.bytes });
  } finally {
    budget.give(length);
  }
}

/** Metadata as headers; pseudo-headers are not metadata. */
function headersOf(metadata: IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(metadata)) {
    if (name.startsWith(':') || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) headers.append(name, one);
  }
  return headers;
}

const responseHeaders = {
  ':status': 200,
  'content-type': 'application/grpc+proto',
  'grpc-accept-encoding': 'identity,gzip,deflate,zstd',
} as const;

function reply(stream: ServerHttp2Stream, { message, trailers }: GrpcAnswer): void {
  if (stream.destroyed || stream.headersSent) return;
  if (trailers['grpc-status'] !== String(grpcCodes.ok)) {
    stream.respond({ ...responseHeaders, ...trailers }, { endStream: true });
    // Tells a client that still sends to stop: nobody reads it.
    stream.close(constants.NGHTTP2_NO_ERROR);
    return;
  }
  stream.respond(responseHeaders, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  stream.end(frame);
}
