import type { Http2Server } from 'node:http2';
import type { Duplex } from 'node:stream';
import { type ServerType, serve } from '@hono/node-server';

type Fetch = Parameters<typeof serve>[0]['fetch'];
type Server = ServerType | Http2Server;

// Node closes idle connections after 5 s, which is when most exporters send again: those that had begun would be cut
// off. Longer than the slowest usual interval (metrics, 60 s) and than clients keep a connection (Go: 90 s).
const keepAliveTimeout = 120_000;

/** Serves HTTP; rejects when the port cannot be had. `onBroken` hears what could not be read as a request. */
export function listen(
  fetch: Fetch,
  hostname: string,
  port: number,
  onBroken: (error: Error) => void = () => undefined,
): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const serverOptions = { keepAliveTimeout };
    const server = serve({ fetch, hostname, port, serverOptions }, () => resolve(server));
    server.once('error', reject);
    server.on('clientError', (error: Error & { readonly code?: string }, socket: Duplex) => {
      onBroken(error);
      // Whoever listens for this event answers instead of Node: as Node would.
      const status = brokenStatus.get(error.code ?? '') ?? '400 Bad Request';
      if (socket.writable) socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
      else socket.destroy();
    });
  });
}

const brokenStatus: ReadonlyMap<string, string> = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', '413 Payload Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
]);

/** The same for a server that is there already. */
export function listenOn(server: Http2Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
}

/** Takes no more connections and resolves when the last request has its answer. */
export function stop(server: ServerType): Promise<void> {
  const closeIdle = () => {
    if ('closeIdleConnections' in server) server.closeIdleConnections();
  };
  return new Promise((resolve) => {
    // A connection that is busy now would be kept for later requests, which never come.
    const sweep = setInterval(closeIdle, 50);
    server.close(() => {
      clearInterval(sweep);
      resolve();
    });
    closeIdle();
  });
}

/** Where a listening server is reached. */
export function url(server: Server, host: string): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
