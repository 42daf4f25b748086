import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BadSetting, type Config } from './config.ts';
import { createIngest, type Ingest } from './ingest/ingest.ts';
import { ingestMetrics } from './ingest/metrics.ts';
import { builtInMapping, checksumOf, type Mapping } from './ingest/normalise/mapping.ts';
import { createNormaliser } from './ingest/normalise/normaliser.ts';
import { parseOwnMapping } from './ingest/normalise/own-mapping.ts';
import { type Authorize, authorizeBy, parseKeys } from './keys.ts';
import { listen, listenOn, stop, url } from './listen.ts';
import { maintenance } from './maintenance.ts';
import { createQuery } from './query/app.ts';
import { watchBudgets } from './query/budgets/metrics.ts';
import { parseBudgets } from './query/budgets/settings.ts';
import { startFindingsPass } from './query/findings/pass.ts';
import { parseFindingsSettings } from './query/findings/settings.ts';
import { createJobs } from './query/maintenance/jobs.ts';
import type { Check } from './query/operations/routes.ts';
import { parsePrices } from './query/prices/schema.ts';
import { builtinObjectives } from './query/slos/objectives.ts';
import { mergeObjectives, parseOpenSlo } from './query/slos/openslo.ts';
import { parseWorkflows } from './query/workflows/settings.ts';
import { openStore, type Store } from './store/connection.ts';
import { createAudit } from './store/derive/audit.ts';
import { type AuditClock, auditMetrics, startAuditClock } from './store/derive/audit-clock.ts';
import { createDeriver } from './store/derive/deriver.ts';
import { mappingVersion } from './store/mappings.ts';
import { replaceFileOverrides } from './store/prices/override.ts';
import { replaceFileRates } from './store/prices/rates.ts';
import { replaceWorkflowSettings } from './store/workflows.ts';

export const version = '0.1.0';

/** From this lag on, new data goes before findings. */
const busyMs = 1_000;

/** A running Plumbline: all services in this process. */
export interface Plumbline {
  readonly urls: { readonly otlp: string; readonly api: string; readonly grpc: string | null };
  /** Resolves when everything acked so far is stored and derived: from then on every number is exact. */
  drained(): Promise<void>;
  /** Resolves when the findings of everything stored so far are stored too, except of tasks that are still going on. */
  settled(): Promise<void>;
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
    const findings =
      (await readSettings('PLUMBLINE_FINDINGS', config.findingsFile, parseFindingsSettings)) ??
      parseFindingsSettings('');
    const budgets =
      (await readSettings('PLUMBLINE_BUDGETS', config.budgetsFile, parseBudgets)) ?? [];
    const keys = await keysOf(config, undo);
    const { store, ingest, work } = await openIngest(config, keys?.authorize, undo);
    await replaceFileOverrides(store, prices?.prices ?? []);
    await replaceFileRates(store, prices?.rates ?? []);

    const projects = () => [...new Set([config.project, ...(keys?.projects() ?? [])])];
    const pass = startFindingsPass({
      store,
      projects,
      settings: findings,
      now: () => new Date(),
      isBusy: () => ingest.stats().journal.ageMs > busyMs,
      report,
    });
    undo.push(() => pass.close());

    const watch = watchBudgets({ store, projects, budgets, now: () => new Date(), report });
    undo.push(() => watch.close());
    const jobs = createJobs(work, () => new Date(), report);
    undo.push(() => jobs.close());
    const audit = config.audit ? startAudit(store, ingest) : null;
    undo.push(async () => audit?.close());

    const query = createQuery({
      store,
      jobs,
      budgets,
      objectives: own === undefined ? builtinObjectives : mergeObjectives(own),
      project: () => config.project,
      ...(keys !== undefined && { authorize: keys.authorize }),
      now: () => new Date(),
      version,
      checks: () => checks(store, ingest),
      metrics: () => [
        ...ingestMetrics(ingest.stats()),
        ...pass.metrics(),
        ...watch.metrics(),
        ...(audit === null ? [] : auditMetrics(audit.stats())),
      ],
      findings,
      report,
    });

    return {
      urls: await listenAll(config, ingest, query.fetch, undo),
      drained: () => ingest.drained(),
      settled: () => pass.settled(),
      close: unwind,
    };
  } catch (error) {
    await unwind();
    throw error;
  }
}

/**
 * The store and an ingest over it, which replays at once what its journal holds. What has to be closed is put on
 * `undo`, in the order of opening.
 */
