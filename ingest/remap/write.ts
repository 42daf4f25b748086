import type { Store } from '../../store/connection.ts';
import { bulk, insert } from '../../store/insert.ts';
import { ensurePrices } from '../../store/prices/ensure.ts';
import { messages } from '../../store/tables/messages.ts';
import { outcomes } from '../../store/tables/outcomes.ts';
import { type SpanRow, spans } from '../../store/tables/spans.ts';
import { taskTraces } from '../../store/tables/task-traces.ts';
import { traceBounds } from '../../store/tables/trace-bounds.ts';
import type { ModelName, NormalisedLogs, NormalisedSpans } from '../normalise/normaliser.ts';
import type { Derivation } from './derive-behind.ts';
import { contentKey } from './read.ts';

/** Rows of one statement: what is inserted in larger pieces is merged less often. */
const mostRows = 50_000;
const mostBytes = 64 * 1024 * 1024;

/** Writes spans and what belongs to them in large pieces, one piece behind whoever gives them. */
export interface SpanWriter {
  /** Everything beside the spans is kept of all of them: what it says may have changed where the span did not. */
  add(made: NormalisedSpans, changed: readonly SpanRow[], known: ReadonlyMap<string, string>): void;
  readonly isFull: boolean;
  /** Begins to write, once what was written before is there. */
  write(): Promise<void>;
  written(): Promise<void>;
}

/** What must be there before the records that it leads to. */
export async function writeSide(
  store: Store,
  project: string,
  { taskTraces: named, bounds, models }: NormalisedLogs,
): Promise<void> {
  await insert(store, taskTraces, named);
  await insert(store, traceBounds, bounds);
  await ensurePrices(store, project, models);
}

export function createSpanWriter(
  store: Store,
  project: string,
  derivation: Derivation,
): SpanWriter {
  const rows = {
    taskTraces: bulk(store, taskTraces),
    bounds: bulk(store, traceBounds),
    messages: bulk(store, messages),
    spans: bulk(store, spans),
    outcomes: bulk(store, outcomes),
  };
  let traces = new Map<string, number>();
  let models = new Map<string, ModelName>();
  let running: Promise<void> = Promise.resolve();

  function take(): () => Promise<void> {
    const ahead = [rows.taskTraces, rows.bounds, rows.messages].map((one) => one.take());
    const behind = [rows.spans, rows.outcomes].map((one) => one.take());
    const touched = traces;
    const seen = [...models.values()];
    traces = new Map();
    models = new Map();
    return async () => {
      // What must be there before the rows that it leads to.
      await Promise.all([...ahead.map((write) => write()), ensurePrices(store, project, seen)]);
      for (const write of behind) await write();
      await derivation.add(touched);
    };
  }

  return {
    add(made, changed, known) {
      rows.taskTraces.add(made.taskTraces);
      rows.bounds.add(made.bounds);
      rows.messages.add(
        made.messages.filter((row) => !known.has(contentKey(row.trace_id, row.hash))),
      );
      rows.spans.add(changed);
      rows.outcomes.add(made.outcomes);
      for (const { trace_id } of changed) traces.set(trace_id, (traces.get(trace_id) ?? 0) + 1);
      for (const one of made.models) models.set(`${one.provider}\u0000${one.model}`, one);
    },
    get isFull() {
      return (
        rows.spans.rows + rows.messages.rows >= mostRows ||
        rows.spans.bytes + rows.messages.bytes >= mostBytes
      );
    },
    async write() {
      await running;
      running = take()();
      running.catch(() => {});
    },
    written: () => running,
  };
}
