import { mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import type { Lend, Store } from './connection.ts';
import { lockOwner, statusOwner } from './directory.ts';
import { QUIET, SESSION } from './session.ts';
import { StoreBusy, StoreUnusable } from './unusable.ts';

type CustomConnection = NonNullable<Parameters<typeof createClient>[0]>['connection'];

/** Opens the engine in this process, on a directory that becomes its own. */
export async function openEmbedded(path: string): Promise<Store> {
  const root = resolve(path);
  // file('…') expands these and knows no escape.
  if (/[*?{}[\]]/.test(root)) {
    throw new StoreUnusable(`the data directory must not contain * ? { } [ ]: ${root}`);
  }
  const engine = engineOf(root);
  const tmp = join(root, 'tmp');
  await makeDirectories(engine, tmp);
  const { drainPending } = await loadEngine();
  const owner = await lockOwner(engine);
  if (owner !== null) throw busy(root, owner);
  const client = await connect(root);
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

function engineOf(root: string): string {
  return join(root, 'clickhouse');
}

/**
 * The same store over `count` connections of its own, which share its questions; those of a server share them already.
 * The embedded engine answers one question of a connection after the other, and several connections side by side: who
 * must not wait for the questions of others needs one. Each question has so many `threads` of the engine, by default one
 * for each processor. Closing it leaves the store open.
 */
export async function openBeside(store: Store, count: number, threads?: number): Promise<Store> {
  if (!store.embedded) return { ...store, close: async () => {} };
  const root = dirname(store.tmp);
  const clients: ClickHouseClient[] = [];
  for (let i = 0; i < count; i += 1) clients.push(await connect(root, threads));
  const [client = store.client] = clients;
  const close = async () => {
    for (const one of clients) await one.close();
  };
  return { ...store, client, lend: lendAmong(clients), close };
}

/** First come, first served. */
function lendAmong(clients: readonly ClickHouseClient[]): Lend {
  const free = [...clients];
  const waiting: ((client: ClickHouseClient) => void)[] = [];
  return async (ask) => {
    const client =
      free.pop() ?? (await new Promise<ClickHouseClient>((resolve) => waiting.push(resolve)));
    try {
      return await ask(client);
    } finally {
      const next = waiting.shift();
      if (next === undefined) free.push(client);
      else next(client);
    }
  };
}

async function connect(root: string, threads?: number): Promise<ClickHouseClient> {
  const engine = engineOf(root);
  const { createChdbConnection } = await loadEngine();
  try {
    // Typed as its own package's interface: structurally the same, nominally not.
    const connection = createChdbConnection({
      path: engine,
    }) as unknown as NonNullable<CustomConnection>;
    const client = createClient({ connection, log: QUIET });
    // The embedded engine keeps SET for the whole session: here, once, that is what is wanted.
    const settings = { ...SESSION, ...(threads !== undefined && { max_threads: threads }) };
    for (const [name, value] of Object.entries(settings)) {
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
