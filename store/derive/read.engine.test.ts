import { afterAll, beforeAll, expect, it } from 'vitest';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import { spanRow } from '../../test/clickhouse/rows.ts';
import type { Store } from '../connection.ts';
import { randomFrom } from './fixtures-random.ts';
import { putRows } from './fixtures-store.ts';
import { readBounds, readTraces } from './read.ts';
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
  const whole = await readTraces(store, 'p', bounds, Number.POSITIVE_INFINITY);

  const newest = new Map<string, (typeof rows)[number]>();
  for (const row of rows) {
    const known = newest.get(row.trace_id + row.span_id);
    if (known === undefined || row.ver > known.ver) newest.set(row.trace_id + row.span_id, row);
  }
  expect(byId(whole.spans).map(({ name }) => name)).toEqual(
    [...newest].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, { name }]) => name),
  );
  for (const most of [40, 250]) {
    const pieces = await readTraces(store, 'p', bounds, most);
    expect(byId(pieces.spans)).toEqual(byId(whole.spans));
  }
});
