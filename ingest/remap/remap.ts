import type { Store } from '../../store/connection.ts';
import type { Touched } from '../../store/derive/deriver.ts';
import { insert } from '../../store/insert.ts';
import { ensurePrices } from '../../store/prices/ensure.ts';
import { evaluations } from '../../store/tables/evaluations.ts';
import { logs } from '../../store/tables/logs.ts';
import { type MessageRow, messages } from '../../store/tables/messages.ts';
import { outcomes } from '../../store/tables/outcomes.ts';
import { spans } from '../../store/tables/spans.ts';
import { taskTraces } from '../../store/tables/task-traces.ts';
import { traceBounds } from '../../store/tables/trace-bounds.ts';
import type { NormalisedLogs, NormalisedSpans, Normaliser } from '../normalise/normaliser.ts';
import { restoreAttributes, restoreLog, restoreSpan } from '../normalise/restore.ts';
import type { Batch } from '../otlp/model.ts';
import {
  contentKey,
  type LogToRemap,
  readContent,
  readLogs,
  readStretches,
  type Scope,
  type SpanToRemap,
  type Stretch,
  spanPages,
} from './read.ts';

export interface RemapOptions {
  readonly store: Store;
  readonly normaliser: Normaliser;
  readonly derive: (touched: readonly Touched[]) => Promise<void>;
  readonly signal: AbortSignal;
  /** Rows read, and written, together: each statement has its price, whatever its size. 10,000 unless given. */
  readonly pageSize?: number;
  /** Told after every page. */
  readonly onProgress: (progress: Remapped & { readonly total: number }) => void;
}

/** What a remap did. */
export interface Remapped {
  readonly spans: number;
  readonly logs: number;
  /** Spans left as they were, because some of their payload is gone. */
  readonly skipped: number;
}

const defaultPageSize = 10_000;
/** Spans whose payload is in memory at a time. */
const withPayload = 2_000;
/** Spans restored at a time: each may hold a whole chat as text. */
const handful = 200;
/** Traces derived together: a task of many spans is derived once for many of them. */
const derivedTogether = 4_096;

/**
 * Reads the stored spans and log records of [from, to), in nanoseconds since 1970, again by the mapping in use, and
 * derives their tasks: each gets one new version, which wins over the one it had. Rows that this mapping made are left
 * alone, so that a remap which was interrupted goes on where it stopped. Whoever reads meanwhile sees some tasks by the
 * former mapping and some by this one.
 *
 * @throws ClickHouseError, and the reason of `signal`.
 */
export async function remap(
  options: RemapOptions,
  project: string,
  from: bigint,
  to: bigint,
): Promise<Remapped> {
  const { store, normaliser, signal, onProgress, pageSize = defaultPageSize } = options;
  const scope = { project, before: normaliser.mappingVersion };
  const inSpans = await readStretches(store, 'spans', scope, from, to, pageSize);
  const inLogs = await readStretches(store, 'logs', scope, from, to, pageSize);
  const total = [...inSpans, ...inLogs].reduce((sum, { rows }) => sum + rows, 0);
  const done = { spans: 0, logs: 0, skipped: 0 };
  const note = (part: Partial<Remapped>) => {
    done.spans += part.spans ?? 0;
    done.logs += part.logs ?? 0;
    done.skipped += part.skipped ?? 0;
    onProgress({ ...done, total });
    signal.throwIfAborted();
  };
  const derivation = deriveBehind(options, project);
  try {
    for await (const part of remapSpans(options, scope, inSpans, derivation)) note(part);
    for (const stretch of inLogs) {
      for await (const part of remapLogs(options, scope, stretch, derivation)) note(part);
    }
  } finally {
    // Also of what was written before it was stopped: nobody else would.
    await derivation.finish();
  }
  return done;
}

interface Derivation {
  /** Resolves when so little waits that more may be written. */
  add(traces: Iterable<string>, tasks?: Iterable<string>): Promise<void>;
  finish(): Promise<void>;
}

/** Derives the tasks of what was written while more is read. */
function deriveBehind({ derive }: RemapOptions, project: string): Derivation {
  let waiting = { traces: new Set<string>(), tasks: new Set<string>() };
  let running: Promise<void> = Promise.resolve();
  const start = async () => {
    await running;
    const { traces, tasks } = waiting;
    waiting = { traces: new Set(), tasks: new Set() };
    running = derive([{ project, traces: [...traces], tasks: [...tasks] }]);
    running.catch(() => {});
  };
  return {
    async add(traces, tasks = []) {
      for (const trace of traces) waiting.traces.add(trace);
      for (const task of tasks) waiting.tasks.add(task);
      if (waiting.traces.size + waiting.tasks.size >= derivedTogether) await start();
    },
    async finish() {
      await start();
      await running;
    },
  };
}

