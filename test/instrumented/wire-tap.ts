import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

/** Stands between an instrumented process and its receiver, and keeps what passes. */
export interface WireTap {
  readonly url: string;
  /** Everything that was sent, as text. */
  text(): string;
  close(): Promise<void>;
}

/** Passes OTLP/HTTP on as it came; what the receiver answers, the sender gets. */
export async function startWireTap(receiver: string): Promise<WireTap> {
  const bodies: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    bodies.push((body[0] === 0x1f ? gunzipSync(body) : body).toString());
    const { 'content-type': type = '', 'content-encoding': encoding } = request.headers;
    const answer = await fetch(`${receiver}${request.url}`, {
      method: 'POST',
      body,
      headers: { 'content-type': type, ...(encoding && { 'content-encoding': encoding }) },
    });
    response.writeHead(answer.status, { 'content-type': 'application/json' });
    response.end(await answer.text());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    text: () => bodies.join('\n'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
