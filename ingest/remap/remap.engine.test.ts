import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../store/connection.ts';
import { createDeriver } from '../../store/derive/deriver.ts';
import { insert } from '../../store/insert.ts';
import { logs } from '../../store/tables/logs.ts';
import { messages } from '../../store/tables/messages.ts';
import { metricsHistogram } from '../../store/tables/metrics-histogram.ts';
import { metricsNumber } from '../../store/tables/metrics-number.ts';
import { spans } from '../../store/tables/spans.ts';
import { taskTraces } from '../../store/tables/task-traces.ts';
import { traceBounds } from '../../store/tables/trace-bounds.ts';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import { attributes, batch, log, noon, span } from '../normalise/fixtures.ts';
import { createNormaliser, type Normaliser } from '../normalise/normaliser.ts';
import { parseOwnMapping } from '../normalise/own-mapping.ts';
import { decodeTraces } from '../otlp/decode.ts';
import type { Batch, OtlpDistribution, OtlpLog, OtlpPoint, OtlpSpan } from '../otlp/model.ts';
import { remap } from './remap.ts';

const own = `
task_ids: [acme.job]
fields: { user_id: [acme.customer] }
kinds: { attributes: { acme.step: { fn: tool } } }`;

const id = (n: number, digits: number) => n.toString(16).padStart(digits, '0');

/** Tasks of three spans each, in traces of two tasks, over more than an hour; some with content beyond 2 kB. */
function work(tasks: number): Batch<OtlpSpan>[] {
  const items: OtlpSpan[] = [];
  for (let task = 0; task < tasks; task++) {
    for (let n = 0; n < 3; n++) {
      const start = noon + BigInt(task) * 7_000_000_000n + BigInt(n) * 1_000_000n;
      items.push(
        span({
          traceId: id(1 + Math.floor(task / 2), 32),
          spanId: id(1 + task * 3 + n, 16),
          parentSpanId: n === 0 ? '' : id(1 + task * 3, 16),
          start,
          end: start + 1_000_000_000n,
          name: n === 0 ? 'work' : 'step',
          attributes: {
            'acme.job': `job-${task}`,
            'acme.customer': `c-${task % 5}`,
            ...(n === 1 ? { 'acme.step': 'fn', 'acme.notes': `${task} `.repeat(900) } : {}),
            ...(n === 2
              ? {
                  'gen_ai.operation.name': 'chat',
                  'gen_ai.request.model': 'gpt-4o',
                  'gen_ai.usage.input_tokens': 100,
                  'gen_ai.usage.output_tokens': 10,
                  'gen_ai.input.messages': `[{"role":"user","parts":[{"type":"text","content":"${task}"}]}]`,
                }
              : {}),
          },
        }),
      );
    }
  }
  return [batch(items)];
}

const lone: Batch<OtlpLog>[] = [
  batch([
    log({ traceId: '', spanId: '', attributes: { 'acme.job': 'job-lone', 'prompt.id': 'p-1' } }),
  ]),
];

const distribution: OtlpDistribution = {
  count: 2n,
  sum: 3,
  min: 1,
  max: 2,
  bounds: [1.5],
  bucketCounts: [1n, 1n],
  scale: 0,
  zeroCount: 0n,
  zeroThreshold: 0,
  positive: { offset: 0, counts: [] },
  negative: { offset: 0, counts: [] },
  quantiles: [],
};

/** Usage told by metrics alone, of a cumulative and a delta series, and a histogram; the resource is not all text. */
const told: Batch<OtlpPoint>[] = [
  batch(
    [
      ...[0n, 60n, 7200n].map((s) => point('claude_code.token.usage', s, { type: 'input' }, 40)),
      point('claude_code.token.usage', 61n, { type: 'output' }, 7),
      point('claude_code.commit.count', 62n, {}, 1),
      point('gen_ai.client.operation.duration', 63n, {}, null),
    ],
    { resource: { 'service.name': 'claude-code', 'process.pid': 4711 } },
  ),
];

function point(
  name: string,
  seconds: bigint,
  more: { readonly [key: string]: string },
  value: number | null,
): OtlpPoint {
  return {
    metric: {
      name,
      description: '',
      unit: '',
      type: value === null ? 'histogram' : 'sum',
      temporality: more['type'] === 'input' ? 2 : 1,
      monotonic: true,
    },
    start: noon,
    time: noon + seconds * 1_000_000_000n,
    attributes: attributes({
      'acme.job': 'job-metrics',
      'acme.customer': 'c-9',
      'prompt.id': 'p-2',
      model: 'claude-sonnet-4-5',
      ...more,
    }),
    flags: 0,
    exemplars: [],
    value: value === null ? null : BigInt(value),
    distribution: value === null ? distribution : null,
  };
}

