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
    await put(taskTraces, rows.taskTraces);
    await put(traceBounds, rows.bounds);
    await put(messages, rows.messages);
    await put(spans, rows.spans);
    await put(logs, rows.logs);
    await put(metricsNumber, rows.numbers);
    await put(metricsHistogram, rows.histograms);
    await put(outcomes, rows.outcomes);
    await put(evaluations, rows.evaluations);
    for (const [project, models] of rows.models) await ensurePrices(store, project, models);
    return rows.touched;
  };
}
