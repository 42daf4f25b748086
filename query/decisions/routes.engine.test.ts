import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../store/connection.ts';
import { createDeriver } from '../../store/derive/deriver.ts';
import { logRow, spanRow } from '../../store/derive/fixtures.ts';
import { insert } from '../../store/insert.ts';
import { logs } from '../../store/tables/logs.ts';
import { type MessageRow, messages } from '../../store/tables/messages.ts';
import { type SpanRow, spans } from '../../store/tables/spans.ts';
import { taskTraces } from '../../store/tables/task-traces.ts';
import { traceBounds } from '../../store/tables/trace-bounds.ts';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import { committedRuns, evidenceOf, type RecordedRun } from '../../test/decisions/recorded-run.ts';
import { onError } from '../problem.ts';
import type { DecisionsAnswer } from './answer.ts';
import type { DecisionSpan, TaskEvidence } from './evidence.ts';
import { decisionsRoutes } from './routes.ts';

const now = new Date('2026-03-04T12:00:00Z');

let store: Store;
let app: ReturnType<typeof decisionsRoutes>;

beforeAll(async () => {
  store = await openEmbedded();
  app = decisionsRoutes({ store, project: () => 'p', now: () => now });
  app.onError(
    onError((error) => {
      throw error;
    }),
  );
  await write(evidenceOf(committedRuns()[0] as RecordedRun));
});

afterAll(() => store.close());

const hash = (text: string) => BigInt(`0x${text}`);
const task = 'tau-airline-0-0';

function toRow(span: DecisionSpan): SpanRow {
  const { input_tokens, output_tokens } = span;
  return spanRow({
    trace_id: span.trace_id,
    span_id: span.span_id,
    start: span.start,
    end: span.end,
    ver: (1n << 63n) | 1n,
    kind: span.kind,
    task_id: task,
    task_id_kind: 'declared',
    workflow: 'airline-support',
    agent_name: span.agent_name,
    request_model: span.request_model,
    response_model: span.response_model,
    provider: 'openai',
    input_tokens: input_tokens === null ? null : BigInt(input_tokens),
    output_tokens: output_tokens === null ? null : BigInt(output_tokens),
    ttft_ms: span.ttft_ms,
    finish_reason: span.finish_reason,
    tool_name: span.tool_name,
    tool_call_id: span.tool_call_id,
    tool_error_by: span.tool_error_by,
    input_messages: span.input_messages.map(hash),
    output_messages: span.output_messages.map(hash),
    tool_definitions: span.tool_definitions.map(hash),
    tool_result: span.tool_result.map(hash),
  });
}

/** What ingest would have stored for a task, and for a neighbour on the same trace. */
async function write({ spans: own, content }: TaskEvidence) {
  const [first] = own;
  if (first === undefined) throw new Error('no span');
  const { trace_id, start } = first;
  const rows = own.map(toRow);
  const neighbour = { ...toRow(first), span_id: 'ffffffffffffffff', task_id: 'other' };
  const last = rows.at(-1)?.end ?? start;
  const day = Number(start / 86_400_000_000_000n);
  const texts = [...content].map(
    ([key, text]): MessageRow => ({ project: 'p', day, trace_id, hash: hash(key), content: text }),
  );
  const bounds = { project: 'p', trace_id, first: start, last };
  const ended = logRow({
    event_name: 'agent.task.state',
    trace_id,
    span_id: first.span_id,
    time: last,
    task_id: task,
    task_id_kind: 'declared',
    attributes: [['agent.task.state', 'failed']],
  });
  await insert(store, taskTraces, [
    { ...bounds, task_id: task },
    { ...bounds, task_id: 'other' },
  ]);
  await insert(store, traceBounds, [bounds]);
  await insert(store, messages, texts);
  await insert(store, spans, [...rows, neighbour]);
  await insert(store, logs, [ended]);
  await createDeriver(store).derive([{ project: 'p', traces: [trace_id], tasks: [] }]);
}

describe('GET /api/v1/tasks/{id}/decisions', () => {
  it('answers the decisions of the task and of no other on its trace', async () => {
    const response = await app.request(`/api/v1/tasks/${task}/decisions`);
    expect(response.status).toBe(200);
    const answer = (await response.json()) as DecisionsAnswer;
    expect(answer).toMatchObject({
      task_id: task,
      workflow: 'airline-support',
      state: 'failed',
      outcome: 'failure',
      outcome_source: 'inferred',
      complete: true,
      next_cursor: null,
    });
    expect(answer.decisions).toHaveLength(15);
    expect(answer.decisions[9]).toMatchObject({
      summary:
        'book_reservation → error: payment amount does not add up, total price is 305, but paid 255',
      usage: { input_tokens: 100, output_tokens: 10 },
      ttft_ms: 380,
      duration_ms: 900,
    });
    expect(answer.findings.map(({ finding }) => finding)).toEqual(['silent_tool_failure']);
    expect(answer.suspects[0]?.decision).toBe(answer.decisions[9]?.id);
  });

  it('pages by its cursor', async () => {
    const first = (await (
      await app.request(`/api/v1/tasks/${task}/decisions?limit=10`)
    ).json()) as DecisionsAnswer;
    const url = `/api/v1/tasks/${task}/decisions?limit=10&cursor=${first.next_cursor}`;
    const second = (await (await app.request(url)).json()) as DecisionsAnswer;
    expect(second.decisions.map(({ n }) => n)).toEqual([11, 12, 13, 14, 15]);
    expect(second.next_cursor).toBeNull();
  });

  it('explains itself to a terminal', async () => {
    const response = await app.request(`/api/v1/tasks/${task}/decisions`, {
      headers: { accept: 'text/plain' },
    });
    expect(response.headers.get('content-type')).toContain('text/plain');
    expect(await response.text()).toContain('no source in any message or result   ◄ suspect 1');
  });

  it.each([
    [404, '/api/v1/tasks/nobody/decisions'],
    [400, `/api/v1/tasks/${task}/decisions?content=some`],
    [400, `/api/v1/tasks/${task}/decisions?limit=0`],
    [400, `/api/v1/tasks/${task}/decisions?cursor=nonsense`],
    [400, `/api/v1/tasks/${task}/decisions?what=else`],
  ])('answers %i to %s', async (status, path) => {
    const response = await app.request(path);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  });
});