export async function openIngest(
  config: Config,
  authorize: Authorize | undefined,
  undo: (() => Promise<void>)[],
): Promise<{
  readonly store: Store;
  readonly ingest: Ingest;
  readonly work: ReturnType<typeof maintenance>;
}> {
  const mapping = await readMapping(config);
  const workflows = await readSettings('PLUMBLINE_WORKFLOWS', config.workflowsFile, parseWorkflows);
  await mkdir(config.data, { recursive: true });
  const store = await openStore(
    config.clickhouseUrl === undefined ? { path: config.data } : { url: config.clickhouseUrl },
  );
  undo.push(() => store.close());
  await replaceWorkflowSettings(store, workflows ?? []);
  const normaliser = await createNormaliser({
    ...mapping,
    version: await mappingVersion(store, checksumOf(mapping), mapping.version),
  });
  const deriver = createDeriver(store);
  const { derive } = deriver;
  const ingest = await createIngest({
    store,
    derive,
    large: deriver,
    remember: deriver.remember,
    normaliser,
    journal: { directory: join(config.data, 'journal'), maxBytes: config.journalBytes },
    project: (headers) => authorize?.(headers, 'ingest') ?? config.project,
    corsOrigins: config.corsOrigins,
    report,
    insertTokens: config.insertTokens,
  });
  undo.push(() => ingest.close());
  return { store, ingest, work: maintenance(store, normaliser, derive) };
}

async function listenAll(
  { host, otlpPort, grpcPort, port }: Config,
  ingest: Ingest,
  answer: Parameters<typeof listen>[0],
  undo: (() => Promise<void>)[],
): Promise<Plumbline['urls']> {
  const otlp = await listen(ingest.app.fetch, host, otlpPort);
  undo.push(() => stop(otlp));
  if (grpcPort !== 0) {
    await listenOn(ingest.grpc.server, host, grpcPort);
    undo.push(() => ingest.grpc.close());
  }
  const api = await listen(answer, host, port);
  undo.push(() => stop(api));
  const grpc = grpcPort === 0 ? null : url(ingest.grpc.server, host);
  return { otlp: url(otlp, host), api: url(api, host), grpc };
}

/** Looks keys up in the file, if one is set; SIGHUP reads it anew, and a file that is wrong then changes nothing. */
async function keysOf(
  { keysFile }: Config,
  undo: (() => Promise<void>)[],
): Promise<
  { readonly authorize: Authorize; readonly projects: () => readonly string[] } | undefined
> {
  let keys = await readSettings('PLUMBLINE_KEYS', keysFile, parseKeys);
  if (keys === undefined) return undefined;
  const reload = () => {
    readSettings('PLUMBLINE_KEYS', keysFile, parseKeys).then((read) => {
      keys = read ?? [];
    }, report);
  };
  process.on('SIGHUP', reload);
  undo.push(async () => void process.off('SIGHUP', reload));
  const current = () => keys ?? [];
  return {
    authorize: authorizeBy(current),
    projects: () => current().map(({ project }) => project),
  };
}

/** The mapping in use: the built-in one with the rules of `PLUMBLINE_MAPPING`, if set. Throws {@link BadSetting}. */
export async function readMapping({ mappingFile }: Pick<Config, 'mappingFile'>): Promise<Mapping> {
  const parse = (text: string) => parseOwnMapping(text);
  return (await readSettings('PLUMBLINE_MAPPING', mappingFile, parse)) ?? builtInMapping();
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

/** Ingest this far behind needs the engine for itself, and rows are late then, not wrong. Half of what an audit waits. */
const behindMs = 30_000;

function startAudit(store: Store, ingest: Ingest): AuditClock {
  const isBehind = () => {
    const { journal, heldBack } = ingest.stats();
    // The audit takes what came a minute ago for derived; a large task may wait longer.
    return journal.ageMs > behindMs || heldBack.ageMs > 50_000;
  };
  return startAuditClock(createAudit({ store, report, isBehind }), { report });
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
      ok: stats.journal.bytes < stats.journal.maxBytes && stats.journal.failing === null,
      detail: `${stats.journal.bytes} of ${stats.journal.maxBytes} bytes${stats.journal.failing === null ? '' : `; cannot be written: ${stats.journal.failing}`}`,
    },
    {
      name: 'writer',
      ok: stats.blockedBy === null,
      detail: stats.blockedBy ?? `${Math.round(stats.journal.ageMs)} ms behind`,
    },
  ];
}
