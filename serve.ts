import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ServerType, serve } from '@hono/node-server';
import { BadSetting, type Config } from './config.ts';
import { createIngest, type Ingest } from './ingest/ingest.ts';
import { ingestMetrics } from './ingest/metrics.ts';
import { createQuery } from './query/app.ts';
import type { Check } from './query/operations/routes.ts';
import { parsePrices } from './query/prices/schema.ts';
import { builtinObjectives } from './query/slos/objectives.ts';
import { mergeObjectives, parseOpenSlo } from './query/slos/openslo.ts';
import { openStore, type Store } from './store/connection.ts';
import { createDeriver } from './store/derive/deriver.ts';
import { replaceFileOverrides } from './store/prices/override.ts';

export const version = '0.1.0';

/** A running Plumbline: all services in this process. */
export interface Plumbline {
  readonly urls: { readonly otlp: string; readonly api: string };
  /** Resolves when everything acked so far is stored and derived: from then on every number is exact. */
  drained(): Promise<void>;
  /** Stops taking data, drains, and closes the store. */
  close(): Promise<void>;
}

/** Composes and starts everything. Throws what a bad directory, port or store throws; nothing is left open then. */
export async function start(config: Config): Promise<Plumbline> {
  const undo: (() => Promise<void>)[] = [];
  const unwind = async () => {
    for (const close of undo.splice(0).reverse()) await close();
  };
  try {
    const own = await readSettings('PLUMBLINE_SLOS', config.slosFile, parseOpenSlo);
    const prices = await readSettings('PLUMBLINE_PRICES', config.pricesFile, parsePrices);
    await mkdir(config.data, { recursive: true });
    const store = await openStore(
      config.clickhouseUrl === undefined ? { path: config.data } : { url: config.clickhouseUrl },
    );
    undo.push(() => store.close());
    await replaceFileOverrides(store, config.project, prices ?? []);

    const { derive } = createDeriver(store);
    const ingest = await createIngest({
      store,
      derive,
      journal: { directory: join(config.data, 'journal'), maxBytes: config.journalBytes },
      project: () => config.project,
      report,
    });
    undo.push(() => ingest.close());

    const query = createQuery({
      store,
      objectives: own === undefined ? builtinObjectives : mergeObjectives(own),
      project: () => config.project,
      now: () => new Date(),
      version,
      checks: () => checks(store, ingest),
      metrics: () => ingestMetrics(ingest.stats()),
      report,
    });

    const otlp = await listen(ingest.app.fetch, config.host, config.otlpPort);
    undo.push(() => stop(otlp));
    const api = await listen(query.fetch, config.host, config.port);
    undo.push(() => stop(api));

    return {
      urls: { otlp: url(otlp, config.host), api: url(api, config.host) },
      drained: () => ingest.drained(),
      close: unwind,
    };
  } catch (error) {
    await unwind();
    throw error;
  }
}

/** What `parse` makes of a settings file, undefined without one. A file that cannot be used is a bad setting. */
async function readSettings<T>(name: string, file: string | undefined, parse: (text: string) => T) {
  if (file === undefined) return undefined;
  try {
    return parse(await readFile(file, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BadSetting(`Plumbline cannot start: ${name}=${JSON.stringify(file)}:\n${why}`, {
      cause: error,
    });
  }
}

function report(error: unknown): void {
  process.stderr.write(
    `${new Date().toISOString()} ${error instanceof Error ? error.message : String(error)}\n`,
  );
}

async function checks(store: Store, ingest: Ingest): Promise<Check[]> {
  const stats = ingest.stats();
  const answers = await store.client.ping().catch(() => ({ success: false }));
  return [
    { name: 'store', ok: answers.success, detail: answers.success ? 'answers' : 'does not answer' },
    {
      name: 'journal',
      ok: stats.journal.bytes < stats.journal.maxBytes,
      detail: `${stats.journal.bytes} of ${stats.journal.maxBytes} bytes`,
    },
    {
      name: 'writer',
      ok: stats.blockedBy === null,
      detail: stats.blockedBy ?? `${Math.round(stats.journal.ageMs)} ms behind`,
    },
  ];
}

type Fetch = Parameters<typeof serve>[0]['fetch'];

function listen(fetch: Fetch, hostname: string, port: number): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch, hostname, port }, () => resolve(server));
    server.once('error', reject);
  });
}

function stop(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    if ('closeIdleConnections' in server) server.closeIdleConnections();
  });
}

function url(server: ServerType, host: string): string {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
