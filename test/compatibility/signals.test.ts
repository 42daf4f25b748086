import { readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createQuery } from '../../query/app.ts';
import { rebuild } from '../../store/derive/rebuild.ts';
import { query, sql } from '../../store/sql.ts';
import { startReceiver, type TestReceiver } from '../otlp/receiver.ts';

// Coding agents report one call in up to three signals. Prices by hand, USD per million tokens:
// claude-sonnet-4-5: input 3, output 15, cache read 0.30, cache write 3.75; gpt-5-codex: 1.25, 10, cache read 0.125.

const noon = 1_795_176_000_000n; // 2026-11-20T12:00:00Z, in ms
const at = (ms: number) => String((noon + BigInt(ms)) * 1_000_000n);
const clock = () => new Date(Number(noon) + 3_600_000);

type Values = Readonly<Record<string, string | number>>;

const attributes = (values: Values) =>
  Object.entries(values).map(([key, value]) => ({
    key,
    value:
      typeof value === 'string'
        ? { stringValue: value }
        : Number.isInteger(value)
          ? { intValue: String(value) }
          : { doubleValue: value },
  }));

interface Body {
  readonly path: 'logs' | 'metrics' | 'traces';
  readonly service: string;
  readonly scope: string;
  readonly items: readonly object[];
}

const log = (ms: number, name: string, values: Values, trace = '') => ({
  timeUnixNano: at(ms),
  body: { stringValue: name },
  attributes: attributes({ 'event.name': name.slice(name.indexOf('.') + 1), ...values }),
  ...(trace === '' ? {} : { traceId: trace, spanId: trace.slice(0, 16) }),
});

/** One request of Claude Code of two that answer a prompt, as its log record has it. */
const apiRequest = (ms: number, session: string, id: string, values: Values, trace = '') =>
  log(
    ms,
    'claude_code.api_request',
    {
      'session.id': session,
      'prompt.id': `prompt-${session}`,
      model: 'claude-sonnet-4-5-20250929',
      request_id: id,
      ...values,
    },
    trace,
  );
// (1000 + 9000 × 0.1 + 2000 × 1.25) × 3e-6 + 500 × 15e-6 = 0.0132 + 0.0075
const first = {
  input_tokens: 1000,
  cache_read_tokens: 9000,
  cache_creation_tokens: 2000,
  output_tokens: 500,
  cost_usd: 0.0207,
  duration_ms: 4000,
};
// (200 + 12000 × 0.1) × 3e-6 + 100 × 15e-6 = 0.0042 + 0.0015
const second = {
  input_tokens: 200,
  cache_read_tokens: 12_000,
  cache_creation_tokens: 0,
  output_tokens: 100,
  cost_usd: 0.0057,
  duration_ms: 2000,
};
const SHEET = { cost: 0.0264, input: 24_200, output: 600, read: 21_000, write: 2000 };

const claude = (path: Body['path'], items: readonly object[]): Body => ({
  path,
  service: 'claude-code',
  scope: 'com.anthropic.claude_code',
  items,
});

const logsOf = (session: string, trace = '') =>
  claude('logs', [
    log(0, 'claude_code.user_prompt', {
      'session.id': session,
      'prompt.id': `prompt-${session}`,
      prompt_length: 12,
    }),
    apiRequest(4500, session, `req-${session}-1`, first, trace),
    log(6000, 'claude_code.tool_result', {
      'session.id': session,
      'prompt.id': `prompt-${session}`,
      tool_name: 'Bash',
      success: 'false',
      duration_ms: 700,
    }),
    apiRequest(9000, session, `req-${session}-2`, second, trace),
  ]);

const metric = (name: string, points: readonly [Values, number][], ms = 60_000) => ({
  name,
  sum: {
    aggregationTemporality: 1,
    isMonotonic: true,
    dataPoints: points.map(([values, asDouble]) => ({
      attributes: attributes(values),
      startTimeUnixNano: at(0),
      timeUnixNano: at(ms),
      asDouble,
    })),
  },
});

/** The same two requests as Claude Code's counters have them: without a prompt, by type. */
const metricsOf = (session: string) => {
  const own = { 'session.id': session, model: 'claude-sonnet-4-5-20250929' };
  return claude('metrics', [
    metric('claude_code.token.usage', [
      [{ ...own, type: 'input' }, 1200],
      [{ ...own, type: 'output' }, 600],
      [{ ...own, type: 'cacheRead' }, 21_000],
      [{ ...own, type: 'cacheCreation' }, 2000],
    ]),
    metric('claude_code.cost.usage', [[own, 0.0264]]),
  ]);
};

