import type { Http2Server } from 'node:http2';
import { type ServerType, serve } from '@hono/node-server';

type Fetch = Parameters<typeof serve>[0]['fetch'];
type Server = ServerType | Http2Server;

// Node closes idle connections after 5 s, which is when most exporters send again: those that had begun would be cut
// off. Longer than the slowest usual interval (metrics, 60 s) and than clients keep a connection (Go: 90 s).
const keepAliveTimeout = 120_000;

/** Serves HTTP; rejects when the port cannot be had. */
export function listen(fetch: Fetch, hostname: string, port: number): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const serverOptions = { keepAliveTimeout };
    const server = serve({ fetch, hostname, port, serverOptions }, () => resolve(server));
    server.once('error', reject);
  });
}

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