async function* remapSpans(
  { store, normaliser, pageSize = defaultPageSize }: RemapOptions,
  scope: Scope,
  stretches: readonly Stretch[],
  derivation: Derivation,
): AsyncGenerator<Partial<Remapped>> {
  for await (const page of spanPages(store, scope, stretches, pageSize)) {
    const parts: NormalisedSpans[] = [];
    const fresh: MessageRow[] = [];
    let skipped = 0;
    for (let first = 0; first < page.length; first += withPayload) {
      const some = page.slice(first, first + withPayload);
      const known = await readContent(store, scope, some);
      const isNew = new Set<string>();
      for (let i = 0; i < some.length; i += handful) {
        const [batches, lost] = batchesOf(some.slice(i, i + handful), known);
        skipped += lost;
        const { messages: made, ...part } = normaliser.normaliseSpans(scope.project, batches);
        parts.push({ ...part, messages: [] });
        for (const row of made) {
          const key = `${row.day} ${contentKey(row.trace_id, row.hash)}`;
          if (known.has(contentKey(row.trace_id, row.hash)) || isNew.has(key)) continue;
          isNew.add(key);
          fresh.push(row);
        }
        // Acks go out in between.
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    await writeSide(store, scope.project, parts);
    await insert(store, messages, fresh);
    await insert(
      store,
      spans,
      parts.flatMap((part) => part.spans),
    );
    await insert(
      store,
      outcomes,
      parts.flatMap((part) => part.outcomes),
    );
    await derivation.add(page.map(({ trace_id }) => trace_id));
    yield { spans: page.length - skipped, skipped };
  }
}

async function* remapLogs(
  { store, normaliser, pageSize = defaultPageSize }: RemapOptions,
  scope: Scope,
  stretch: Stretch,
  derivation: Derivation,
): AsyncGenerator<Partial<Remapped>> {
  for (;;) {
    const page = await readLogs(store, scope, stretch, pageSize);
    if (page.length === 0) return;
    const batches = grouped(page, restoreLog);
    const part = normaliser.normaliseLogs(scope.project, batches);
    await writeSide(store, scope.project, [part]);
    await insert(store, messages, part.messages);
    await insert(store, logs, part.logs);
    await insert(store, outcomes, part.outcomes);
    await insert(store, evaluations, part.evaluations);
    const traces = page.flatMap(({ trace_id }) => (trace_id === '' ? [] : [trace_id]));
    // A record without a trace leaves its former task, and may tell better what another was made of.
    const tasks = [...page, ...part.taskTraces].flatMap((row) =>
      row.trace_id === '' ? [row.task_id] : [],
    );
    await derivation.add(traces, tasks);
    yield { logs: page.length };
  }
}

/** What must be there before the rows that it leads to. */
async function writeSide(
  store: Store,
  project: string,
  parts: readonly (NormalisedSpans | NormalisedLogs)[],
): Promise<void> {
  await insert(
    store,
    taskTraces,
    parts.flatMap((part) => part.taskTraces),
  );
  await insert(
    store,
    traceBounds,
    parts.flatMap((part) => part.bounds),
  );
  await ensurePrices(
    store,
    project,
    parts.flatMap((part) => part.models),
  );
}

function batchesOf(page: readonly SpanToRemap[], known: ReadonlyMap<string, string>) {
  const whole = page.filter(({ trace_id, payload }) =>
    payload.every(([, hashes]) =>
      hashes.every((hash) => hash === 0n || known.has(contentKey(trace_id, hash))),
    ),
  );
  const batches = grouped(whole, (row) =>
    restoreSpan(row, (hash) => known.get(contentKey(row.trace_id, hash)) ?? ''),
  );
  return [batches, page.length - whole.length] as const;
}

/** Items with the resource and scope that they share. */
function grouped<Row extends SpanToRemap | LogToRemap, Item>(
  page: readonly Row[],
  restore: (row: Row) => Item,
): Batch<Item>[] {
  const groups = new Map<string, { first: Row; items: Item[] }>();
  for (const row of page) {
    const key = JSON.stringify([row.scope_name, row.scope_version, row.resource]);
    const group = groups.get(key) ?? { first: row, items: [] };
    groups.set(key, group);
    group.items.push(restore(row));
  }
  return [...groups.values()].map(({ first, items }) => ({
    resource: restoreAttributes(first.resource, []),
    scope: { name: first.scope_name, version: first.scope_version, attributes: [] },
    items,
  }));
}
