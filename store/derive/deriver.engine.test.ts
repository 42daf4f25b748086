import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usualBackends } from '../../test/clickhouse/backends.ts';
import type { Store } from '../connection.ts';
import { insert } from '../insert.ts';
import { param, query, sql } from '../sql.ts';
import type { LogRow } from '../tables/logs.ts';
import type { SpanRow } from '../tables/spans.ts';
import { tasks } from '../tables/tasks.ts';
import { createDeriver } from './deriver.ts';
import { logRow, ms, spanRow, stateLog, taskLog, taskSpan } from './fixtures.ts';
import { randomFrom, randomTelemetry, shuffled } from './fixtures-random.ts';
import { pausing, putRows } from './fixtures-store.ts';
import { rebuild } from './rebuild.ts';
import { deriveTasks } from './task.ts';

const declared = (task_id: string) => ({ task_id, task_id_kind: 'declared' });
const model = { kind: 'llm', input_tokens: 10n, output_tokens: 1n };
const HOUR = 3_600_000;

for (const backend of usualBackends) {
  describe(`derivation on ${backend.name}`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await backend.open();
    });
    afterAll(() => store?.close());

    const put = (project: string, newSpans: readonly SpanRow[], newLogs: readonly LogRow[] = []) =>
      putRows(store, project, newSpans, newLogs);

    async function ingest(
      project: string,
      newSpans: readonly SpanRow[],
      newLogs: readonly LogRow[] = [],
    ) {
      await createDeriver(store).derive([await put(project, newSpans, newLogs)]);
    }

    const found = (project: string) =>
      query<Record<string, unknown>>(
        store,
        sql`SELECT * EXCEPT (project, ver, content_hash) FROM tasks FINAL WHERE project = ${param('String', project)} ORDER BY task_id, day`,
      );

    const brief = async (project: string) =>
      (await found(project)).map(
        (row) =>
          `${row['task_id']} ${row['day']} ${row['attribution']} ${row['spans']} ${row['input_tokens']}`,
      );

    it('names a trace by itself until a span brings an id, then withdraws it', async () => {
      await ingest('late-id', [spanRow({ span_id: 'chat', parent_id: 'root', ...model })]);
      expect(await brief('late-id')).toEqual(['t1 2026-03-04 trace 1 10']);
      await ingest('late-id', [spanRow({ span_id: 'root', ...declared('A') })]);
      expect(await brief('late-id')).toEqual(['A 2026-03-04 declared 2 10']);
    });

    it('moves a task to the day of its earliest span', async () => {
      const night = 13.9 * HOUR;
      await ingest('moves', [
        spanRow({
          span_id: 'late',
          parent_id: 'root',
          start: ms(night + HOUR),
          ...model,
          ...declared('A'),
        }),
      ]);
      expect(await brief('moves')).toEqual(['A 2026-03-05 declared 1 10']);
      await ingest('moves', [spanRow({ span_id: 'root', start: ms(night), ...declared('A') })]);
      expect(await brief('moves')).toEqual(['A 2026-03-04 declared 2 10']);
      const days = await query(
        store,
        sql`SELECT toString(day) AS day FROM task_days FINAL WHERE project = 'moves' ORDER BY day`,
      );
      expect(days).toEqual([{ day: '2026-03-04' }, { day: '2026-03-05' }]);
    });

    it('counts a span once however often it is stored, in its newest version whatever the order', async () => {
      const partial = spanRow({ span_id: 'chat', end: 0n, ver: 5n, kind: 'llm' });
      const whole = spanRow({ span_id: 'chat', ...model });
      const root = spanRow({ span_id: 'root', kind: 'agent' });
      await ingest('versions', [whole, root]);
      await ingest('versions', [partial]);
      await ingest('versions', [root, whole]);
      expect(await brief('versions')).toEqual(['t1 2026-03-04 trace 2 10']);
      await ingest('partial-first', [partial]);
      const [open] = await found('partial-first');
      expect(open).toMatchObject({ root_ended: 0, input_tokens: null, ended_at: null });
      await ingest('partial-first', [whole]);
      const [closed] = await found('partial-first');
      expect(closed).toMatchObject({ root_ended: 1, input_tokens: '10', spans: 1 });
    });

    it('withdraws a task that only a superseded version of a span named', async () => {
      await ingest('renamed', [spanRow({ span_id: 'x', ver: 5n, ...declared('WRONG') })]);
      await ingest('renamed', [spanRow({ span_id: 'x', ver: 6n, ...declared('RIGHT') })]);
      expect(await brief('renamed')).toEqual(['RIGHT 2026-03-04 declared 1 null']);
      // The same, when a merge has dropped the superseded version before anybody derives.
      await ingest('merged', [spanRow({ span_id: 'x', ver: 5n, ...declared('WRONG') })]);
      const right = spanRow({ span_id: 'x', ver: 6n, ...declared('RIGHT') });
      const touched = await put('merged', [right]);
      await store.client.command({ query: 'OPTIMIZE TABLE spans FINAL' });
      await createDeriver(store).derive([touched]);
      expect(await brief('merged')).toEqual(['RIGHT 2026-03-04 declared 1 null']);
    });

    it('joins the traces of a resumed task, days apart and derived one by one', async () => {
      const first = [
        spanRow({ span_id: 'root', trace_id: 'aa', ...declared('A') }),
        spanRow({ span_id: 'c', parent_id: 'root', trace_id: 'aa', ...model }),
      ];
      const start = ms(50 * HOUR);
      const second = [
        spanRow({ span_id: 'root', trace_id: 'bb', start, ...declared('A') }),
        spanRow({ span_id: 'c', parent_id: 'root', trace_id: 'bb', start, ...model }),
      ];
      await ingest('resumed', second, [
        stateLog(start, 'A', 'running', { trace_id: 'bb' }),
        stateLog(ms(52 * HOUR), 'A', 'done', { trace_id: 'bb' }),
      ]);
      await ingest('resumed', first, [
        stateLog(ms(0), 'A', 'running', { trace_id: 'aa' }),
        stateLog(ms(HOUR), 'A', 'waiting_for_approval', { trace_id: 'aa' }),
      ]);
      expect(await found('resumed')).toMatchObject([
        {
          task_id: 'A',
          day: '2026-03-04',
          spans: 4,
          input_tokens: '20',
          trace_ids: ['aa', 'bb'],
          declared_state: 'done',
          human_wait_ms: 49 * HOUR,
          'transitions.state': ['running', 'waiting_for_approval', 'running', 'done'],
        },
      ]);
    });

    it('makes a task from logs alone, and adds them to a task that has traces', async () => {
      const lone = (at: bigint, state: string) => stateLog(at, 'A', state, { trace_id: '' });
      await ingest('logs', [], [lone(ms(0), 'queued')]);
      expect(await found('logs')).toMatchObject([
        { task_id: 'A', declared_state: 'queued', spans: 0 },
      ]);
      await ingest('logs', [spanRow({ span_id: 'root', start: ms(9000), ...declared('A') })]);
      await ingest('logs', [], [lone(ms(8000), 'running')]);
      expect(await found('logs')).toMatchObject([
        { task_id: 'A', declared_state: 'running', spans: 1, queued_ms: 8000 },
      ]);
    });

    it('makes no task of a verdict that comes alone', async () => {
      await ingest(
        'verdict',
        [],
        [logRow({ event_name: 'agent.outcome', ...declared('A'), trace_id: '' })],
      );
      expect(await found('verdict')).toEqual([]);
    });

    it('keeps projects apart', async () => {
      await ingest('one', [spanRow({ span_id: 'x', ...declared('A'), ...model })]);
      await ingest('two', [spanRow({ span_id: 'y', ...declared('A'), kind: 'tool' })]);
      expect(await brief('one')).toEqual(['A 2026-03-04 declared 1 10']);
      expect(await brief('two')).toEqual(['A 2026-03-04 declared 1 null']);
    });

    it('reads hostile text as it was sent', async () => {
      const hostile = `'; DROP TABLE tasks; --\\ \u0000 "__proto__" \u{1F4A5}`;
      const attributes: [string, string][] = [
        ['agent.task.state', 'failed'],
        ['agent.task.reason', hostile],
        ['__proto__', 'x'],
      ];
      await ingest(
        'hostile',
        [
          spanRow({
            span_id: hostile,
            trace_id: hostile,
            ...declared(hostile),
            agent_name: hostile,
          }),
        ],
        [logRow({ event_name: 'agent.task.state', trace_id: hostile, time: ms(500), attributes })],
      );
      expect(await found('hostile')).toMatchObject([
        { task_id: hostile, agent_path: hostile, error_message: hostile, declared_state: 'failed' },
      ]);
    });

    it('ends at what the pure rules say of everything, in whatever batches it came', async () => {
      for (const seed of [1, 2]) {
        const all = randomTelemetry(seed);
        const project = `random-${seed}`;
        const random = randomFrom(seed + 100);
        const derivers = [createDeriver(store), createDeriver(store)];
        const running: Promise<void>[] = [];
        const spansLeft = shuffled([...all.spans, ...all.spans.slice(0, 20)], random);
        const logsLeft = shuffled(all.logs, random);
        while (spansLeft.length + logsLeft.length > 0) {
          const size = 1 + Math.floor(random() * 25);
          const stored = spansLeft.splice(0, size);
          const touched = await put(project, stored, logsLeft.splice(0, size));
          const [one, two] = shuffled(derivers, random);
          // Two processes at once: both derive what was just stored, and one of them remembers it.
          one!.remember(stored.map((span) => ({ ...span, project })));
          running.push(one!.derive([touched]));
          if (random() < 0.5) running.push(two!.derive([touched]));
        }
        await Promise.all(running);
        const expected = deriveTasks(all.spans.map(taskSpan), all.logs.map(taskLog));
        const oracle = `expected-${seed}`;
        await insert(
          store,
          tasks,
          expected.map((task) => ({ ...task, project: oracle, ver: 1n, deleted: 0 })),
        );
        expect(expected.length).toBeGreaterThan(6);
        expect(await found(project)).toEqual(await found(oracle));
      }
    });

    it('is not undone by a process that was paused between reading and writing', async () => {
      const night = 13.9 * HOUR;
      const child = spanRow({ span_id: 'c', parent_id: 'root', start: ms(night + HOUR), ...model });
      for (const id of [{}, declared('A')]) {
        const project = `paused-${Object.keys(id).length}`;
        const { slow, paused, resume } = pausing(store);
        const late = createDeriver(slow).derive([await put(project, [{ ...child, ...id }])]);
        await paused;
        await ingest(project, [spanRow({ span_id: 'root', start: ms(night), ...declared('A') })]);
        resume();
        await late;
        expect(await brief(project)).toEqual(['A 2026-03-04 declared 2 10']);
      }
    });

    it('rebuilds the tasks of a range to the same rows', async () => {
      const all = randomTelemetry(9);
      await ingest('rebuilt', all.spans, all.logs);
      const before = await found('rebuilt');
      await store.client.command({ query: `TRUNCATE TABLE tasks` });
      await rebuild(store, 'rebuilt', ms(-HOUR), ms(48 * HOUR));
      expect(await found('rebuilt')).toEqual(before);
    });
  });
}
