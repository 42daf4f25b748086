import { BadSetting, type Config } from '../config.ts';
import { createOperations } from '../query/app.ts';
import type { Operations } from '../query/operations/routes.ts';
import type { Store } from '../store/connection.ts';
import { openKeys } from './api-keys.ts';
import { type Foundation, openFoundation } from './foundation.ts';
import { type IngestService, startIngest } from './ingest-service.ts';
import { listen, stop, url } from './listen.ts';
import { processMetrics } from './process-metrics.ts';
import { startQuery } from './query-service.ts';
import { report } from './report.ts';
import { type Undo, unwind } from './undo.ts';

export const version = '0.1.0';

/** From this lag on, new data goes before findings. */
const busyMs = 1_000;

/** What a process may be: ingest takes OTLP, query answers and judges. */
export type Service = 'ingest' | 'query';

/** A running Plumbline, or one service of it: `Otlp` is null where it takes no data. */
export interface Plumbline<Otlp extends string | null = string> {
  /** `api` has health and metrics alone where questions are answered elsewhere. */
  readonly urls: { readonly api: string; readonly otlp: Otlp; readonly grpc: string | null };
  /** Resolves when everything acked so far is stored and derived: from then on every number is exact. */
  drained(): Promise<void>;
  /** Resolves when the findings of everything stored so far are stored too, except of tasks that are still going on. */
  settled(): Promise<void>;
  /** Stops taking data, drains, and closes the store. */
  close(): Promise<void>;
}

/**
 * Composes and starts both services in this process, or one of them beside others on the same ClickHouse server. Throws
 * what a bad setting, directory, port or store throws; nothing is left open then.
 */
export function start(config: Config): Promise<Plumbline>;
export function start(config: Config, only?: Service): Promise<Plumbline<string | null>>;
export async function start(config: Config, only?: Service): Promise<Plumbline<string | null>> {
  if (only !== undefined && config.clickhouseUrl === undefined) {
    throw new BadSetting(
      `Plumbline cannot start: ${only} alone needs CLICKHOUSE_URL. The embedded database belongs to one process: start both services in it (plumbline, without a word).`,
    );
  }
  const undo: Undo = [];
  try {
    return await compose(config, only, undo);
  } catch (error) {
    await unwind(undo);
    throw error;
  }
}

async function compose(
  config: Config,
  only: Service | undefined,
  undo: Undo,
): Promise<Plumbline<string | null>> {
  const keys = await openKeys(config, undo);
  const foundation = await openFoundation(config, undo);
  const ingest = only === 'query' ? undefined : await startIngest(config, foundation, keys, undo);
  const operations = operationsOf(foundation, ingest);
  const isBusy = () => (ingest?.ingest.stats().journal.ageMs ?? 0) > busyMs;
  const query =
    only === 'ingest'
      ? undefined
      : await startQuery(config, foundation, keys, operations, isBusy, undo);
  const app = query?.app ?? createOperations(operations, keys?.authorize, report);
  const api = await listen(app.fetch, config.host, config.port);
  undo.push(() => stop(api));
  return {
    urls: {
      api: url(api, config.host),
      otlp: ingest?.urls.otlp ?? null,
      grpc: ingest?.urls.grpc ?? null,
    },
    drained: async () => ingest?.ingest.drained(),
    settled: async () => query?.settled(),
    close: () => unwind(undo),
  };
}

function operationsOf({ store }: Foundation, ingest: IngestService | undefined): Operations {
  return {
    version,
    checks: async () => [await storeCheck(store), ...(ingest?.checks() ?? [])],
    metrics: () => [...processMetrics(version), ...(ingest?.metrics() ?? [])],
  };
}

async function storeCheck(store: Store) {
  const { success: ok } = await store.client.ping().catch(() => ({ success: false }));
  return { name: 'store', ok, detail: ok ? 'answers' : 'does not answer' };
}
