import type { Store } from '../store/connection.ts';
import type { Touched } from '../store/derive/deriver.ts';
import { type Block, encode, insert, insertBlocks } from '../store/insert.ts';
import { ensurePrices } from '../store/prices/ensure.ts';
import { evaluations } from '../store/tables/evaluations.ts';
import { logs } from '../store/tables/logs.ts';
import { messages } from '../store/tables/messages.ts';
import { metricsHistogram } from '../store/tables/metrics-histogram.ts';
import { metricsNumber } from '../store/tables/metrics-number.ts';
import { outcomes } from '../store/tables/outcomes.ts';
import { type SpanRow, spans } from '../store/tables/spans.ts';
import type { Table } from '../store/tables/table.ts';
import { taskTraces } from '../store/tables/task-traces.ts';
import { traceBounds } from '../store/tables/trace-bounds.ts';
import type { Normaliser } from './normalise/normaliser.ts';
import type { Accepted } from './queue.ts';
import { type Rows, rowsOf } from './rows.ts';

/**
 * Makes a batch ready to be stored: all that needs no store. Throws what no repetition will cure.
 */
export type Prepare = (requests: readonly Accepted[]) => Promise<StoreBatch>;

/**
 * Stores a batch and says what it touched. May be repeated: the same token makes a repetition after a lost answer
 * cheap; that nothing counts twice does not depend on it.
 */
export type StoreBatch = (token: string | undefined) => Promise<readonly Touched[]>;

/**
 * The order matters: what names the traces of a task is there before the spans that a derivation reads. `remember` is
 * given the spans that are about to be stored.
 */
export function createStoreWriter(
  store: Store,
  normaliser: Normaliser,
  remember: (rows: readonly SpanRow[]) => void = () => {},
): Prepare {
  return async (requests) => {
    const blocks: Block[] = [];
    const rows = await rowsOf(normaliser, requests, (some) => {
      remember(some);
      blocks.push(...encode(spans, some));
    });
    return (token) => storeRows(store, rows, blocks, token);
  };
}

async function storeRows(
  store: Store,
  rows: Rows,
  blocks: readonly Block[],
  token: string | undefined,
): Promise<readonly Touched[]> {
  const tokenOf = (name: string) => (token === undefined ? undefined : `${token}:${name}`);
  const put = async <Row>(table: Table<Row>, list: readonly Row[]) => {
    if (list.length === 0) return;
    await insert(store, table, list, tokenOf(table.name));
  };
  await all([
    put(taskTraces, rows.taskTraces),
    put(traceBounds, rows.bounds),
    put(messages, rows.messages),
  ]);
  await all([
    insertBlocks(store, spans, blocks, tokenOf(spans.name)),
    put(logs, rows.logs),
    put(metricsNumber, rows.numbers),
    put(metricsHistogram, rows.histograms),
    put(outcomes, rows.outcomes),
    put(evaluations, rows.evaluations),
  ]);
  for (const [project, models] of rows.models) await ensurePrices(store, project, models);
  return rows.touched;
}

/** Waits for all of them also when one fails: nothing of a batch is under way any more when it is tried again. */
async function all(inserts: readonly Promise<void>[]): Promise<void> {
  const settled = await Promise.allSettled(inserts);
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
