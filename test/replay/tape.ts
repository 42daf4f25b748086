import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** One OTLP request as it went over the wire. */
export interface TapedRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A proxy in front of an OTLP receiver that keeps every request it passes on. */
export interface Tape {
  readonly url: string;
  readonly requests: readonly TapedRequest[];
  close(): Promise<void>;
}

const kept = ['content-type', 'content-encoding'] as const;

/** Starts a recording proxy in front of `target`, an OTLP/HTTP base URL. */
export async function startTape(target: string): Promise<Tape> {
  const requests: TapedRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers: Record<string, string> = {};
    for (const name of kept) {
      const value = request.headers[name];
      if (value !== undefined) headers[name] = value;
    }
    const taped = { path: request.url ?? '/', headers, body: Buffer.concat(chunks) };
    requests.push(taped);
    const answer = await send(target, taped);
    response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Sends one request and reads the whole answer. Rejects if nobody answers. */
export async function send(
  target: string,
  request: TapedRequest,
): Promise<{ status: number; type: string; body: Buffer }> {
  const response = await fetch(target + request.path, {
    method: 'POST',
    headers: request.headers,
    body: new Uint8Array(request.body),
  });
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? 'application/json',
    body: Buffer.from(await response.arrayBuffer()),
  };
}

interface Envelope {
  readonly resourceSpans?: readonly { scopeSpans?: readonly { spans?: readonly unknown[] }[] }[];
  readonly resourceLogs?: readonly { scopeLogs?: readonly { logRecords?: readonly unknown[] }[] }[];
}

/** The OTLP/JSON of a taped request. */
export function decodeTaped(request: TapedRequest): Envelope {
  const gzip = request.headers['content-encoding'] === 'gzip';
  const body = gzip ? gunzipSync(request.body) : request.body;
  return JSON.parse(body.toString('utf8')) as Envelope;
}

/**
 * The same spans and log records cut into other requests of `size` items, in reverse order: what a Collector's batch
 * processor makes of a retry.
 */
export function rebatch(requests: readonly TapedRequest[], size: number): TapedRequest[] {
  const spans: object[] = [];
  const logs: object[] = [];
  for (const request of requests) {
    const { resourceSpans = [], resourceLogs = [] } = decodeTaped(request);
    for (const resource of resourceSpans) {
      for (const scope of resource.scopeSpans ?? []) {
        for (const span of scope.spans ?? []) {
          spans.push({ ...resource, scopeSpans: [{ ...scope, spans: [span] }] });
        }
      }
    }
    for (const resource of resourceLogs) {
      for (const scope of resource.scopeLogs ?? []) {
        for (const record of scope.logRecords ?? []) {
          logs.push({ ...resource, scopeLogs: [{ ...scope, logRecords: [record] }] });
        }
      }
    }
  }
  return [
    ...cut(spans.reverse(), size, '/v1/traces', 'resourceSpans'),
    ...cut(logs.reverse(), size, '/v1/logs', 'resourceLogs'),
  ];
}

function cut(items: readonly object[], size: number, path: string, field: string): TapedRequest[] {
  const requests: TapedRequest[] = [];
  for (let at = 0; at < items.length; at += size) {
    const body = Buffer.from(JSON.stringify({ [field]: items.slice(at, at + size) }));
    requests.push({ path, headers: { 'content-type': 'application/json' }, body });
  }
  return requests;
}