const span = (
  trace: string,
  id: string,
  parent: string,
  ms: number,
  length: number,
  v: Values,
) => ({
  traceId: trace,
  spanId: id,
  parentSpanId: parent,
  name: String(v['span.type']),
  startTimeUnixNano: at(ms),
  endTimeUnixNano: at(ms + length),
  attributes: attributes(v),
});

/** The same two requests as spans. */
const spansOf = (session: string, trace: string, ids: Values = {}) =>
  claude('traces', [
    span(trace, '00000000000000a1', '', 0, 9100, {
      'span.type': 'claude_code.interaction',
      'session.id': session,
      ...ids,
    }),
    ...[first, second].map(({ cost_usd: _, ...usage }, i) =>
      span(
        trace,
        `00000000000000b${i}`,
        '00000000000000a1',
        i === 0 ? 500 : 7000,
        usage.duration_ms,
        {
          'span.type': 'claude_code.llm_request',
          'session.id': session,
          model: 'claude-sonnet-4-5-20250929',
          request_id: `req-${session}-${i + 1}`,
          ...usage,
          ...ids,
        },
      ),
    ),
  ]);

function encode({ path, service, scope, items }: Body): unknown {
  const resource = { attributes: attributes({ 'service.name': service }) };
  const of = { name: scope };
  if (path === 'logs')
    return { resourceLogs: [{ resource, scopeLogs: [{ scope: of, logRecords: items }] }] };
  return path === 'metrics'
    ? { resourceMetrics: [{ resource, scopeMetrics: [{ scope: of, metrics: items }] }] }
    : { resourceSpans: [{ resource, scopeSpans: [{ scope: of, spans: items }] }] };
}

/** What an agent's exporter sent (`capture/agents.ts`). */
interface Captured {
  readonly path: Body['path'];
  readonly bytes: Buffer;
}

const folder = new URL('../fixtures/signals/', import.meta.url);

function captured(name: string): Captured[] {
  const files = readdirSync(folder).filter((file) => file.startsWith(name));
  return files.sort().map((file) => ({
    path: file.split('.').at(-3) as Body['path'],
    bytes: gunzipSync(readFileSync(new URL(file, folder))),
  }));
}

interface Task {
  readonly task_id: string;
  readonly state: string;
  readonly cost_usd: number | null;
  readonly [name: string]: unknown;
}

