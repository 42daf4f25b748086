import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createQuery } from '../../query/app.ts';
import { query, sql } from '../../store/sql.ts';
import { startReceiver, type TestReceiver } from './receiver.ts';

let receiver: TestReceiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.close());

const minute = 60_000_000_000n;
const noon = 1_795_176_000_000_000_000n; // 2026-11-20T12:00:00Z

const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });

/** A delta counter of one point per value and minute, as Claude Code sends its costs: no trace, a prompt's id. */
function counter(name: string, values: readonly number[], prompt: string, temporality = 1) {
  const dataPoints = values.map((asDouble, i) => ({
    attributes: [attribute('session.id', 's1'), attribute('prompt.id', prompt)],
    startTimeUnixNano: String(noon + BigInt(i) * minute),
    timeUnixNano: String(noon + BigInt(i + 1) * minute),
    asDouble,
  }));
  const sum = { aggregationTemporality: temporality, isMonotonic: true, dataPoints };
  return { name, unit: 'USD', sum };
}

async function send(...metrics: readonly unknown[]): Promise<unknown> {
  const scope = { name: 'com.anthropic.claude_code', version: '2.1.0' };
  const resource = { attributes: [attribute('service.name', 'claude-code')] };
  const response = await fetch(`${receiver.http}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics }] }] }),
  });
  await receiver.ingest.drained();
  return [response.status, await response.json()];
}

describe('a metric point', () => {
  it('counts once, however often and with whichever neighbours it is sent', async () => {
    const all = counter('claude_code.cost.usage', [0.25, 0.5, 1], 'p1');
    expect(await send(all)).toEqual([200, {}]);
    const again = { ...all, sum: { ...all.sum, dataPoints: all.sum.dataPoints.slice(1) } };
    await send(again, counter('other', [1], 'p1'));
    await send(all, counter('other', [1], 'p1'));
    const [row] = await query(
      receiver.store,
      sql`SELECT sum(value) AS cost, count() AS points, uniqExact(series) AS series
          FROM metrics_number_v WHERE name = 'claude_code.cost.usage'`,
    );
    expect(row).toEqual({ cost: 1.75, points: '3', series: '1' });
    expect(receiver.ingest.stats().accepted.metrics).toBe(3 + 3 + 4);
  });

  it('of two versions leaves the same one, whichever came last', async () => {
    const [a, b] = [counter('twice', [1], 'p'), counter('twice', [2], 'p')];
    const left = async () =>
      query(receiver.store, sql`SELECT value FROM metrics_number_v WHERE name = 'twice'`);
    await send(a);
    await send(b);
    const first = await left();
    // Not the same bytes: those would not be stored again.
    await send(a, counter('x', [1], 'p'));
    expect(first).toHaveLength(1);
    expect(await left()).toEqual(first);
    await send(b, counter('x', [2], 'p'));
    expect(await left()).toEqual(first);
  });

  it('names its task and session, where a task without traces will be looked for', async () => {
    await send(counter('claude_code.token.usage', [100], 'p7'));
    expect(
      await query(
        receiver.store,
        sql`SELECT task_id, task_id_kind, conversation_id, service, attributes['prompt.id'] AS prompt
            FROM metrics_number_v WHERE name = 'claude_code.token.usage'`,
      ),
    ).toEqual([
      {
        task_id: 'p7',
        task_id_kind: 'declared',
        conversation_id: 's1',
        service: 'claude-code',
        prompt: 'p7',
      },
    ]);
    const traces = await query(
      receiver.store,
      sql`SELECT trace_id FROM task_traces WHERE task_id = 'p7'`,
    );
    expect(traces).toEqual([{ trace_id: '' }]);
  });

  it('of a cumulative series does not have its task derived at every interval', async () => {
    await send(counter('steps', [1, 2], 'p8', 2));
    expect(
      await query(receiver.store, sql`SELECT trace_id FROM task_traces WHERE task_id = 'p8'`),
    ).toEqual([]);
  });

  it('keeps its neighbours when it is refused: no time, no name, an impossible number', async () => {
    const good = counter('kept', [1, 2], 'p9');
    const [first, second] = good.sum.dataPoints;
    const dataPoints = [{ ...first, timeUnixNano: 0 }, second, { ...first, asDouble: 'much' }];
    const [status, body] = (await send(
      { ...good, sum: { ...good.sum, dataPoints } },
      { ...good, name: '' },
    )) as [number, { partialSuccess: { rejectedDataPoints: string; errorMessage: string } }];
    expect(status).toBe(200);
    const path = 'resourceMetrics[0].scopeMetrics[0]';
    expect(body.partialSuccess.rejectedDataPoints).toBe('4');
    expect(body.partialSuccess.errorMessage.split('; ').slice(0, 3)).toEqual([
      `${path}.metrics[0].dataPoints[0]: time is not set`,
      `${path}.metrics[0].dataPoints[2]: asDouble is not a number`,
      `${path}.metrics[1]: the metric has no name`,
    ]);
    expect(
      await query(receiver.store, sql`SELECT value FROM metrics_number_v WHERE name = 'kept'`),
    ).toEqual([{ value: 2 }]);
  });

  it('keeps what SQL would lose: exact integers, no value, infinite and unmatched buckets', async () => {
    const at = { timeUnixNano: String(noon) };
    await send(
      { name: 'exact', gauge: { dataPoints: [{ ...at, asInt: '9007199254740993' }] } },
      { name: 'none', gauge: { dataPoints: [{ ...at, flags: 1 }] } },
      {
        name: 'odd',
        histogram: {
          dataPoints: [{ ...at, count: 3, bucketCounts: [1, 1, 1], explicitBounds: [1] }],
        },
      },
      {
        name: 'quantiles',
        summary: {
          dataPoints: [
            { ...at, count: '2', sum: 3, quantileValues: [{ quantile: 0.5, value: 'Infinity' }] },
          ],
        },
      },
    );
    expect(
      await query(
        receiver.store,
        sql`SELECT name, value, value_int, flags FROM metrics_number_v WHERE name IN ('exact', 'none') ORDER BY name`,
      ),
    ).toEqual([
      { name: 'exact', value: 9007199254740992, value_int: '9007199254740993', flags: 0 },
      { name: 'none', value: null, value_int: null, flags: 1 },
    ]);
    expect(
      await query(
        receiver.store,
        sql`SELECT name, type, count, sum, bounds, bucket_counts, isInfinite(quantile_values[1]) AS infinite
            FROM metrics_histogram_v WHERE name IN ('odd', 'quantiles') ORDER BY name`,
      ),
    ).toEqual([
      {
        ...{ name: 'odd', type: 'histogram', count: '3', sum: null, bounds: [1] },
        ...{ bucket_counts: ['1', '1', '1'], infinite: 0 },
      },
      {
        ...{ name: 'quantiles', type: 'summary', count: '2', sum: 3, bounds: [] },
        ...{ bucket_counts: [], infinite: 1 },
      },
    ]);
  });
});

describe('the API', () => {
  const api = () =>
    createQuery({
      store: receiver.store,
      objectives: [],
      project: () => 'default',
      now: () => new Date(Number(noon / 1_000_000n) + 600_000),
      version: 'test',
      checks: async () => [],
      metrics: () => [],
      report: (error) => {
        throw error;
      },
    });
  const get = async (path: string) => (await api().request(path)).json();

  it('lists what came in', async () => {
    expect(await get('/api/v1/metrics?name=claude_code.cost.usage')).toEqual({
      metrics: [
        {
          ...{ name: 'claude_code.cost.usage', type: 'sum', unit: 'USD', series: 1, points: 3 },
          ...{
            first_at: '2026-11-20T12:01:00.000000000Z',
            last_at: '2026-11-20T12:03:00.000000000Z',
          },
        },
      ],
      next_cursor: null,
    });
  });

  it('pages through the points of a metric, newest first', async () => {
    const path = '/api/v1/metrics/points?name=claude_code.cost.usage&task_id=p1&limit=2';
    const first = (await get(path)) as { points: { value: number }[]; next_cursor: string };
    expect(first.points.map(({ value }) => value)).toEqual([1, 0.5]);
    const second = (await get(`${path}&cursor=${first.next_cursor}`)) as typeof first;
    expect(second).toMatchObject({
      points: [
        {
          value: 0.25,
          at: '2026-11-20T12:01:00.000000000Z',
          started_at: '2026-11-20T12:00:00.000000000Z',
          session_id: 's1',
        },
      ],
      next_cursor: null,
    });
    expect(await get('/api/v1/metrics/points?name=odd')).toMatchObject({
      points: [{ count: 3, bucket_counts: [1, 1, 1], value: null, started_at: null }],
    });
  });
});
