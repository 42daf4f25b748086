import { join } from 'node:path';
import type { Config } from '../config.ts';
import { createIngest, type Ingest } from '../ingest/ingest.ts';
import { ingestMetrics } from '../ingest/metrics.ts';
import type { Metric } from '../query/operations/metrics.ts';
import type { Check } from '../query/operations/routes.ts';
import { parseWorkflows } from '../query/workflows/settings.ts';
import type { Store } from '../store/connection.ts';
import { createAudit } from '../store/derive/audit.ts';
import { auditMetrics, startAuditClock } from '../store/derive/audit-clock.ts';
import { createDeriver } from '../store/derive/deriver.ts';
import { createDeriveThread } from '../store/derive/thread/thread.ts';
import { openBeside } from '../store/embedded.ts';
import { replaceWorkflowSettings } from '../store/workflows.ts';
import type { ApiKeys } from './api-keys.ts';
import type { Foundation } from './foundation.ts';
import { listen, listenOn, stop, url } from './listen.ts';
import { report } from './report.ts';
import { readSettings } from './settings.ts';
import type { Undo } from './undo.ts';

/** OTLP in, tasks derived. */
export interface IngestService {
  readonly urls: { readonly otlp: string; readonly grpc: string | null };
  readonly ingest: Ingest;
  readonly metrics: () => readonly Metric[];
  readonly checks: () => readonly Check[];
}

/** Opens an ingest, which replays at once what its journal holds, without a port. */
export async function openIngest(
  config: Config,
  { store, normaliser }: Foundation,
  keys: ApiKeys | undefined,
  undo: Undo,
): Promise<Ingest> {
  const workflows = await readSettings('PLUMBLINE_WORKFLOWS', config.workflowsFile, parseWorkflows);
  await replaceWorkflowSettings(store, workflows ?? []);
  const small = await openBeside(store, 1);
  const large = await openBeside(store, 1);
  undo.push(async () => {
    await small.close();
    await large.close();
  });
  const thread = createDeriveThread(large);
  undo.push(() => thread.close());
  const deriver = createDeriver(small, { thread });
  const ingest = await createIngest({
    store,
    derive: deriver.derive,
    large: deriver,
    remember: deriver.remember,
    normaliser,
    journal: { directory: join(config.data, 'journal'), maxBytes: config.journalBytes },
    project: (headers) => keys?.authorize(headers, 'ingest') ?? config.project,
    corsOrigins: config.corsOrigins,
    report,
    insertTokens: config.insertTokens,
  });
  undo.push(() => ingest.close());
  return ingest;
}

/** Takes OTLP on its ports, and audits what it derives. */
export async function startIngest(
  config: Config,
  foundation: Foundation,
  keys: ApiKeys | undefined,
  undo: Undo,
): Promise<IngestService> {
  const ingest = await openIngest(config, foundation, keys, undo);
  const audit = config.audit ? startAudit(foundation.store, ingest) : null;
  undo.push(async () => audit?.close());
  return {
    ingest,
    urls: await listenAll(config, ingest, undo),
    metrics: () => [
      ...ingestMetrics(ingest.stats()),
      ...(audit === null ? [] : auditMetrics(audit.stats())),
    ],
    checks: () => checks(ingest),
  };
}

async function listenAll({ host, otlpPort, grpcPort }: Config, ingest: Ingest, undo: Undo) {
  const otlp = await listen(ingest.app.fetch, host, otlpPort, ingest.onHttpError);
  undo.push(() => stop(otlp));
  if (grpcPort === 0) return { otlp: url(otlp, host), grpc: null };
  await listenOn(ingest.grpc.server, host, grpcPort);
  undo.push(() => ingest.grpc.close());
  return { otlp: url(otlp, host), grpc: url(ingest.grpc.server, host) };
}

/** Ingest this far behind needs the engine for itself, and rows are late then, not wrong. Half of what an audit waits. */
const behindMs = 30_000;

function startAudit(store: Store, ingest: Ingest) {
  const isBehind = () => {
    const { journal, heldBack } = ingest.stats();
    // The audit takes what came a minute ago for derived; a large task may wait longer.
    return journal.ageMs > behindMs || heldBack.ageMs > 50_000;
  };
  return startAuditClock(createAudit({ store, report, isBehind }), { report });
}

function checks(ingest: Ingest): Check[] {
  const { journal, blockedBy } = ingest.stats();
  const failing = journal.failing === null ? '' : `; cannot be written: ${journal.failing}`;
  return [
    {
      name: 'journal',
      ok: journal.bytes < journal.maxBytes && journal.failing === null,
      detail: `${journal.bytes} of ${journal.maxBytes} bytes${failing}`,
    },
    {
      name: 'writer',
      ok: blockedBy === null,
      detail: blockedBy ?? `${Math.round(journal.ageMs)} ms behind`,
    },
  ];
}
