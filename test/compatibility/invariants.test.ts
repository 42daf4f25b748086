import { describe, expect, it } from 'vitest';
import { random } from '../../ingest/normalise/fixtures.ts';
import { createNormaliser } from '../../ingest/normalise/normaliser.ts';
import { decodeLogs, decodeTraces } from '../../ingest/otlp/decode.ts';
import type { Batch, OtlpSpan } from '../../ingest/otlp/model.ts';
import { taskLog, taskSpan } from '../../store/derive/fixtures.ts';
import { type DerivedTask, deriveTasks } from '../../store/derive/task.ts';
import type { SpanRow } from '../../store/tables/spans.ts';
import { type Capture, read, readCaptures } from './capture.ts';
import { costOf } from './cost.ts';

const captures = [...readCaptures().values()];
const normaliser = await createNormaliser();
const modelKinds = ['llm', 'embedding', 'reranker'];

function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const next = random(seed);
  return items
    .map((item) => ({ item, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** One batch per span, in an order of its own. */
function trickle(capture: Capture, seed: number): Batch<OtlpSpan>[] {
  const batches = capture.requests.flatMap(({ signal, encoding, body }) =>
    signal === 'traces' ? decodeTraces(body, encoding).batches : [],
  );
  return shuffled(
    batches.flatMap((batch) => batch.items.map((item) => ({ ...batch, items: [item] }))),
    seed,
  );
}

const newestOnly = (spans: readonly SpanRow[]): SpanRow[] => [
  ...spans
    .reduce((rows, row) => {
      const key = `${row.trace_id} ${row.span_id}`;
      const known = rows.get(key);
      return known === undefined || row.ver > known.ver ? rows.set(key, row) : rows;
    }, new Map<string, SpanRow>())
    .values(),
];

const total = (tasks: readonly DerivedTask[]) =>
  tasks.map(costOf).reduce((sum, { known }) => sum + known, 0);

const callsOf = (tasks: readonly DerivedTask[]) =>
  tasks.reduce((sum, task) => sum + task.llm_calls, 0);

describe('every span of every capture', () => {
  it('has input ≥ cache read + cache write and output ≥ reasoning', () => {
    let seen = 0;
    for (const capture of captures) {
      for (const row of read(capture, normaliser).spans) {
        const cache = (row.cache_read_tokens ?? 0n) + (row.cache_write_tokens ?? 0n);
        if (cache > 0n) expect(row.input_tokens ?? 0n, capture.id).toBeGreaterThanOrEqual(cache);
        expect(row.cache_write_tokens ?? 0n).toBeGreaterThanOrEqual(
          row.cache_write_1h_tokens ?? 0n,
        );
        const reasoning = row.reasoning_tokens ?? 0n;
        if (reasoning > 0n) expect(row.output_tokens ?? 0n).toBeGreaterThanOrEqual(reasoning);
        if (cache > 0n || reasoning > 0n) seen++;
      }
    }
    expect(seen).toBeGreaterThan(100);
  });
});

it('refuses no log record of any capture', () => {
  let seen = 0;
  for (const { id, requests } of captures) {
    for (const { signal, encoding, body } of requests) {
      if (signal !== 'logs') continue;
      const { items, rejected } = decodeLogs(body, encoding);
      expect(rejected, id).toBe(0);
      seen += items;
    }
  }
  expect(seen).toBeGreaterThan(10);
});

describe.each(captures)('$id', (capture) => {
  const once = read(capture, normaliser);
  const logs = once.logs.map(taskLog);

  it('gives the same tasks span by span, twice and in any order', () => {
    for (const seed of [1, 2, 3]) {
      const again = [...trickle(capture, seed), ...trickle(capture, seed + 100)].flatMap(
        (batch) => normaliser.normaliseSpans('p', [batch]).spans,
      );
      const tasks = deriveTasks(newestOnly(again).map(taskSpan), shuffled(logs, seed));
      expect(tasks).toEqual(once.tasks);
    }
  });

  it('costs the same when every model call is wrapped by a span that repeats its usage', () => {
    const wrapped = once.spans.flatMap((row) => {
      if (!modelKinds.includes(row.kind)) return [row];
      const wrapper = { ...row, span_id: `f${row.span_id.slice(1)}`, scope_name: 'a gateway' };
      return [wrapper, { ...row, parent_id: wrapper.span_id }];
    });
    const tasks = deriveTasks(wrapped.map(taskSpan), logs);
    expect(total(tasks)).toBeCloseTo(total(once.tasks), 12);
    expect(callsOf(tasks)).toBe(callsOf(once.tasks));
  });

  it('costs the same when a gateway tells of every response too, in traces of its own', () => {
    const copies = once.spans
      .filter(({ kind, response_id }) => modelKinds.includes(kind) && response_id !== '')
      .map((row, i) => ({
        ...row,
        trace_id: `${'f'.repeat(24)}${String(i).padStart(8, '0')}`,
        parent_id: '',
        scope_name: 'a gateway',
        service: 'gateway',
        start: row.start + 1_000_000n,
        end: row.end > row.start + 2_000_000n ? row.end - 1_000_000n : row.end,
        task_id: '',
        task_id_kind: '',
      }));
    const tasks = deriveTasks([...copies, ...once.spans].map(taskSpan), logs);
    expect(total(tasks)).toBeCloseTo(total(once.tasks), 12);
    expect(callsOf(tasks)).toBe(callsOf(once.tasks));
  });
});
