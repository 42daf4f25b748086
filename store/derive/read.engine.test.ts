import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import { spanRow } from '../../test/clickhouse/rows.ts';
import type { Store } from '../connection.ts';
import type { SpanRow } from '../tables/spans.ts';
import { randomFrom } from './fixtures-random.ts';
import { putRows } from './fixtures-store.ts';
import { readBounds, readTraces } from './read.ts';
import { createRecent } from './recent.ts';
import type { TaskSpan } from './telemetry.ts';

let store: Store;

beforeAll(async () => {
  store = await openEmbedded();
});

afterAll(() => store.close());

const byId = (spans: readonly TaskSpan[]) =>
  spans.toSorted((a, b) => (a.trace_id + a.span_id < b.trace_id + b.span_id ? -1 : 1));

it('reads in pieces what it reads at once, each span in its newest version wherever that begins', async () => {
  const random = randomFrom(5);
  const second = 1_000_000_000n;
  const hour = 3600n * second;
  const begin = 1_748_779_200n * second;
  const traces = ['near', 'also near', 'hours later'];
  const rows = Array.from({ length: 700 }, () => {
    const trace = Math.floor(random() * 3);
    // A third begins at one instant, which no stretch of time divides; ids repeat: these are versions.
    const offset = random() < 0.3 ? 0 : Math.floor(random() * 600);
    return spanRow({
      trace_id: traces[trace] ?? '',
      span_id: String(Math.floor(random() * 300)),
      start: begin + BigInt(offset) * second + (trace === 2 ? 5n * hour : 0n),
      ver: BigInt(Math.floor(random() * 1e9)),
      name: String(random()),
    });
  });
  await putRows(store, 'p', rows);
  const bounds = await readBounds(store, 'p', traces);
  const whole = await readTraces(store, 'p', bounds, { most: Number.POSITIVE_INFINITY });

  const newest = new Map<string, (typeof rows)[number]>();
  for (const row of rows) {
    const known = newest.get(row.trace_id + row.span_id);
    if (known === undefined || row.ver > known.ver) newest.set(row.trace_id + row.span_id, row);
  }
  expect(byId(whole.spans).map(({ name }) => name)).toEqual(
    [...newest].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, { name }]) => name),
  );
  for (const most of [40, 250]) {
    const pieces = await readTraces(store, 'p', bounds, { most });
    expect(byId(pieces.spans)).toEqual(byId(whole.spans));
  }
});

describe('spans that need not be read', () => {
  const random = randomFrom(17);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const texts = ['', 'a', 'ß 🜚', 'half \ud83d', '\udc00', '\u0000 \\ "', 'x'.repeat(300)];
  const counts = [null, 0n, 7n, 2n ** 64n - 1n];
  const numbers = [null, 0, 0.1, Number.NaN, Number.POSITIVE_INFINITY, 1e-300];
  const second = 1_000_000_000n;
  const begin = 1_748_779_200n * second;

  function anyRow(trace: number, span: number): SpanRow {
    const names = ['agent.task.state', 'agent.handoff', 'exception'];
    const events = Array.from({ length: Math.floor(random() * 3) }, () => pick(names));
    const keys = ['agent.task.state', 'agent.é', 'other', '__proto__', 'agent.task.state'];
    return spanRow({
      trace_id: `trace ${trace}`,
      span_id: `span ${span}`,
      start: begin + BigInt(Math.floor(random() * 5e9)),
      end: pick([0n, begin + 9n * second]),
      ver: BigInt(Math.floor(random() * 3)),
      name: pick(texts),
      status_message: pick(texts),
      user_id: pick(texts),
      error_message: pick(texts),
      handoff_to: pick(texts),
      input_tokens: pick(counts),
      reasoning_tokens: pick(counts),
      task_attempt: pick([null, 0, 3]),
      cost_reported: pick(numbers),
      ttft_ms: pick(numbers),
      'events.time': events.map(() => begin + second),
      'events.name': events,
      'events.attributes': events.map(() =>
        Array.from({ length: Math.floor(random() * 4) }, () => [pick(keys), pick(texts)] as const),
      ),
    });
  }

  /** One row of each version: of two that differ and say they are the same one, either may be read. */
  function anyRows(): SpanRow[] {
    const rows = Array.from({ length: 400 }, () =>
      anyRow(Math.floor(random() * 30), Math.floor(random() * 6)),
    );
    const key = ({ trace_id, span_id, ver }: SpanRow) => `${trace_id} ${span_id} ${ver}`;
    return [...new Map(rows.map((row) => [key(row), row])).values()];
  }

  it('are what reading gives, whoever else stored or lost what', async () => {
    for (let round = 0; round < 5; round += 1) {
      const project = `recent ${round}`;
      const recent = createRecent(round === 4 ? 60 : undefined);
      const stored: SpanRow[] = [];
      for (const row of anyRows()) {
        const where = random();
        // Most are stored and remembered; some by another process, some were never stored.
        if (where < 0.97) stored.push(row);
        if (where > 0.03) recent.remember([{ ...row, project }]);
      }
      // Several inserts: versions of a span lie in parts of their own.
      for (let at = 0; at < stored.length; at += 150) {
        await putRows(store, project, stored.slice(at, at + 150));
      }
      const bounds = await readBounds(
        store,
        project,
        Array.from({ length: 30 }, (_, i) => `trace ${i}`),
      );
      const plain = await readTraces(store, project, bounds);
      const { watched, statements } = watching(store);
      const quick = await readTraces(watched, project, bounds, { recent });
      expect(byId(quick.spans)).toEqual(byId(plain.spans));
      expect(plain.spans.length).toBeGreaterThan(100);
      // Fewer traces are read than there are, but some are.
      expect(statements().some((text) => text.includes('agent_events'))).toBe(true);
    }
  });

  it('are not read at all where nothing differs', async () => {
    const recent = createRecent();
    const rows = anyRows().map((row) => ({ ...row, project: 'known' }));
    recent.remember(rows);
    await putRows(store, 'known', rows);
    const ids = [...new Set(rows.map(({ trace_id }) => trace_id))];
    const bounds = await readBounds(store, 'known', ids);
    const { watched, statements } = watching(store);
    const quick = await readTraces(watched, 'known', bounds, { recent });
    expect(statements().filter((text) => text.includes('agent_events'))).toEqual([]);
    const plain = await readTraces(store, 'known', bounds);
    expect(byId(quick.spans)).toEqual(byId(plain.spans));
  });
});

/** The store, and the statements that go to it. */
function watching(of: Store): { watched: Store; statements: () => readonly string[] } {
  const seen: string[] = [];
  const client = new Proxy(of.client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (statement: { query: string }) => {
        seen.push(statement.query);
        return value.call(target, statement);
      };
    },
  });
  return { watched: { ...of, client }, statements: () => seen };
}
