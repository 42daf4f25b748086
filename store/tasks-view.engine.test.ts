import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { usualBackends } from '../test/clickhouse/backends.ts';
import { type Call, nanos, outcomeRow, priceRow, taskRow } from '../test/clickhouse/rows.ts';
import type { Store } from './connection.ts';
import { insert } from './insert.ts';
import { ensurePrices } from './prices/ensure.ts';
import { param, query, type Sql, sql } from './sql.ts';
import { type OutcomeRow, outcomes } from './tables/outcomes.ts';
import { prices } from './tables/prices.ts';
import { taskDays } from './tables/task-days.ts';
import { type TaskRow, tasks } from './tables/tasks.ts';

const START = '2026-03-02T10:00:00Z';
const END = '2026-03-02T10:05:00Z';
const NOW = '2026-03-03T00:00:00Z';

interface Answer {
  readonly task_id: string;
  readonly state: string;
  readonly outcome: string;
  readonly outcome_source: string;
  readonly outcome_score: number | null;
  readonly outcome_reason: string;
  readonly outcome_by: string;
  readonly outcome_at: string | null;
  readonly counted_at: string;
  readonly duration_ms: number | null;
  readonly traffic: string;
  readonly 'calls.cost_usd': readonly (number | null)[];
  readonly cost_usd: number | null;
  readonly cost_usd_known: number;
  readonly cost_usd_reported: number | null;
  readonly unpriced_models: readonly string[];
  readonly unmetered_calls: number;
}

interface Ask {
  readonly project?: string;
  readonly from?: string;
  readonly to?: string;
  readonly now?: string;
  readonly prices?: string;
  readonly whatIf?: string;
}

function common(ask: Ask): Sql {
  const now = param('DateTime64(3)', new Date(ask.now ?? NOW));
  return sql`project = ${param('String', ask.project ?? 'p')}, now = ${now},
    prices_at = ${param('String', ask.prices ?? 'as_of_call')}`;
}

function ranged(store: Store, ask: Ask = {}): Promise<Answer[]> {
  const from = param('DateTime64(3)', new Date(ask.from ?? '2026-03-01'));
  const to = param('DateTime64(3)', new Date(ask.to ?? '2026-04-01'));
  return query(
    store,
    sql`SELECT * FROM tasks_v(${common(ask)}, from = ${from}, to = ${to},
      what_if = ${param('String', ask.whatIf ?? '')}) ORDER BY task_id`,
  );
}

async function one(store: Store, id: string, ask: Ask = {}): Promise<Answer> {
  const rows = await query<Answer>(
    store,
    sql`SELECT * FROM task_v(${common(ask)}, task_id = ${param('String', id)})`,
  );
  expect(rows).toHaveLength(1);
  return rows[0] as Answer;
}

async function byId(store: Store, ask: Ask = {}): Promise<Map<string, Answer>> {
  return new Map((await ranged(store, ask)).map((row) => [row.task_id, row]));
}

async function put(store: Store, ...rows: readonly TaskRow[]): Promise<void> {
  await insert(store, tasks, rows);
  await insert(store, taskDays, rows);
}

