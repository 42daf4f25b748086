import type { Http2Server } from 'node:http2';
import { type ServerType, serve } from '@hono/node-server';

type Fetch = Parameters<typeof serve>[0]['fetch'];
type Server = ServerType | Http2Server;

/** Serves HTTP; rejects when the port cannot be had. */
export function listen(fetch: Fetch, hostname: string, port: number): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname, port }, () => resolve(server));
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
  return new Promise((resolve) => {
    server.close(() => resolve());
    if ('closeIdleConnections' in server) server.closeIdleConnections();
  });
}

/** Where a listening server is reached. */
export function url(server: Server, host: string): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