function captured(): Batch<OtlpSpan>[] {
  const folder = new URL('../../test/fixtures/captures/pypi/', import.meta.url);
  const names = readdirSync(folder).filter((name) => name.endsWith('.traces.pb.gz'));
  return names.flatMap((name) => [
    ...decodeTraces(gunzipSync(readFileSync(new URL(name, folder))), 'protobuf').batches,
  ]);
}

async function fill(store: Store, project: string, normaliser: Normaliser): Promise<void> {
  const made = normaliser.normaliseSpans(project, [...work(300), ...captured()]);
  const records = normaliser.normaliseLogs(project, lone);
  const points = normaliser.normaliseMetrics(project, told);
  const named = [...made.taskTraces, ...records.taskTraces, ...points.taskTraces];
  await insert(store, taskTraces, named);
  await insert(store, traceBounds, [...made.bounds]);
  await insert(store, messages, [...made.messages]);
  await insert(store, spans, [...made.spans]);
  await insert(store, logs, [...records.logs]);
  await insert(store, metricsNumber, [...points.numbers]);
  await insert(store, metricsHistogram, [...points.histograms]);
  await createDeriver(store).derive([
    {
      project,
      traces: made.bounds.map(({ trace_id }) => trace_id),
      tasks: named.flatMap(({ task_id, trace_id }) => (trace_id === '' ? [task_id] : [])),
    },
  ]);
}

/** Everything that people see, without the versions and times of writing. */
async function answers(store: Store, project: string) {
  const rows = (columns: string, table: string, order: string) =>
    store.client
      .query({
        query: `SELECT ${columns} FROM ${table} WHERE project = {project:String} ORDER BY ${order}`,
        query_params: { project },
        format: 'JSONEachRow',
      })
      .then((result) => result.json<Record<string, unknown>>());
  const most = (those: string) => `* EXCEPT (project, ${those})`;
  const versions = 'ver, inserted_at, mapping_version';
  return {
    spans: await rows(most(versions), 'spans_v', 'trace_id, span_id'),
    logs: await rows(most('ver, inserted_at'), 'logs_v', 'time, hash'),
    numbers: await rows(most(versions), 'metrics_number_v', 'name, series, time'),
    histograms: await rows(most(versions), 'metrics_histogram_v', 'name, series, time'),
    tasks: await rows(most('ver, content_hash'), 'tasks FINAL', 'task_id'),
    messages: await rows('trace_id, hash, content', 'messages_v', 'trace_id, hash'),
  };
}

describe('remap', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openEmbedded();
  });
  afterAll(() => store.close());

  it('gives what the mapping would have given from the start, once', async () => {
    const mapping = { ...parseOwnMapping(own), version: 2 };
    const normaliser = await createNormaliser(mapping);
    await fill(store, 'former', await createNormaliser());
    const before = await answers(store, 'former');
    await fill(store, 'fresh', normaliser);

    const progress: number[] = [];
    const options = {
      store,
      normaliser,
      // The captures lie within a few minutes: these are read by pages, other minutes are put together.
      pageSize: 90,
      signal: new AbortController().signal,
      onProgress: (at: { spans: number }) => progress.push(at.spans),
    };
    const from = 0n;
    const to = 9_000_000_000_000_000_000n;
    const done = await remap(options, 'former', from, to);
    const ours = 900;
    expect(done).toEqual({
      spans: before.spans.length,
      rewritten: ours,
      logs: 1,
      points: 6,
      skipped: 0,
    });
    expect(progress.at(-1)).toBe(before.spans.length);
    const after = await answers(store, 'former');
    const expected = await answers(store, 'fresh');
    expect(after.spans).toEqual(expected.spans);
    expect(after.logs).toEqual(expected.logs);
    expect(after.numbers).toEqual(expected.numbers);
    expect(after.histograms).toEqual(expected.histograms);
    expect(after.histograms).toMatchObject([{ user_id: 'c-9', sum: 3 }]);
    expect(after.tasks).toEqual(expected.tasks);
    expect(after.tasks.map((row) => row['task_id'])).toContain('job-299');
    expect(after.tasks.map((row) => row['task_id'])).toContain('job-lone');
    const metered = after.tasks.find((row) => row['task_id'] === 'job-metrics');
    expect(metered).toMatchObject({ user_id: 'c-9', input_tokens: '40', output_tokens: '7' });
    expect(after.tasks.map((row) => row['task_id'])).not.toContain('p-2');
    expect(after.tasks.map((row) => row['task_id'])).not.toContain('p-1');
    // What the former mapping had put there stays, what this one needs is there.
    expect(after.messages).toEqual(expect.arrayContaining(expected.messages));

    // What no rule of this mapping reads otherwise is looked at again, and left as it is.
    const spansLeft = before.spans.length - ours;
    const rest = { spans: spansLeft, rewritten: 0, logs: 0, points: 0, skipped: 0 };
    expect(await remap(options, 'former', from, to)).toEqual(rest);
    expect(await answers(store, 'former')).toEqual(after);
  });
});
