import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { closeServer } from './llm.ts';

/** One OTLP/HTTP request as it came, decompressed. */
export interface Recorded {
  readonly signal: 'traces' | 'logs' | 'metrics';
  readonly encoding: 'pb' | 'json';
  readonly body: Buffer;
}

/** A running recorder; `requests` grows while exporters send. */
export interface Recorder {
  readonly url: string;
  readonly requests: readonly Recorded[];
  close(): Promise<void>;
}

/** Starts an OTLP/HTTP receiver that accepts everything and keeps the bytes. */
export async function startRecorder(): Promise<Recorder> {
  const requests: Recorded[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const signal = /\/v1\/(traces|logs|metrics)$/.exec(request.url ?? '')?.[1];
    const encoding = (request.headers['content-type'] ?? '').includes('json') ? 'json' : 'pb';
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    if (signal !== undefined) {
      requests.push({ signal: signal as Recorded['signal'], encoding, body });
    }
    const type = encoding === 'json' ? 'application/json' : 'application/x-protobuf';
    response.writeHead(200, { 'content-type': type }).end(encoding === 'json' ? '{}' : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, close: () => closeServer(server) };
}
