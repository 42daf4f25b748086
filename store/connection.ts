import { mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { lockOwner, statusOwner } from './directory.ts';
import { migrate } from './migrate.ts';
import { verifyTables } from './verify.ts';

/** Embedded: a directory that belongs to the store alone. Server: a ClickHouse HTTP URL (user and password in it). */
export type StoreTarget =
  | { readonly path: string }
  | { readonly url: string; readonly database?: string };

/** An open, migrated and verified store. */
export interface Store {
  readonly client: ClickHouseClient;
  readonly embedded: boolean;
  /** Directory for short-lived Native files. */
  readonly tmp: string;
  close(): Promise<void>;
}

/** Another process has the data directory open. Its message is one line for a user. */
export class StoreBusy extends Error {
  override readonly name = 'StoreBusy';
}

/** The store cannot be used as configured (engine missing or too old, unusable path). One line for a user. */
export class StoreUnusable extends Error {
  override readonly name = 'StoreUnusable';
}

type CustomConnection = NonNullable<Parameters<typeof createClient>[0]>['connection'];

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

async function openEmbedded(path: string): Promise<Store> {
  const root = resolve(path);
  // file('…') expands these and knows no escape.
  if (/[*?{}[\]]/.test(root)) {
    throw new StoreUnusable(`the data directory must not contain * ? { } [ ]: ${root}`);
  }
  const engine = join(root, 'clickhouse');
  const tmp = join(root, 'tmp');
  await makeDirectories(engine, tmp);
  const { createChdbConnection, drainPending } = await loadEngine();
  const owner = await lockOwner(engine);
  if (owner !== null) throw busy(root, owner);
  const client = await connect(() => createChdbConnection({ path: engine }), root, engine);
  // Left over from a killed process; only now is the directory known to be ours.
  for (const file of await readdir(tmp)) await rm(join(tmp, file), { force: true });
  const close = async () => {
    await client.close();
    await drainPending();
  };
  return { client, embedded: true, tmp, close };
}

async function makeDirectories(...paths: readonly string[]): Promise<void> {
  try {
    for (const path of paths) await mkdir(path, { recursive: true });
  } catch (cause) {
    throw new StoreUnusable(`cannot create the data directory: ${messageOf(cause)}`, { cause });
  }
}

async function connect(
  open: () => unknown,
  root: string,
  engine: string,
): Promise<ClickHouseClient> {
  try {
    // Typed as its own package's interface: structurally the same, nominally not.
    const connection = open() as NonNullable<CustomConnection>;
    const client = createClient({ connection, log: QUIET });
    // The embedded engine keeps SET for the whole session: here, once, that is what is wanted.
    for (const [name, value] of Object.entries(SESSION)) {
      await client.command({ query: `SET ${name} = '${value}'` });
    }
    return client;
  } catch (cause) {
    const owner = await statusOwner(engine);
    if (owner !== null) throw busy(root, owner, cause);
    throw new StoreUnusable(`cannot open the data directory ${root}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function busy(root: string, owner: number, cause?: unknown): StoreBusy {
  return new StoreBusy(`the data directory ${root} is in use by process ${owner}`, { cause });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function loadEngine() {
  try {
    const [{ createChdbConnection }, { drainPending }] = await Promise.all([
      import('chdb/connection'),
      import('chdb'),
    ]);
    return { createChdbConnection, drainPending };
  } catch (cause) {
    throw new StoreUnusable(
      'the embedded engine is not available (optional dependency chdb): run "npm install chdb", or set CLICKHOUSE_URL',
      { cause },
    );
  }
}

// Errors are thrown; the client's own log would print them a second time, with what users sent.
const QUIET = { level: ClickHouseLogLevel.OFF } as const;

// 64-bit integers as text (JavaScript numbers would round them), NaN and infinity as null, all times in UTC.
const SESSION = {
  output_format_json_quote_64bit_integers: '1',
  output_format_json_quote_denormals: '0',
  session_timezone: 'UTC',
} as const;

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
