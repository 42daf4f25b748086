import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

interface WireAttribute {
  readonly key: string;
  readonly value: Record<string, unknown>;
}
interface WireItem {
  readonly name?: string;
  readonly eventName?: string;
  readonly traceId?: string;
  readonly attributes: WireAttribute[];
}
interface WireGroup {
  readonly resource: { readonly attributes: WireAttribute[] };
  readonly scopeSpans?: { readonly spans: WireItem[] }[];
  readonly scopeLogs?: { readonly logRecords: WireItem[] }[];
}
interface WireBody {
  readonly resourceSpans?: WireGroup[];
  readonly resourceLogs?: WireGroup[];
}

/** An OTLP/HTTP receiver that keeps what arrives, as flat objects. */
export interface FakeReceiver {
  readonly url: string;
  readonly spans: Record<string, unknown>[];
  readonly logs: Record<string, unknown>[];
  readonly resources: Record<string, unknown>[];
  readonly headers: IncomingMessage['headers'][];
  close(): Promise<void>;
}

export async function startFakeReceiver(): Promise<FakeReceiver> {
  const spans: Record<string, unknown>[] = [];
  const logs: Record<string, unknown>[] = [];
  const resources: Record<string, unknown>[] = [];
  const headers: IncomingMessage['headers'][] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks);
      const zipped = request.headers['content-encoding'] === 'gzip';
      const body = JSON.parse((zipped ? gunzipSync(raw) : raw).toString()) as WireBody;
      headers.push(request.headers);
      for (const group of [...(body.resourceSpans ?? []), ...(body.resourceLogs ?? [])]) {
        resources.push(flat(group.resource.attributes));
        spans.push(...(group.scopeSpans ?? []).flatMap((scope) => scope.spans.map(item)));
        logs.push(...(group.scopeLogs ?? []).flatMap((scope) => scope.logRecords.map(item)));
      }
      response.setHeader('content-type', 'application/json');
      response.end('{}');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    logs,
    resources,
    headers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function item({ name, eventName, traceId, attributes }: WireItem): Record<string, unknown> {
  return { name: name ?? eventName, traceId, ...flat(attributes) };
}

function flat(attributes: WireAttribute[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