describe('usage outside spans', () => {
  let receiver: TestReceiver;
  let project = 0;
  beforeAll(async () => {
    receiver = await startReceiver({ project: () => `p${project}` });
  });
  afterAll(() => receiver.close());

  /** Sends to a project of its own, each body in a batch of its own, and answers what the API then says. */
  async function received(bodies: readonly (Body | Captured)[]) {
    project += 1;
    for (const body of bodies) {
      const isJson = 'items' in body;
      const response = await fetch(`${receiver.http}/v1/${body.path}`, {
        method: 'POST',
        headers: { 'content-type': isJson ? 'application/json' : 'application/x-protobuf' },
        body: isJson ? JSON.stringify(encode(body)) : body.bytes,
      });
      expect(response.status).toBe(200);
      await receiver.ingest.drained();
    }
    const app = createQuery({
      store: receiver.store,
      project: () => `p${project}`,
      now: clock,
      version: '0',
      objectives: [],
      checks: async () => [],
    } as unknown as Parameters<typeof createQuery>[0]);
    const get = async (path: string) => (await app.request(path)).json() as Promise<unknown>;
    const range = 'from=2026-11-20T00:00:00Z&to=2026-11-21T00:00:00Z';
    const { tasks } = (await get(`/api/v1/tasks?${range}`)) as { tasks: Task[] };
    const total = (await get(`/api/v1/costs?group_by=&${range}`)) as { groups: Task[] };
    return {
      tasks: tasks.toSorted((a, b) => (a.task_id < b.task_id ? -1 : 1)),
      total: total.groups,
      get,
    };
  }

  /** Orders in which each comes once before and once after every other. */
  const orders = <T>([first, second, ...rest]: readonly T[]): T[][] => {
    if (first === undefined || second === undefined) throw new Error('nothing to order');
    return [
      [first, second, ...rest],
      [...rest.toReversed(), second, first],
      ...(rest.length === 0 ? [] : [[second, ...rest, first]]),
    ];
  };

  it('makes a task of log records alone', async () => {
    const { tasks, total, get } = await received([logsOf('s')]);
    expect(tasks).toHaveLength(1);
    expect(tasks[0]).toMatchObject({
      task_id: 'prompt-s',
      session_id: 's',
      state: 'done',
      outcome: 'unknown',
      models: ['claude-sonnet-4-5-20250929'],
      providers: ['anthropic'],
      llm_calls: 2,
      tool_calls: 1,
      tool_errors: 1,
      model_ms: 6000,
      input_tokens: SHEET.input,
      output_tokens: SHEET.output,
      cache_read_tokens: SHEET.read,
      cache_write_tokens: SHEET.write,
    });
    expect(tasks[0]?.cost_usd).toBeCloseTo(SHEET.cost, 10);
    expect(tasks[0]?.['cost_usd_reported']).toBeCloseTo(SHEET.cost, 10);
    expect(total[0]?.cost_usd).toBeCloseTo(SHEET.cost, 10);
    expect(await get('/api/v1/tasks/prompt-s/spans')).toMatchObject({ spans: [] });
    expect(await get('/api/v1/tasks/prompt-s/decisions')).toMatchObject({ decisions: [] });
  });

  it('makes a task of the metrics of a session alone, cumulative ones too', async () => {
    const { tasks } = await received([metricsOf('s')]);
    expect(tasks).toHaveLength(1);
    expect(tasks[0]).toMatchObject({
      task_id: 's',
      attribution: 'session',
      state: 'done',
      input_tokens: SHEET.input,
      output_tokens: SHEET.output,
      cache_read_tokens: SHEET.read,
      cache_write_tokens: SHEET.write,
    });
    expect(tasks[0]?.cost_usd).toBeCloseTo(SHEET.cost, 10);
    expect(tasks[0]?.['cost_usd_reported']).toBeCloseTo(SHEET.cost, 10);

    const rows = () =>
      query(receiver.store, sql`SELECT * EXCEPT ver FROM tasks FINAL ORDER BY ALL`);
    const before = await rows();
    await rebuild(receiver.store, `p${project}`, 0n, 2n ** 62n);
    expect(await rows()).toEqual(before);

    const histogram = (ms: number, type: string, sum: number) => ({
      name: 'gen_ai.client.token.usage',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          {
            attributes: attributes({
              'gen_ai.conversation.id': 'c',
              'gen_ai.token.type': type,
              'gen_ai.request.model': 'gpt-5-codex',
              'gen_ai.provider.name': 'openai',
            }),
            startTimeUnixNano: at(0),
            timeUnixNano: at(ms),
            count: '1',
            sum,
            bucketCounts: ['1'],
          },
        ],
      },
    });
    const totals = (ms: number, input: number, output: number): Body => ({
      path: 'metrics',
      service: 'app',
      scope: 'app',
      items: [histogram(ms, 'input', input), histogram(ms, 'output', output)],
    });
    const grown = await received([
      totals(60_000, 1000, 10),
      totals(120_000, 4000, 40),
      totals(180_000, 4000, 40),
    ]);
    expect(grown.tasks).toMatchObject([
      {
        task_id: 'c',
        input_tokens: 4000,
        output_tokens: 40,
        last_signal_at: '2026-11-20T12:02:00.000000000Z',
      },
    ]);
    // 4000 × 1.25e-6 + 40 × 10e-6
    expect(grown.tasks[0]?.cost_usd).toBeCloseTo(0.0054, 10);
  });

  const trace = '0123456789abcdef0123456789abcdef';

  const loneRecords = logsOf('s');

  it('counts once what log records and metrics tell, in any order', async () => {
    const answers: unknown[] = [];
    for (const order of orders([logsOf('s'), metricsOf('s')])) {
      const { tasks, total } = await received([...order, logsOf('s')]);
      expect(tasks.map(({ task_id }) => task_id)).toEqual(['prompt-s']);
      expect(total[0]?.cost_usd).toBeCloseTo(SHEET.cost, 10);
      answers.push(tasks);
    }
    for (const one of answers) expect(one).toEqual(answers[0]);
  });

  it.each([
    ['records inside the trace', logsOf('s', trace), spansOf('s', trace)],
    ['records without a trace', loneRecords, spansOf('s', trace)],
    ['a prompt on all', logsOf('s'), spansOf('s', trace, { 'prompt.id': 'prompt-s' })],
  ])('counts once what spans, records and metrics tell: %s', async (_name, records, spans) => {
    const answers: unknown[] = [];
    for (const order of orders([records, spans, metricsOf('s')])) {
      const { tasks, total } = await received(order);
      expect(total[0]?.cost_usd).toBeCloseTo(SHEET.cost, 10);
      const sum = (name: string) => tasks.reduce((all, one) => all + Number(one[name] ?? 0), 0);
      expect([sum('llm_calls'), sum('input_tokens')]).toEqual([2, SHEET.input]);
      answers.push(tasks);
    }
    for (const one of answers) expect(one).toEqual(answers[0]);
  });

  it('counts what a session without tracing adds to one with it', async () => {
    const later = claude('logs', [apiRequest(900_000, 's', 'req-later', second)]);
    const { total } = await received([spansOf('s', trace), logsOf('s'), later]);
    expect(total[0]?.cost_usd).toBeCloseTo(SHEET.cost + 0.0057, 10);
  });

  it('makes a task of the session of an agent that names no prompt', async () => {
    const codex = (items: readonly object[]): Body => ({
      path: 'logs',
      service: 'codex_cli_rs',
      scope: 'codex',
      items,
    });
    const own = { 'conversation.id': 'conv', model: 'gpt-5-codex' };
    const { tasks } = await received([
      codex([
        log(0, 'codex.conversation_starts', own),
        log(100, 'codex.user_prompt', own),
        log(3000, 'codex.sse_event', { ...own, 'event.kind': 'response.output_text.delta' }),
        log(4000, 'codex.sse_event', {
          ...own,
          'event.kind': 'response.completed',
          input_token_count: '3000',
          cached_token_count: '1000',
          output_token_count: '200',
          reasoning_token_count: '50',
        }),
        log(4500, 'codex.tool_decision', {
          ...own,
          decision: 'denied',
          source: 'User',
          call_id: 'c1',
        }),
        log(5000, 'codex.tool_result', {
          ...own,
          tool_name: 'shell',
          call_id: 'c2',
          success: 'true',
        }),
      ]),
    ]);
    expect(tasks).toMatchObject([
      {
        task_id: 'conv',
        session_id: 'conv',
        attribution: 'session',
        state: 'done',
        llm_calls: 1,
        tool_calls: 1,
        tool_errors: 0,
        approvals: 1,
        escalated: true,
        input_tokens: 3000,
        reasoning_tokens: 50,
      },
    ]);
    // 2000 × 1.25e-6 + 1000 × 0.125e-6 + 200 × 10e-6
    expect(tasks[0]?.cost_usd).toBeCloseTo(0.004_625, 10);
  });

  it('makes no task of a session in which nothing was called', async () => {
    const { tasks } = await received([
      claude('logs', [log(0, 'claude_code.mcp_server_connection', { 'session.id': 's' })]),
      claude('metrics', [metric('claude_code.session.count', [[{ 'session.id': 's' }, 1]])]),
    ]);
    expect(tasks).toEqual([]);
  });

  // The script answers with 300 tokens of input, 400 read from the cache, 300 written to it (100 of these for an hour,
  // which no signal tells) and 80 of output. Claude Code 2.1.197 itself reports 0.00357:
  // 300 × 3 + 400 × 0.30 + 200 × 3.75 + 100 × 6 + 80 × 15; without the hour 300 × 3.75, that is 0.003345.
  const claudeSheet = {
    llm_calls: 1,
    input_tokens: 1000,
    output_tokens: 80,
    cache_read_tokens: 400,
    cache_write_tokens: 300,
  };

  it.each([
    ['log records', [0]],
    ['metrics', [1]],
    ['records, then metrics', [0, 1]],
    ['metrics, then records', [1, 0]],
  ])('reads Claude Code as captured: %s', async (_name, order) => {
    const all = captured('claude-code@2.1.197.plain');
    const { tasks } = await received(order.flatMap((i) => all[i] ?? []));
    expect(tasks).toHaveLength(1);
    expect(tasks[0]).toMatchObject(claudeSheet);
    expect(tasks[0]?.cost_usd).toBeCloseTo(0.003345, 10);
    expect(tasks[0]?.['cost_usd_reported']).toBeCloseTo(0.00357, 10);
  });

  it('reads Claude Code as captured with spans, in any order', async () => {
    for (const order of orders(captured('claude-code@2.1.197.traced'))) {
      const { tasks, total } = await received(order);
      expect(tasks).toHaveLength(1);
      expect(tasks[0]).toMatchObject({ ...claudeSheet, attribution: 'declared', ttft_ms: 45 });
      expect(total[0]?.cost_usd).toBeCloseTo(0.003345, 10);
    }
  });

  it('reads Codex as captured', async () => {
    const { tasks } = await received(captured('codex@0.169.0.plain'));
    // 600 × 1.25 + 400 × 0.125 + 80 × 10
    expect(tasks).toMatchObject([
      {
        llm_calls: 1,
        unmetered_calls: 0,
        models: ['gpt-5-codex'],
        input_tokens: 1000,
        cache_read_tokens: 400,
        output_tokens: 80,
        reasoning_tokens: 30,
        ttft_ms: 28,
      },
    ]);
    expect(tasks[0]?.cost_usd).toBeCloseTo(0.0016, 10);
  });
});
