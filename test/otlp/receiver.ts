import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { createIngest, type Ingest, type IngestOptions } from '../../ingest/ingest.ts';
import { listenOn, stop } from '../../serve/listen.ts';
import type { Store } from '../../store/connection.ts';
import { createDeriver } from '../../store/derive/deriver.ts';
import { openEmbedded } from '../clickhouse/backends.ts';

/** An ingest over a fresh embedded store, on free ports of HTTP and gRPC. */
export interface TestReceiver {
  readonly store: Store;
  readonly ingest: Ingest;
  readonly http: string;
  /** `host:port`. */
  readonly grpc: string;
  readonly problems: readonly unknown[];
  close(): Promise<void>;
}

export async function startReceiver(
  options: Partial<IngestOptions> = {},
  journalBytes = 1024 ** 3,
): Promise<TestReceiver> {
  const directory = mkdtempSync(join(tmpdir(), 'plumbline-otlp-'));
  const store = await openEmbedded();
  const problems: unknown[] = [];
  const ingest = await createIngest({
    store,
    derive: createDeriver(store).derive,
    journal: { directory, maxBytes: journalBytes },
    project: () => 'default',
    report: (problem) => problems.push(problem),
    ...options,
  });
  const server = serve({ fetch: ingest.app.fetch, hostname: '127.0.0.1', port: 0 });
  await new Promise<void>((resolve) => {
    server.once('listening', () => resolve());
  });
  await listenOn(ingest.grpc.server, '127.0.0.1', 0);
  const portOf = (address: unknown) => (address as AddressInfo).port;
  return {
    store,
    ingest,
    problems,
    http: `http://127.0.0.1:${portOf(server.address())}`,
    grpc: `127.0.0.1:${portOf(ingest.grpc.server.address())}`,
    async close() {
      await stop(server);
      await ingest.grpc.close();
      await ingest.close();
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
}
