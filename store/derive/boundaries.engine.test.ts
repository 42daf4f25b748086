import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import type { Store } from '../connection.ts';
import { insert } from '../insert.ts';
import { param, query, sql } from '../sql.ts';
import type { SpanRow } from '../tables/spans.ts';
import { conversationKey, taskTraces } from '../tables/task-traces.ts';
import { replaceWorkflowSettings, type WorkflowSettings } from '../workflows.ts';
import { createDeriver } from './deriver.ts';
import { EPOCH, ms, spanRow } from './fixtures.ts';
import { putRows } from './fixtures-store.ts';
import { rebuild } from './rebuild.ts';

const minute = 60_000;
const settings = (workflow: string, given: Partial<WorkflowSettings>): WorkflowSettings => ({
  workflow,
  boundary: '',
  idle_s: 1800,
  success_when: '',
  abandoned_running_s: 0,
  abandoned_queued_s: 0,
  abandoned_waiting_s: 0,
  ...given,
});

describe('boundaries of workflows', () => {
  let store: Store;
  beforeAll(async () => {
    store = await openEmbedded();
  });
  afterAll(() => store.close());

  async function ingest(project: string, rows: readonly SpanRow[]) {
    const touched = await putRows(store, project, rows);
    const links = rows.map(({ trace_id, start, conversation_id }) => {
      return {
        project,
        task_id: conversationKey(conversation_id),
        trace_id,
        first: start,
        last: start,
      };
    });
    await insert(store, taskTraces, links);
    await createDeriver(store).derive([touched]);
  }

  const turn = (trace_id: string, at: number) => {
    const start = ms(at * minute);
    const names = { conversation_id: 'c', workflow: 'chat', name: 'turn' };
    return spanRow({ trace_id, span_id: `${trace_id}s`, start, end: start + 1n, ...names });
  };

  const found = async (project: string) => {
    const rows = await query<{ task_id: string; trace_ids: string[] }>(
      store,
      sql`SELECT task_id, trace_ids FROM tasks FINAL WHERE project = ${param('String', project)} ORDER BY task_id`,
    );
    return rows.map(({ task_id, trace_ids }) => `${task_id} ${trace_ids.join('+')}`);
  };

  it('keeps a conversation one task in whatever order its traces come', async () => {
    await replaceWorkflowSettings(store, [settings('chat', { boundary: 'conversation' })]);
    await ingest('late', [turn('t2', 20)]);
    expect(await found('late')).toEqual(['c:t2 t2']);
    await ingest('late', [turn('t3', 60)]);
    expect(await found('late')).toEqual(['c:t2 t2', 'c:t3 t3']);
    await ingest('late', [turn('t1', 0)]);
    expect(await found('late')).toEqual(['c:t1 t1+t2', 'c:t3 t3']);
    await ingest('late', [turn('t4', 40)]);
    expect(await found('late')).toEqual(['c:t1 t1+t2+t4+t3']);
  });

  it('follows a change of the settings after a rebuild', async () => {
    await replaceWorkflowSettings(store, [settings('chat', { boundary: 'conversation' })]);
    await ingest('change', [turn('t1', 0), turn('t2', 1)]);
    expect(await found('change')).toEqual(['c:t1 t1+t2']);
    const again = () => rebuild(store, 'change', EPOCH, ms(120 * minute));
    await replaceWorkflowSettings(store, [settings('*', { boundary: 'span:turn' })]);
    await again();
    expect(await found('change')).toEqual(['t1:t1s t1', 't2:t2s t2']);
    await replaceWorkflowSettings(store, []);
    await again();
    expect(await found('change')).toEqual(['t1 t1', 't2 t2']);
  });

  it('counts done as success and gives up on tasks when the workflow says so', async () => {
    const open = { ...turn('t2', 0), end: 0n };
    await replaceWorkflowSettings(store, []);
    await ingest('verdicts', [turn('t1', 0), open]);
    const states = async (after: number) => {
      const rows = await query<{ task_id: string; state: string; outcome: string; source: string }>(
        store,
        sql`SELECT task_id, state, outcome, outcome_source AS source FROM tasks_v(project = 'verdicts',
          from = '2026-03-01 00:00:00.000', to = '2026-04-01 00:00:00.000',
          now = ${param('DateTime64(3)', new Date(Number(ms(after * minute) / 1_000_000n)).toISOString().replace('T', ' ').replace('Z', ''))},
          prices_at = 'today', what_if = '') ORDER BY task_id`,
      );
      return rows.map((row) => `${row.task_id} ${row.state} ${row.outcome} ${row.source}`);
    };
    expect(await states(30)).toEqual(['t1 done unknown inferred', 't2 running unknown inferred']);
    const chat = settings('chat', { success_when: 'done', abandoned_running_s: 1200 });
    await replaceWorkflowSettings(store, [chat]);
    expect(await states(30)).toEqual(['t1 done success inferred', 't2 abandoned failure inferred']);
    await replaceWorkflowSettings(store, [settings('*', { abandoned_running_s: 7200 })]);
    expect(await states(90)).toEqual(['t1 done unknown inferred', 't2 running unknown inferred']);
    await replaceWorkflowSettings(store, []);
    expect(await states(90)).toEqual(['t1 done unknown inferred', 't2 abandoned failure inferred']);
  });
});
