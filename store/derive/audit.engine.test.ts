import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { usualBackends } from '../../test/clickhouse/backends.ts';
import type { Store } from '../connection.ts';
import { insert } from '../insert.ts';
import { query, sql } from '../sql.ts';
import { tasks } from '../tables/tasks.ts';
import { createAudit } from './audit.ts';
import { createDeriver } from './deriver.ts';
import { EPOCH, spanRow, stateLog, taskSpan } from './fixtures.ts';
import { putRows, withClockOff } from './fixtures-store.ts';
import { deriveTasks } from './task.ts';

const written = [
  ...['spans', 'logs', 'task_traces', 'trace_bounds', 'trace_tasks'],
  ...['tasks', 'task_days', 'derivation_versions'],
];
const declared = (task_id: string) => ({ task_id, task_id_kind: 'declared' });
const model = { kind: 'llm', input_tokens: 10n, output_tokens: 1n };
const chat = (trace_id: string, span_id: string, task = trace_id) =>
  spanRow({ trace_id, span_id, ...model, ...declared(task) });

for (const backend of usualBackends) {
  describe(`audit on ${backend.name}`, () => {
    let store: Store;
    let problems: string[];
    beforeAll(async () => {
      store = await backend.open();
    });
    afterAll(() => store?.close());
    beforeEach(async () => {
      problems = [];
      for (const name of written) {
        await store.client.command({ query: `TRUNCATE TABLE ${name}` });
      }
    });

    const report = (problem: string) => void problems.push(problem);
    /** An audit ten minutes from now: everything has settled. */
    const later = () => withClockOff(store, 600);
    const newAudit = (at = later()) => createAudit({ store: at, report });
    const derive = async (...items: Parameters<typeof putRows>) =>
      createDeriver(store).derive([await putRows(...items)]);
    const tokens = () =>
      query<{ task_id: string; input_tokens: string }>(
        store,
        sql`SELECT task_id, input_tokens FROM tasks FINAL ORDER BY task_id`,
      );

    it('finds nothing wrong with what was derived, and derives nothing twice more', async () => {
      await derive(store, 'p', [chat('x', '1'), chat('y', '1')]);
      await derive(store, 'p', [], [stateLog(EPOCH, 'lone', 'queued', { trace_id: '' })]);
      expect(await newAudit(store).recent()).toMatchObject({ tasks: 0 });
      const audit = newAudit();
      expect(await audit.recent()).toEqual({ traces: 2, tasks: 3, mismatches: 0, skipped: null });
      expect(await audit.recent()).toMatchObject({ tasks: 0 });
      expect(await newAudit().all()).toEqual({ traces: 2, tasks: 3, mismatches: 0, skipped: null });
      expect(problems).toEqual([]);
      expect(await query(store, sql`SELECT count() AS rows FROM tasks`)).toEqual([{ rows: '3' }]);
    });

    it('looks again at what something was added to', async () => {
      await derive(store, 'p', [chat('x', '1'), chat('y', '1')]);
      // So little later that it looks again at the same minutes.
      const audit = newAudit(withClockOff(store, 100));
      expect(await audit.recent()).toMatchObject({ tasks: 2 });
      expect(await audit.recent()).toMatchObject({ tasks: 0 });
      await putRows(store, 'p', [chat('x', '2')]);
      expect(await audit.recent()).toMatchObject({ tasks: 1, mismatches: 1 });
      // Set right after everything had settled, which its version says.
      expect(await newAudit().recent()).toMatchObject({ tasks: 1, mismatches: 0 });
    });

    it('finds and mends what was never derived', async () => {
      await derive(store, 'p', [chat('x', '1')]);
      await putRows(store, 'p', [chat('x', '2'), chat('y', '1')]);
      await putRows(store, 'p', [], [stateLog(EPOCH, 'lone', 'queued', { trace_id: '' })]);
      expect(await newAudit().recent()).toMatchObject({ mismatches: 3 });
      expect(problems.join()).toContain('"lone"');
      expect(await tokens()).toMatchObject([
        { task_id: 'lone' },
        { task_id: 'x', input_tokens: '20' },
        { task_id: 'y', input_tokens: '10' },
      ]);
    });

    it('finds and mends a row of a lost race, a ghost and a doubled day', async () => {
      const span = chat('x', '1');
      await derive(store, 'p', [span, chat('x', '2')]);
      const [row] = deriveTasks([taskSpan(span)], []);
      // Beyond what any derivation so far has, as a clock stepped back would leave it.
      const [{ ver } = { ver: '0' }] = await query<{ ver: string }>(
        store,
        sql`SELECT max(ver) + 1 AS ver FROM tasks`,
      );
      const wrong = { ...row!, project: 'p', ver: BigInt(ver), deleted: 0 };
      await insert(store, tasks, [wrong, { ...wrong, day: wrong.day + 1 }]);
      await store.client.command({
        query: `INSERT INTO task_days SELECT 'p', 'x', day FROM tasks WHERE task_id = 'x'`,
      });
      expect(await newAudit().recent()).toMatchObject({ mismatches: 1 });
      expect(await tokens()).toEqual([{ task_id: 'x', input_tokens: '20' }]);
      expect(await newAudit().all()).toMatchObject({ mismatches: 0 });
    });

    it('does not count a task to which something is just being added', async () => {
      await derive(store, 'p', [chat('x', '1', 'A')]);
      await putRows(store, 'p', [chat('y', '1', 'A')]);
      expect(await newAudit(store).all()).toMatchObject({ traces: 2, mismatches: 0 });
    });

    it('goes on where its bound stopped it, and waits while ingest is behind', async () => {
      await derive(store, 'p', [chat('x', '1')]);
      await derive(store, 'q', [chat('y', '1')]);
      let isBehind = true;
      const options = { store: later(), maxTraces: 1, report, isBehind: () => isBehind };
      const audit = createAudit(options);
      expect(await audit.recent()).toMatchObject({ traces: 0, skipped: 'behind' });
      isBehind = false;
      expect(await audit.recent()).toMatchObject({ traces: 1 });
      expect(await audit.recent()).toMatchObject({ traces: 1 });
      expect(await audit.recent()).toMatchObject({ traces: 0 });
    });
  });
}
