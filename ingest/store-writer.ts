import type { Store } from '../store/connection.ts';
import type { Touched } from '../store/derive/deriver.ts';
import { insert } from '../store/insert.ts';
import { ensurePrices } from '../store/prices/ensure.ts';
import { evaluations } from '../store/tables/evaluations.ts';
import { logs } from '../store/tables/logs.ts';
import { messages } from '../store/tables/messages.ts';
import { metricsHistogram } from '../store/tables/metrics-histogram.ts';
import { metricsNumber } from '../store/tables/metrics-number.ts';
import { outcomes } from '../store/tables/outcomes.ts';
import { spans } from '../store/tables/spans.ts';
import type { Table } from '../store/tables/table.ts';
import { taskTraces } from '../store/tables/task-traces.ts';
import { traceBounds } from '../store/tables/trace-bounds.ts';
import type { Normaliser } from './normalise/normaliser.ts';
import type { Accepted } from './queue.ts';
import { rowsOf } from './rows.ts';

/**
 * Stores a batch and says what it touched. May be repeated: the same token makes a repetition after a lost answer
 * cheap; that nothing counts twice does not depend on it.
 */
export type Write = (
  requests: readonly Accepted[],
  token: string | undefined,
) => Promise<readonly Touched[]>;

/** The order matters: what names the traces of a task is there before the spans that a derivation reads. */
export function createStoreWriter(store: Store, normaliser: Normaliser): Write {
  return async (requests, token) => {
    const rows = await rowsOf(normaliser, requests);
    const put = async <Row>(table: Table<Row>, list: readonly Row[]) => {
      if (list.length === 0) return;
      await insert(store, table, list, token === undefined ? undefined : `${token}:${table.name}`);
    };
    await all([
      put(taskTraces, rows.taskTraces),
      put(traceBounds, rows.bounds),
      put(messages, rows.messages),
    ]);
    await all([
      put(spans, rows.spans),
      put(logs, rows.logs),
      put(metricsNumber, rows.numbers),
      put(metricsHistogram, rows.histograms),
      put(outcomes, rows.outcomes),
      put(evaluations, rows.evaluations),
    ]);
    for (const [project, models] of rows.models) await ensurePrices(store, project, models);
    return rows.touched;
  };
}

/** Waits for all of them also when one fails: nothing of a batch is under way any more when it is tried again. */
async function all(inserts: readonly Promise<void>[]): Promise<void> {
  const settled = await Promise.allSettled(inserts);
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
