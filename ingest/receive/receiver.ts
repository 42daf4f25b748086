import { Hono } from 'hono';
import type { Budget } from '../budget.ts';
import { type Counters, count } from '../counters.ts';
import type { Encoding } from '../otlp/decode.ts';
import type { Accept, Arrival, Outcome, Refusal, Unauthorized } from '../outcome.ts';
import { compressionOf, discardBody, encodingOf, readBody } from './body.ts';
import { crossOrigin } from './cors.ts';
import { type Route, routeOf } from './paths.ts';
import { respond } from './respond.ts';

export interface ReceiverOptions {
  readonly accept: Accept;
  readonly project: (headers: Headers) => string | Unauthorized;
  /** Bytes of request bodies in memory at once. */
  readonly budget: Budget;
  /** Largest body as sent; `accept` bounds it again after decompression. */
  readonly maxBodyBytes: number;
  readonly counters: Counters;
  /** Origins whose pages may send: `https://app.example.com`, `https://*.example.com`, or `*`. */
  readonly corsOrigins: readonly string[];
  /** Gets what must never happen; the client gets no detail of it. */
  readonly report: (problem: unknown) => void;
}

/**
 * OTLP over HTTP: `POST /v1/traces`, `/v1/logs` and `/v1/metrics`, and well-known misdirected forms of these paths.
 */
export function createReceiver(options: ReceiverOptions): Hono {
  const { counters, report } = options;
  const app = new Hono();

  const finish = (outcome: Outcome, encoding: Encoding, signal: Route['signal']): Response => {
    count(counters.requests, outcome.kind === 'refused' ? outcome.refusal : outcome.kind);
    return respond(outcome, encoding, signal);
  };

  if (options.corsOrigins.length > 0) app.use(crossOrigin(options.corsOrigins));

  app.all('*', async (c) => {
    const request = c.req.raw;
    // What cannot be read as either encoding is answered in the one that people read.
    const encoding = encodingOf(request.headers.get('content-type'));
    const route = routeOf(c.req.path);
    const admitted = route === undefined ? wrongPath : admit(options, request, route, encoding);
    if ('kind' in admitted) await discardBody(request);
    const outcome = 'kind' in admitted ? admitted : await receive(options, request, admitted);
    return finish(outcome, encoding ?? 'json', route?.signal ?? 'traces');
  });

  app.onError((error, c) => {
    report(error);
    const encoding = encodingOf(c.req.raw.headers.get('content-type')) ?? 'json';
    // 500 would make the client drop the data, though nothing says that it is at fault.
    return finish(busy(5, 'internal error'), encoding, 'traces');
  });

  return app;
}

const wrongPath = refused(
  'path',
  'not an OTLP path: use /v1/traces, /v1/logs or /v1/metrics (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used as it is, so it has to end with the path)',
);

type Head = Omit<Arrival, 'body'>;

/** What the head of a request says of its body, or that it is refused for its head alone. */
function admit(
  options: ReceiverOptions,
  { method, headers }: Request,
  { signal, courtesy }: Route,
  encoding: Encoding | undefined,
): Head | Outcome {
  if (method !== 'POST') return refused('method', `${signal} are sent with POST`);
  const project = options.project(headers);
  if (typeof project !== 'string') {
    return refused(project.forbidden === true ? 'forbidden' : 'unauthorized', project.unauthorized);
  }
  if (courtesy !== null) count(options.counters.courtesy, courtesy);
  if (encoding === undefined) {
    return refused('content_type', 'Content-Type is application/x-protobuf or application/json');
  }
  const compression = compressionOf(headers.get('content-encoding'));
  if (compression === undefined) {
    return refused('content_encoding', 'Content-Encoding is gzip, deflate, zstd or none');
  }
  return { signal, encoding, compression, project };
}

async function receive(options: ReceiverOptions, request: Request, head: Head): Promise<Outcome> {
  const { budget, maxBodyBytes, accept } = options;
  const body = await readBody(request, maxBodyBytes, budget);
  switch (body.kind) {
    case 'too_large':
      return refused('too_large', `the body is larger than ${maxBodyBytes} bytes`);
    case 'no_memory':
      return busy(1, 'too many bytes of requests in memory');
    case 'aborted':
      return refused('malformed', 'the body ended early');
    case 'read':
      break;
  }
  // Before the call: the buffer may be gone after it.
  const { length } = body.bytes;
  try {
    options.counters.receivedBytes += length;
    return await accept({ ...head, body: body.bytes });
  } finally {
    budget.give(length);
  }
}

export function refused(refusal: Refusal, message: string): Outcome {
  return { kind: 'refused', refusal, message };
}

export function busy(retryAfterSeconds: number, message: string): Outcome {
  return { kind: 'busy', retryAfterSeconds, message };
}
