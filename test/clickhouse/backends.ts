import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, type Store } from '../../store/connection.ts';
import { noServer, startServer } from './server.ts';

/** A store on one kind of engine, empty at first and gone after `close`. */
export interface Backend {
  readonly name: string;
  open(): Promise<Store>;
}

/**
 * The engines at hand, to run one suite on each: embedded always, and a server where it can be had.
 *
 * ```ts
 * for (const backend of backends) describe(backend.name, () => { … await backend.open() … });
 * ```
 */
export const backends: readonly Backend[] =
  noServer() === null
    ? [
        { name: 'embedded', open: openEmbedded },
        { name: 'server', open: openOnServer },
      ]
    : [{ name: `embedded (no server to test on: ${noServer()} here)`, open: openEmbedded }];

/**
 * For suites that take long: embedded, and every engine when `PLUMBLINE_TEST_BACKENDS=all`. What differs between the
 * engines (connections, inserts, views) is always tested on each.
 */
export const usualBackends: readonly Backend[] =
  process.env['PLUMBLINE_TEST_BACKENDS'] === 'all' ? backends : backends.slice(0, 1);

/** A fresh embedded store in a temporary directory. */
export async function openEmbedded(): Promise<Store> {
  const path = mkdtempSync(join(tmpdir(), 'plumbline-store-'));
  const store = await openStore({ path });
  return withCleanup(store, async () => rmSync(path, { recursive: true, force: true }));
}

async function openOnServer(): Promise<Store> {
  const server = await startServer();
  const store = await openStore({ url: server.url, database: 'plumbline_test' });
  return withCleanup(store, () => server.stop());
}

function withCleanup(store: Store, cleanup: () => Promise<void>): Store {
  const close = async () => {
    await store.close();
    await cleanup();
  };
  return { ...store, close };
}