for (const backend of usualBackends) {
  describe(`tasks_v on ${backend.name}`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await backend.open();
    });
    afterAll(() => store?.close());

    describe('cost', () => {
      let seen: ReadonlyMap<string, Answer>;
      beforeAll(async () => {
        await insert(store, prices, [
          priceRow('flat', '1970-01-01', [[0, 2.5, 10, 1.25, 2.5, 2.5]]),
          priceRow('cached', '1970-01-01', [[0, 3, 15, 0.3, 3.75, 6]]),
          priceRow('tiered', '1970-01-01', [
            [0, 3, 15, 0.3, 3.75, 6],
            [200_001, 6, 22.5, 0.6, 7.5, 12],
          ]),
          priceRow('dated', '1970-01-01', [[0, 10, 40, 0, 0, 0]]),
          priceRow('dated', '2026-03-02T10:02:00Z', [[0, 2, 8, 0, 0, 0]]),
          priceRow('dated', '2026-03-02T18:00:00Z', [[0, 1, 4, 0, 0, 0]]),
        ]);
        await put(store, ...Object.entries(SHEET).map(([id, calls]) => costTask(id, calls)));
        seen = await byId(store);
      });

      const costTask = (task_id: string, calls: readonly Call[]) =>
        taskRow({ task_id, started: START, ended: END, calls });

      const K = { input: 1000, output: 1000 };
      const SHEET = {
        flat: [{ name: 'flat', input: 1842, output: 312 }],
        cached: [{ name: 'cached', input: 10_000, output: 1000, read: 6000, write: 3000 }],
        hour: [
          { name: 'cached', input: 10_000, output: 1000, read: 6000, write: 3000, write_1h: 2000 },
        ],
        below: [{ name: 'tiered', input: 200_000, output: 1000 }],
        above: [{ name: 'tiered', input: 200_001, output: 1000 }],
        dated: [
          { name: 'dated', ...K, start: '2026-03-02T10:01:59.999Z' },
          { name: 'dated', ...K, start: '2026-03-02T10:02:00Z' },
        ],
        unpriced: [
          { name: 'flat', ...K, reported: 0.5 },
          { name: 'mystery', ...K },
          { name: 'another', ...K },
          { name: 'mystery', ...K },
        ],
        tools: [
          { name: 'flat', ...K },
          { kind: 'tool', name: 'search', provider: '' },
        ],
        embedding: [{ kind: 'embedding', name: 'flat', input: 1000 }],
        unmetered: [{ name: 'flat', ...K }, { name: 'flat' }, { name: 'flat', input: 1000 }],
        refused: [
          { name: 'flat', ...K },
          { name: 'flat', error_by: 'span' },
        ],
        broken: [{ name: 'flat', error_by: 'span', ttft_ms: 40 }],
        nothing: [],
        inconsistent: [{ name: 'cached', input: 10, output: 0, read: 100 }],
      } satisfies Record<string, readonly Call[]>;

      it.each([
        // 1842 × 2.50 + 312 × 10
        ['flat', 0.007725],
        // 1000 × 3 + 6000 × 0.30 + 3000 × 3.75 + 1000 × 15
        ['cached', 0.03105],
        // 1000 × 3 + 6000 × 0.30 + 1000 × 3.75 + 2000 × 6 + 1000 × 15
        ['hour', 0.03555],
        // 200,000 × 3 + 1000 × 15
        ['below', 0.615],
        // 200,001 × 6 + 1000 × 22.50
        ['above', 1.222506],
        // 1000 × (10 + 40) + 1000 × (2 + 8)
        ['dated', 0.06],
        // 1000 × (2.50 + 10)
        ['tools', 0.0125],
        // 1000 × 2.50
        ['embedding', 0.0025],
        // the failed request costs nothing
        ['refused', 0.0125],
        ['nothing', 0],
        // 100 × 0.30: more was read than sent, the rest is not negative
        ['inconsistent', 0.00003],
      ])('of %s is %d USD', async (id, expected) => {
        const row = seen.get(id);
        expect(row?.cost_usd).toBeCloseTo(expected, 12);
        expect(row?.cost_usd_known).toBeCloseTo(expected, 12);
        expect(row?.unpriced_models).toEqual([]);
        expect(row?.unmetered_calls).toBe(0);
      });

      it('of very many calls is what one costs, that many times', async () => {
        // 1000 × 2.50 + 100 × 10 is 0.0035; added up one by one in doubles it would be 70.00000000002373.
        const calls = Array.from({ length: 20_000 }, () => ({
          name: 'flat',
          input: 1000,
          output: 100,
          reported: 0.0035,
        }));
        await put(store, costTask('many', calls));
        const row = await one(store, 'many');
        expect(row.cost_usd).toBeCloseTo(70, 13);
        expect(row.cost_usd_reported).toBeCloseTo(70, 13);
      });

      it('is the same in the answer for one task', async () => {
        for (const id of ['dated', 'unpriced']) expect(await one(store, id)).toEqual(seen.get(id));
      });

      it('is null, with a lower bound, when a model has no price; the model is named', () => {
        const row = seen.get('unpriced');
        expect(row?.cost_usd).toBeNull();
        expect(row?.cost_usd_known).toBeCloseTo(0.0125, 12);
        expect(row?.cost_usd_reported).toBe(0.5);
        expect(row?.unpriced_models).toEqual(['another', 'mystery']);
        expect(row?.['calls.cost_usd']).toEqual([expect.closeTo(0.0125, 12), null, null, null]);
      });

      it('is null when the usage of a call is unknown', () => {
        const row = seen.get('unmetered');
        expect(row?.cost_usd).toBeNull();
        expect(row?.unmetered_calls).toBe(2);
        expect(row?.unpriced_models).toEqual([]);
        expect(row?.cost_usd_reported).toBeNull();
        expect(seen.get('broken')?.cost_usd).toBeNull();
      });

      it('can be asked at today’s prices, and at those of a date', async () => {
        expect((await one(store, 'dated', { prices: 'today' })).cost_usd).toBeCloseTo(0.01, 12);
        expect((await one(store, 'dated', { prices: '2026-02-01' })).cost_usd).toBeCloseTo(0.1, 12);
        const noon = { prices: '2026-03-02T12:00:00Z' };
        expect((await one(store, 'dated', noon)).cost_usd).toBeCloseTo(0.02, 12);
        await expect(ranged(store, { prices: 'tomorrow' })).rejects.toThrow();
      });

      it('becomes known as soon as the model has a price', async () => {
        const call = { name: 'gpt-4o-2024-08-06', provider: 'openai', ...K };
        await put(store, costTask('later', [call]));
        expect((await one(store, 'later')).cost_usd).toBeNull();
        await ensurePrices(store, 'p', [{ provider: 'openai', model: call.name }]);
        await ensurePrices(store, 'p', [{ provider: 'openai', model: 'mystery' }]);
        expect((await one(store, 'later')).cost_usd).toBeCloseTo(0.0125, 12);
        expect((await one(store, 'unpriced')).cost_usd).toBeNull();
      });
    });

    describe('outcome', () => {
      const ask = { project: 'verdicts' };
      const task = (task_id: string, fields: Partial<TaskRow> = {}, calls: readonly Call[] = []) =>
        taskRow({ task_id, started: START, ended: END, calls }, { ...ask, ...fields });
      const verdict = (fields: Partial<OutcomeRow> & { readonly key: string }) =>
        insert(store, outcomes, [outcomeRow({ ...ask, ...fields })]);
      const at = (time: string) => nanos(time) / 1000n;

      it('is inferred without a verdict: only a failed or abandoned task is known to be wrong', async () => {
        await put(
          store,
          ...['done', 'failed', 'cancelled'].map((state) => task(state, { declared_state: state })),
        );
        const seen = await byId(store, ask);
        const rows = ['done', 'failed', 'cancelled'].map((id) => seen.get(id));
        expect(rows.map((row) => row?.outcome)).toEqual(['unknown', 'failure', 'unknown']);
        expect(rows.map((row) => row?.outcome_source)).toEqual(Array(3).fill('inferred'));
        expect(rows.map((row) => row?.outcome_at)).toEqual([null, null, null]);
      });

      it('prefers explicit to feedback to evaluation, then the latest', async () => {
        await put(store, task('ranked'));
        const given = async (key: string, source: string, outcome: string, time: string) => {
          await verdict({ key, task_id: 'ranked', source, outcome, at: at(time) });
          return (await one(store, 'ranked', ask)).outcome;
        };
        expect(await given('a', 'evaluation', 'failure', '2026-03-02T14:00:00Z')).toBe('failure');
        expect(await given('b', 'feedback', 'success', '2026-03-02T11:00:00Z')).toBe('success');
        expect(await given('c', 'evaluation', 'failure', '2026-03-02T15:00:00Z')).toBe('success');
        expect(await given('d', 'explicit', 'failure', '2026-03-02T10:30:00Z')).toBe('failure');
        expect(await given('e', 'feedback', 'success', '2026-03-02T16:00:00Z')).toBe('failure');
        expect(await given('f', 'explicit', 'unknown', '2026-03-02T10:31:00Z')).toBe('unknown');
        // The same key again replaces the verdict.
        expect(await given('f', 'explicit', 'success', '2026-03-02T10:29:00Z')).toBe('failure');
      });

      it('carries score, reason, author and time of the verdict that counts', async () => {
        await put(store, task('full'));
        await verdict({
          key: 'full',
          task_id: 'full',
          score: 0.25,
          reason: 'wrong seat',
          by: 'ann',
        });
        expect(await one(store, 'full', ask)).toMatchObject({
          outcome_source: 'explicit',
          outcome_score: 0.25,
          outcome_reason: 'wrong seat',
          outcome_by: 'ann',
          outcome_at: '2026-03-02 12:00:00.000000',
        });
      });

      it('is joined by ref, by trace and by response', async () => {
        await put(
          store,
          task('by-ref', { ref: 'ticket-1' }),
          task('by-trace', { trace_ids: ['t1', 't2'] }),
          task('by-response', {}, [{ response_id: 'r1' }, { response_id: 'r2' }]),
          task('by-none', { ref: 'ticket-2', trace_ids: ['t3'] }, [{ response_id: 'r3' }]),
        );
        await verdict({ key: 'ref', ref: 'ticket-1' });
        await verdict({ key: 'trace', trace_id: 't2' });
        await verdict({ key: 'response', response_id: 'r2' });
        const ids = ['by-ref', 'by-trace', 'by-response', 'by-none'];
        const seen = await byId(store, ask);
        const found = ids.map((id) => seen.get(id)?.outcome);
        expect(found).toEqual(['success', 'success', 'success', 'unknown']);
      });

      it('of a session is given to its last task begun before the verdict', async () => {
        const begun = (task_id: string, started: string) =>
          taskRow({ task_id, started, ended: started }, { ...ask, session_id: 's1' });
        await put(
          store,
          begun('s-first', '2026-03-02T10:00:00Z'),
          begun('s-last', '2026-03-02T11:00:00Z'),
          begun('s-after', '2026-03-02T13:00:00Z'),
        );
        await verdict({ key: 'session', session_id: 's1' });
        const narrow = { ...ask, from: '2026-03-02T09:00:00Z', to: '2026-03-02T10:30:00Z' };
        const first = (await ranged(store, narrow)).find((row) => row.task_id === 's-first');
        expect(first?.outcome).toBe('unknown');
        const seen = await byId(store, ask);
        expect(seen.get('s-last')?.outcome).toBe('success');
        expect(seen.get('s-after')?.outcome).toBe('unknown');
        expect((await one(store, 's-last', ask)).outcome).toBe('success');
      });

      it('waits for a task that is not there yet', async () => {
        await verdict({ key: 'early', task_id: 'late', at: at('2026-02-20T00:00:00Z') });
        await put(store, task('late'));
        expect((await one(store, 'late', ask)).outcome).toBe('success');
      });
    });

    describe('state', () => {
      const MINUTE = 60_000;
      const HOUR = 60 * MINUTE;
      const CASES = [
        { declared: 'running', quiet: HOUR, is: 'running' },
        { declared: 'running', quiet: HOUR + 1, is: 'abandoned' },
        { declared: 'queued', quiet: 24 * HOUR, is: 'queued' },
        { declared: 'queued', quiet: 24 * HOUR + 1, is: 'abandoned' },
        { declared: 'waiting_for_approval', quiet: 7 * 24 * HOUR, is: 'waiting_for_approval' },
        { declared: 'waiting_for_approval', quiet: 7 * 24 * HOUR + 1, is: 'abandoned' },
        { declared: 'done', quiet: 300 * HOUR, is: 'done' },
        { declared: '', quiet: HOUR, is: 'running' },
        { declared: '', quiet: HOUR + 1, is: 'abandoned' },
        { declared: '', root: 'ok', quiet: 30_000, is: 'running' },
        { declared: '', root: 'ok', quiet: 30_001, is: 'done' },
        { declared: '', root: 'error', quiet: 30_001, is: 'failed' },
      ];
      const ask = { project: 'states', from: '2026-02-01', now: NOW };
      let seen: ReadonlyMap<string, Answer>;
      beforeAll(async () => {
        const rows = CASES.map(({ declared, root, quiet }, i) => {
          const started = new Date(Date.parse(NOW) - quiet).toISOString();
          const fields = {
            project: 'states',
            declared_state: declared,
            root_ended: root === undefined ? 0 : 1,
            root_error: root === 'error' ? 1 : 0,
          };
          return taskRow({ task_id: `case-${i}`, started }, fields);
        });
        await put(store, ...rows);
        seen = await byId(store, ask);
      });

      it.each(CASES.map((one, i) => ({ ...one, i })))(
        'declared "$declared", root $root, quiet for $quiet ms: $is',
        ({ i, is }) => {
          const row = seen.get(`case-${i}`);
          expect(row?.state).toBe(is);
          expect(row?.outcome).toBe(['failed', 'abandoned'].includes(is) ? 'failure' : 'unknown');
          const over = ['done', 'failed', 'abandoned'].includes(is);
          expect(row?.duration_ms).toBe(over ? 0 : null);
        },
      );
    });

    it('sets what claims another kind of traffic apart from live, whoever spelt it', async () => {
      const ask = { project: 'traffics' };
      const given = ['live', 'shadow', 'Eval', 'canary'];
      await put(
        store,
        ...given.map((traffic) =>
          taskRow({ task_id: traffic, started: START, ended: END }, { ...ask, traffic }),
        ),
      );
      const seen = await byId(store, ask);
      const read = given.map((id) => seen.get(id)?.traffic);
      expect(read).toEqual(['live', 'shadow', 'eval', 'unknown']);
    });

    describe('range', () => {
      const ask = { project: 'ranges' };
      const ids = async (from: string, to: string) =>
        (await ranged(store, { ...ask, from, to })).map((row) => row.task_id);

      it('counts a task at its end, an open one at its last signal', async () => {
        await put(
          store,
          taskRow(
            { task_id: 'long', started: '2026-03-01T00:00:00Z', ended: '2026-03-29T00:00:00Z' },
            ask,
          ),
          taskRow(
            { task_id: 'open', started: '2026-03-01T00:00:00Z', last: '2026-03-05T00:00:00Z' },
            ask,
          ),
        );
        expect(await ids('2026-03-29T00:00:00Z', '2026-03-29T00:00:00.001Z')).toEqual(['long']);
        expect(await ids('2026-03-28T00:00:00Z', '2026-03-29T00:00:00Z')).toEqual([]);
        expect(await ids('2026-03-05T00:00:00Z', '2026-03-06T00:00:00Z')).toEqual(['open']);
        expect(await ids('1960-01-01', '2200-01-01')).toEqual(['long', 'open']);
      });

      it('shows a task once, in its latest version, and not at all once it was deleted', async () => {
        const version = (ver: bigint, workflow: string, deleted = 0) =>
          taskRow(
            { task_id: 'twice', started: START, ended: END },
            { ...ask, ver, workflow, deleted },
          );
        const shown = async () =>
          (await ranged(store, { ...ask, from: START, to: '2026-03-02T10:06:00Z' })) as unknown as {
            workflow: string;
          }[];
        await put(store, version(2n, 'new'));
        await put(store, version(1n, 'old'));
        expect((await shown()).map((row) => row.workflow)).toEqual(['new']);
        await put(store, version(3n, 'new', 1));
        expect(await shown()).toEqual([]);
      });

      it('keeps projects apart', async () => {
        expect(await ranged(store, { project: 'stranger' })).toEqual([]);
        expect(await ranged(store, { project: "p' OR 1 = 1 --" })).toEqual([]);
      });
    });
  });
}
