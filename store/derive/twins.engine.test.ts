import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import type { Store } from '../connection.ts';
import { query, sql } from '../sql.ts';
import type { SpanRow } from '../tables/spans.ts';
import { createDeriver } from './deriver.ts';
import { ms, spanRow, taskSpan } from './fixtures.ts';
import { putRows } from './fixtures-store.ts';
import { deriveTasks } from './task.ts';

const caller = 'a'.repeat(32);
const gateway = 'b'.repeat(32);
const second = 'c'.repeat(32);

interface Usage {
  readonly input?: bigint;
  readonly output?: bigint;
}

const llm = (
  trace_id: string,
  span_id: string,
  values: Partial<SpanRow>,
  { input = 100n, output = 10n }: Usage = {},
): SpanRow =>
  spanRow({
    trace_id,
    span_id,
    kind: 'llm',
    name: 'chat gpt-4o',
    request_model: 'gpt-4o',
    provider: 'openai',
    input_tokens: input,
    output_tokens: output,
    ...values,
  });

/** An agent with two calls through a gateway. Tokens by hand: 100 + 10, and 300 + 30. */
const agent = [
  spanRow({
    trace_id: caller,
    span_id: 'root',
    kind: 'agent',
    agent_name: 'support',
    end: ms(9000),
  }),
  llm(caller, 'one', {
    parent_id: 'root',
    scope_name: 'sdk',
    response_id: 'r1',
    start: ms(1000),
    end: ms(3000),
  }),
  llm(
    caller,
    'two',
    { parent_id: 'root', scope_name: 'sdk', response_id: 'r2', start: ms(4000), end: ms(6000) },
    { input: 300n, output: 30n },
  ),
];

/** What the gateway tells of each: its own request, and what it sent on, in a trace of its own. */
const through = (trace: string, id: string, start: number, usage: Usage = {}) => [
  llm(
    trace,
    'in',
    {
      scope_name: 'litellm',
      service: 'gateway',
      response_id: id,
      start: ms(start),
      end: ms(start + 1500),
    },
    usage,
  ),
  llm(
    trace,
    'out',
    {
      parent_id: 'in',
      scope_name: 'openai',
      service: 'gateway',
      start: ms(start + 100),
      end: ms(start + 1400),
    },
    usage,
  ),
];
const first = through(gateway, 'r1', 1100);
const next = through(second, 'r2', 4100, { input: 300n, output: 30n });

const shape = (spans: readonly SpanRow[]) =>
  deriveTasks(spans.map(taskSpan), []).map((task) => [
    task.task_id,
    task.llm_calls,
    task.input_tokens,
    task.output_tokens,
    task.trace_ids.length,
  ]);

describe('a call told of in two traces', () => {
  it('counts once, in the task of its caller, to which the gateway’s trace belongs', () => {
    expect(shape([...agent, ...first, ...next])).toEqual([[caller, 2, 400n, 40n, 3]]);
    expect(shape([...next, ...first, ...agent])).toEqual([[caller, 2, 400n, 40n, 3]]);
  });

  it('counts where its usage is known, whoever came first', () => {
    const silent = agent.map((row) => ({ ...row, input_tokens: null, output_tokens: null }));
    expect(shape([...silent, ...first, ...next])).toEqual([[caller, 2, 400n, 40n, 3]]);
  });

  it('belongs to the caller also where the clock of the gateway is ahead', () => {
    const ahead = [...first, ...next].map((row) => {
      return { ...row, start: row.start - 400_000_000n, end: row.end - 400_000_000n };
    });
    expect(shape([...agent, ...ahead])).toEqual([[caller, 2, 400n, 40n, 3]]);
  });

  it('stays two where one instrumentation tells of both, or they are apart in time, or a server repeats its id', () => {
    const again = agent.map((row) => ({ ...row, trace_id: gateway }));
    expect(shape([...agent, ...again])).toHaveLength(2);
    const later = through(gateway, 'r1', 600_000);
    expect(shape([...agent, ...later]).map(([, calls]) => calls)).toEqual([2, 1]);
    const many = Array.from({ length: 9 }, (_, i) => through(String(i).repeat(32), 'r1', 1100));
    const found = shape([...agent, ...many.flat()]);
    expect(found).toHaveLength(10);
  });

  it('belongs to the task that the gateway itself names', () => {
    const named = first.map((row) => ({ ...row, task_id: 'batch', task_id_kind: 'declared' }));
    expect(shape([...agent, ...named])).toEqual([
      [caller, 2, 400n, 40n, 1],
      ['batch', 0, null, null, 1],
    ]);
  });
});

describe('a call told of in two traces, stored', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openEmbedded();
  });
  afterAll(() => store.close());

  const orders = <T>(items: readonly T[]): T[][] =>
    items.length < 2
      ? [[...items]]
      : items.flatMap((one, i) => orders(items.toSpliced(i, 1)).map((rest) => [one, ...rest]));

  it('counts once in whatever order the traces came', async () => {
    const { derive } = createDeriver(store);
    for (const [i, order] of orders([agent, first, next]).entries()) {
      for (const rows of order) await derive([await putRows(store, `p${i}`, rows)]);
      // A late span of the gateway changes nothing.
      await derive([await putRows(store, `p${i}`, first.slice(1))]);
    }
    const rows = await query(
      store,
      sql`SELECT task_id, llm_calls, input_tokens, output_tokens, length(trace_ids) AS traces, count() AS projects
        FROM tasks FINAL GROUP BY ALL`,
    );
    expect(rows).toEqual([
      {
        task_id: caller,
        llm_calls: 2,
        input_tokens: '400',
        output_tokens: '40',
        traces: '3',
        projects: '6',
      },
    ]);
  });
});
