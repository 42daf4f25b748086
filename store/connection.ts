import { tmpdir } from 'node:os';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { openEmbedded } from './embedded.ts';
import { migrate } from './migrate.ts';
import { QUIET, SESSION } from './session.ts';
import { StoreUnusable } from './unusable.ts';
import { verifyTables } from './verify.ts';

export { StoreBusy, StoreUnusable } from './unusable.ts';

/** Embedded: a directory that belongs to the store alone. Server: a ClickHouse HTTP URL (user and password in it). */
export type StoreTarget =
  | { readonly path: string }
  | { readonly url: string; readonly database?: string };

/** Runs a question over a connection that has nothing else to do. */
export type Lend = <Answer>(ask: (client: ClickHouseClient) => Promise<Answer>) => Promise<Answer>;

/** An open, migrated and verified store. */
export interface Store {
  readonly client: ClickHouseClient;
  readonly embedded: boolean;
  /** Directory for short-lived Native files. */
  readonly tmp: string;
  /** Lends a connection for a question; without it questions go over `client` too. */
  readonly lend?: Lend;
  close(): Promise<void>;
}

/**
 * Opens the store, applies migrations and checks every table against the schema.
 *
 * @throws StoreBusy when another process uses the directory, StoreUnusable when the engine cannot serve,
 * MigrationError when the schema on disk is not ours, ClickHouseError otherwise.
 */
export async function openStore(target: StoreTarget): Promise<Store> {
  const store = 'path' in target ? await openEmbedded(target.path) : await openServer(target);
  try {
    await requireVersion(store.client);
    await migrate(store.client);
    await verifyTables(store.client);
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

async function openServer(target: {
  readonly url: string;
  readonly database?: string;
}): Promise<Store> {
  const { url, database } = target;
  if (database !== undefined) await createDatabase(url, database);
  const client = createClient({
    url,
    ...(database !== undefined && { database }),
    log: QUIET,
    clickhouse_settings: {
      ...SESSION,
      output_format_json_quote_64bit_integers: 1,
      output_format_json_quote_denormals: 0,
    },
    // Long id lists go into the body: a server takes at most 1 MB of URL.
    use_multipart_params_auto: true,
    max_open_connections: 16,
  });
  return { client, embedded: false, tmp: tmpdir(), close: () => client.close() };
}

async function createDatabase(url: string, database: string): Promise<void> {
  if (!/^\w+$/.test(database)) throw new StoreUnusable(`not a database name: ${database}`);
  const client = createClient({ url, log: QUIET });
  try {
    await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}` });
  } finally {
    await client.close();
  }
}

// Tested on 26.7; below this lies no release that ClickHouse still supports.
const MINIMUM = [25, 8] as const;

async function requireVersion(client: ClickHouseClient): Promise<void> {
  const result = await client.query({
    query: 'SELECT version() AS version',
    format: 'JSONEachRow',
  });
  const version = (await result.json<{ version: string }>())[0]?.version ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])) return;
  throw new StoreUnusable(`ClickHouse ${MINIMUM.join('.')} or newer is needed, this is ${version}`);
}
