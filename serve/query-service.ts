import { availableParallelism } from 'node:os';
import type { Config } from '../config.ts';
import { createQuery } from '../query/app.ts';
import { watchBudgets } from '../query/budgets/metrics.ts';
import { parseBudgets } from '../query/budgets/settings.ts';
import { createJudge } from '../query/decisions/judge.ts';
import { startFindingsPass } from '../query/findings/pass.ts';
import { parseFindingsSettings } from '../query/findings/settings.ts';
import { createJobs } from '../query/maintenance/jobs.ts';
import type { Operations } from '../query/operations/routes.ts';
import { parsePrices } from '../query/prices/schema.ts';
import { builtinObjectives } from '../query/slos/objectives.ts';
import { mergeObjectives, parseOpenSlo } from '../query/slos/openslo.ts';
import { openBeside } from '../store/embedded.ts';
import { replaceFileOverrides } from '../store/prices/override.ts';
import { replaceFileRates } from '../store/prices/rates.ts';
import type { ApiKeys } from './api-keys.ts';
import type { Foundation } from './foundation.ts';
import { maintenance } from './maintenance.ts';
import { report } from './report.ts';
import { readSettings } from './settings.ts';
import type { Undo } from './undo.ts';

/** Questions answered, and tasks judged behind ingest. */
export interface QueryService {
  readonly app: ReturnType<typeof createQuery>;
  /** Resolves when the findings of everything stored so far are stored too, except of tasks that are still going on. */
  readonly settled: () => Promise<void>;
}

/** Asked of the embedded engine, which has inserts and derivations to do as well. */
const questionsAtOnce = 2;
/** Together as many as there are processors: with more, acks wait for the heaviest questions, which gain nothing. */
const threadsOfQuestion = Math.max(1, Math.floor(availableParallelism() / questionsAtOnce));

/** `isBusy` says when new data goes before findings. */
export async function startQuery(
  config: Config,
  { store: whole, normaliser }: Foundation,
  keys: ApiKeys | undefined,
  operations: Operations,
  isBusy: () => boolean,
  undo: Undo,
): Promise<QueryService> {
  const store = await openBeside(whole, questionsAtOnce, threadsOfQuestion);
  undo.push(() => store.close());
  const own = await readSettings('PLUMBLINE_SLOS', config.slosFile, parseOpenSlo);
  const prices = await readSettings('PLUMBLINE_PRICES', config.pricesFile, parsePrices);
  const findings =
    (await readSettings('PLUMBLINE_FINDINGS', config.findingsFile, parseFindingsSettings)) ??
    parseFindingsSettings('');
  const budgets = (await readSettings('PLUMBLINE_BUDGETS', config.budgetsFile, parseBudgets)) ?? [];
  await replaceFileOverrides(store, prices?.prices ?? []);
  await replaceFileRates(store, prices?.rates ?? []);

  const now = () => new Date();
  const projects = () => [...new Set([config.project, ...(keys?.projects() ?? [])])];
  const judge = createJudge(store, findings);
  const onJudged = judge.keep;
  const pass = startFindingsPass({
    store,
    projects,
    settings: findings,
    now,
    isBusy,
    onJudged,
    report,
  });
  undo.push(() => pass.close());
  const watch = watchBudgets({ store, projects, budgets, now, report });
  undo.push(() => watch.close());
  const jobs = createJobs(maintenance(store, normaliser), now, report);
  undo.push(() => jobs.close());

  const app = createQuery({
    ...operations,
    store,
    jobs,
    budgets,
    objectives: own === undefined ? builtinObjectives : mergeObjectives(own),
    project: () => config.project,
    ...(keys !== undefined && { authorize: keys.authorize }),
    now,
    metrics: () => [...operations.metrics(), ...pass.metrics(), ...watch.metrics()],
    findings,
    judge,
    report,
  });
  return { app, settled: () => pass.settled() };
}
