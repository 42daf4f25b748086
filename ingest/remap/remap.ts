import type { Store } from '../../store/connection.ts';
import { insert } from '../../store/insert.ts';
import { evaluations } from '../../store/tables/evaluations.ts';
import { logs } from '../../store/tables/logs.ts';
import { messages } from '../../store/tables/messages.ts';
import { outcomes } from '../../store/tables/outcomes.ts';
import type { Normaliser } from '../normalise/normaliser.ts';
import { restoreAttributes, restoreLog, restoreSpan } from '../normalise/restore.ts';
import type { Batch } from '../otlp/model.ts';
import { isChanged } from './changed.ts';
import { type Derivation, deriveBehind } from './derive-behind.ts';
import { type PointTable, pointTables, remapPoints } from './points.ts';
import {
  contentKey,
  type LogToRemap,
  readLogs,
  readStretches,
  type Scope,
  type SpanToRemap,
  type Stretch,
  spanPages,
} from './read.ts';
import { createSpanWriter, writeSide } from './write.ts';

export interface RemapOptions {
  readonly store: Store;
  readonly normaliser: Normaliser;
  readonly signal: AbortSignal;
  /** Rows read, and written, together: each statement has its price, whatever its size. 4,000 unless given. */
  readonly pageSize?: number;
  /** Told after every page. */
  readonly onProgress: (progress: Remapped & { readonly total: number }) => void;
}

/** What a remap did. */
export interface Remapped {
  /** Read again. */
  readonly spans: number;
  /** Spans that the mapping reads otherwise than the one before; the others, and their tasks, stay as they are. */
  readonly rewritten: number;
  readonly logs: number;
  readonly points: number;
  /** Spans left as they were, because some of their payload is gone. */
  readonly skipped: number;
}

const defaultPageSize = 4_000;
/** Spans restored at a time: each may hold a whole chat as text. */
const handful = 200;

/**
 * Reads the stored spans, log records and metric points of [from, to), in nanoseconds since 1970, again by the mapping in use, and
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
  const inPoints: (readonly [PointTable, Stretch])[] = [];
  for (const table of pointTables) {
    const found = await readStretches(store, table, scope, from, to, pageSize);
    inPoints.push(...found.map((stretch) => [table, stretch] as const));
  }
  const all = [...inSpans, ...inLogs, ...inPoints.map(([, stretch]) => stretch)];
  const total = all.reduce((sum, { rows }) => sum + rows, 0);
  const done = { spans: 0, rewritten: 0, logs: 0, points: 0, skipped: 0 };
  const note = (part: Partial<Remapped>) => {
    done.spans += part.spans ?? 0;
    done.rewritten += part.rewritten ?? 0;
    done.logs += part.logs ?? 0;
    done.points += part.points ?? 0;
    done.skipped += part.skipped ?? 0;
    onProgress({ ...done, total });
    signal.throwIfAborted();
  };
  const derivation = deriveBehind(store, project);
  try {
    for await (const part of remapSpans(options, scope, inSpans, derivation)) note(part);
    for (const stretch of inLogs) {
      for await (const part of remapLogs(options, scope, stretch, derivation)) note(part);
    }
    for (const [table, stretch] of inPoints) {
      const { points, tasks } = await remapPoints(store, normaliser, scope, table, stretch);
      await derivation.add(new Map(), tasks);
      note({ points });
    }
  } finally {
    // Also of what was written before it was stopped: nobody else would.
    await derivation.finish();
  }
  return done;
}

async function* remapSpans(
  { store, normaliser, pageSize = defaultPageSize }: RemapOptions,
  scope: Scope,
  stretches: readonly Stretch[],
  derivation: Derivation,
): AsyncGenerator<Partial<Remapped>> {
  const writer = createSpanWriter(store, scope.project, derivation);
  for await (const page of spanPages(store, scope, stretches, pageSize)) {
    const { spans: read, content } = page;
    let skipped = 0;
    let rewritten = 0;
    for (let first = 0; first < read.length; first += handful) {
      const [batches, lost] = batchesOf(read.slice(first, first + handful), content);
      skipped += lost;
      const made = normaliser.normaliseSpans(scope.project, batches);
      const placeOf = new Map(
        read.slice(first, first + handful).map((span, i) => [keyOf(span), first + i]),
      );
      const changed = made.spans.filter((row) =>
        isChanged(row, page.stored, placeOf.get(keyOf(row)) ?? -1),
      );
      rewritten += changed.length;
      writer.add(made, changed, content);
      // Acks go out in between.
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (writer.isFull) await writer.write();
    yield { spans: read.length - skipped, rewritten, skipped };
  }
  await writer.write();
  await writer.written();
}

function keyOf({ trace_id, span_id }: { readonly trace_id: string; readonly span_id: string }) {
  return `${trace_id}${span_id}`;
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
    await writeSide(store, scope.project, part);
    await insert(store, messages, part.messages);
    await insert(store, logs, part.logs);
    await insert(store, outcomes, part.outcomes);
    await insert(store, evaluations, part.evaluations);
    const traces = new Map(
      page.flatMap(({ trace_id }) => (trace_id === '' ? [] : [[trace_id, 1] as const])),
    );
    // A record without a trace leaves its former task, and may tell better what another was made of.
    const tasks = [...page, ...part.taskTraces].flatMap((row) =>
      row.trace_id === '' ? [row.task_id] : [],
    );
    await derivation.add(traces, tasks);
    yield { logs: page.length };
  }
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
    const key = `${row.scope_name}\n${row.scope_version}\n${row.resource}`;
    const group = groups.get(key) ?? { first: row, items: [] };
    groups.set(key, group);
    group.items.push(restore(row));
  }
  return [...groups.values()].map(({ first, items }) => ({
    resource: restoreAttributes(JSON.parse(first.resource) as [string, string][], []),
    scope: { name: first.scope_name, version: first.scope_version, attributes: [] },
    items,
  }));
}
