import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNormaliser } from '../../ingest/normalise/normaliser.ts';
import { tasksIn } from '../../query/tasks/find.ts';
import type { Store } from '../../store/connection.ts';
import { createDeriver } from '../../store/derive/deriver.ts';
import { putRows } from '../../store/derive/fixtures-store.ts';
import { ensurePrices } from '../../store/prices/ensure.ts';
import { query, sql } from '../../store/sql.ts';
import { openEmbedded } from '../clickhouse/backends.ts';
import { read, readCaptures } from './capture.ts';
import { expectedSheet as sheet } from './sheet.ts';

const captures = [...readCaptures().values()];
const normaliser = await createNormaliser();
const reads = captures.map((capture) => ({ id: capture.id, ...read(capture, normaliser) }));

interface Cost {
  readonly trace_ids: readonly string[];
  readonly cost_usd: number | null;
  readonly cost_usd_known: number;
}

describe('captures in the store', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openEmbedded();
  });
  afterAll(() => store?.close());

  async function costs(): Promise<Cost[]> {
    const all = sql`${tasksIn({
      project: 'p',
      from: new Date('2026-01-01'),
      to: new Date('2100-01-01'),
      now: new Date('2100-01-01'),
      prices: 'as_of_call',
      whatIf: undefined,
    })}`;
    return query<Cost>(store, sql`SELECT trace_ids, cost_usd, cost_usd_known FROM ${all}`);
  }

  it('cost what the hand-made sheet says, also when all of them come twice', async () => {
    const spans = reads.flatMap((one) => one.spans);
    const logs = reads.flatMap((one) => one.logs);
    const pairs = spans.flatMap(({ provider, request_model, response_model }) =>
      [request_model, response_model].map((model) => ({ provider, model })),
    );
    await ensurePrices(store, 'p', pairs);
    for (const order of [spans, spans.toReversed()]) {
      const touched = await putRows(store, 'p', order, logs);
      await createDeriver(store).derive([touched]);
      const found = await costs();
      for (const { id, tasks } of reads) {
        const expected = sheet.captures[id];
        const traces = new Set(tasks.flatMap(({ trace_ids }) => trace_ids));
        const own = found.filter(({ trace_ids }) => trace_ids.some((trace) => traces.has(trace)));
        expect(own.length, id).toBe(tasks.length);
        const known = own.reduce((sum, task) => sum + task.cost_usd_known, 0);
        const whole = own.every(({ cost_usd }) => cost_usd !== null);
        const due = expected?.cost_usd ?? expected?.known_usd ?? Number.NaN;
        expect(known, id).toBeCloseTo(due, 9);
        expect(whole, id).toBe(expected?.cost_usd !== null);
      }
    }
  });
});
