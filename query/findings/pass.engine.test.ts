import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../store/connection.ts';
import { insert } from '../../store/insert.ts';
import { param, query, sql } from '../../store/sql.ts';
import { evaluations } from '../../store/tables/evaluations.ts';
import { outcomes } from '../../store/tables/outcomes.ts';
import { openEmbedded } from '../../test/clickhouse/backends.ts';
import { outcomeRow } from '../../test/clickhouse/rows.ts';
import { committedRuns, evidenceOf } from '../../test/decisions/recorded-run.ts';
import { call, calls, result, says, scenario, user } from '../../test/decisions/scenario.ts';
import { type StoredAs, storeEvidence } from '../../test/decisions/stored-evidence.ts';
import { createQuery } from '../app.ts';
import { deriveTrajectory } from '../decisions/derive.ts';
import type { TaskEvidence } from '../decisions/evidence.ts';
import { createJudge } from '../decisions/judge.ts';
import { toAnswer } from '../decisions/shape.ts';
import { findDefects } from './find.ts';
import { type FindingsPass, startFindingsPass } from './pass.ts';
import { parseFindingsSettings } from './settings.ts';

const day = 86_400_000;
// Rows are versioned by the engine's clock, so the real one is used: noon of yesterday, and a minute ahead of now, at
// which everything stored is long quiet.
const noon = Math.floor(Date.now() / day) * day - day / 2;
const now = () => new Date(Date.now() + 61_000);
const today = new Date(noon).toISOString().slice(0, 10);

let store: Store;
let pass: FindingsPass;
const problems: unknown[] = [];
const settings = parseFindingsSettings(`
expect:
  strict: { required: [verify], before: [[verify, pay]] }
projects:
  quiet: { rules: { silent_tool_failure: false } }
`);

beforeAll(async () => {
  store = await openEmbedded();
});

afterAll(async () => {
  await pass.close();
  await store.close();
  expect(problems).toEqual([]);
});

/** One lookup whose result has this shape, then an answer. */
function lookup(shape: string, text = '{"id": "A1"}'): TaskEvidence {
  const s = scenario();
  const asked = calls(call('c', 'lookup', { id: 'A1' }));
  s.model({ input: [user('order A1')], output: asked });
  s.tool({ tool_name: 'lookup', tool_call_id: 'c', result: text, tool_result_shape: shape });
  s.model({ input: [user('order A1'), asked, result('c', text)], output: says('It is fine.') });
  return s.evidence();
}

const whole = { content: 'full', after: 0, cursorOf: String } as const;

const start = (projects: readonly string[]) =>
  startFindingsPass({
    store,
    projects: () => projects,
    settings,
    now,
    report: (problem) => problems.push(problem),
  });

const stored = (task: string, project = 'p') =>
  query<{ names: string[]; texts: string[]; ended: number; baseline: string[]; signature: string }>(
    store,
    sql`SELECT findings.finding AS names, findings.text AS texts, findings.baseline AS baseline, ended, signature
      FROM task_findings FINAL
      WHERE project = ${param('String', project)} AND task_id = ${param('String', task)}`,
  );

const put = (task: string, evidence: TaskEvidence, own: Partial<StoredAs> = {}) =>
  storeEvidence(store, [{ task, evidence, at: noon - 3_600_000, ...own }]);

async function ask<T>(path: string): Promise<T> {
  const app = createQuery({
    store,
    objectives: [],
    project: () => 'p',
    now,
    version: 'test',
    checks: async () => [],
    metrics: () => pass.metrics(),
    findings: settings,
    report: (problem) => problems.push(problem),
  });
  const response = await app.request(path);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

interface Listed {
  readonly tasks: readonly { task_id: string; findings: { finding: string }[] | null }[];
}

describe('the second pass', () => {
  it('stores what the rules find in recorded runs', async () => {
    const runs = committedRuns().map((run) => evidenceOf(run));
    await storeEvidence(
      store,
      runs.map((evidence, i) => ({
        evidence,
        task: `run-${i}`,
        workflow: 'airline',
        at: noon - 3_600_000,
        verdict: evidence.task.outcome === 'success' ? ('success' as const) : ('failure' as const),
      })),
    );
    const before = await ask<Listed>('/api/v1/tasks?from=now-2d&workflow=airline');
    expect(before.tasks.map(({ findings }) => findings)).toEqual([null, null, null]);

    pass = start(['p']);
    await pass.settled();
    expect(pass.backlog()).toBe(0);
    for (const [i, evidence] of runs.entries()) {
      const expected = findDefects(deriveTrajectory(evidence)).map(({ finding }) => finding);
      expect(await stored(`run-${i}`)).toMatchObject([{ names: expected, ended: 1 }]);
    }
    const after = await ask<Listed>('/api/v1/tasks?from=now-2d&finding=silent_tool_failure');
    expect(after.tasks.map(({ task_id }) => task_id).toSorted()).toEqual(['run-0', 'run-2']);
    const clean = await ask<Listed['tasks'][number]>('/api/v1/tasks/run-1');
    expect(clean.findings).toEqual([]);
  });

  it('takes a finding away that no longer holds', async () => {
    const s = scenario();
    const asked = calls(call('c', 'find', {}));
    s.model({ input: [user('go')], output: asked });
    s.tool({ tool_name: 'find', tool_call_id: 'c', result: 'x' });
    await put('cut', s.evidence());
    await pass.settled();
    expect((await stored('cut'))[0]?.names).toEqual(['limit_exceeded']);
    s.model({ input: [user('go'), asked, result('c', 'x')], output: says('done') });
    await put('cut', s.evidence());
    await pass.settled();
    expect(await stored('cut')).toMatchObject([{ names: [], signature: '' }]);
  });

  it('judges an open task as open', async () => {
    const s = scenario();
    s.model({ input: [user('go')], output: calls(call('c', 'find', {})) });
    s.tool({ tool_name: 'find', tool_call_id: 'c', result: 'Error: no', tool_error_by: 'content' });
    await put('open', s.evidence(), { state: '', at: Date.now() + 45_000 });
    // Quiet for more than 10 s, and for less than the 30 s after which a root that ended ends its task.
    await pass.settled();
    expect(await stored('open')).toMatchObject([{ names: ['silent_tool_failure'], ended: 0 }]);
  });

  it('tells tasks apart that share a trace', async () => {
    const trace = 'ab'.repeat(16);
    const s = scenario();
    s.model({ input: [user('go')], output: calls(call('c', 'find', {})) });
    s.tool({ tool_name: 'find', tool_call_id: 'c', result: 'x' });
    const fine = scenario();
    fine.span({ kind: 'other', span_id: 'f'.repeat(16) });
    await storeEvidence(store, [
      { task: 'cut-off', evidence: s.evidence(), at: noon - 3_600_000, trace },
      { task: 'neighbour', evidence: fine.evidence(), at: noon - 3_600_000, trace },
    ]);
    await pass.settled();
    expect((await stored('cut-off'))[0]?.names).toEqual(['limit_exceeded']);
    expect((await stored('neighbour'))[0]?.names).toEqual([]);
  });

  it('keeps to the settings of the project', async () => {
    const error = lookup('text', 'Error: no such order');
    const evidence = {
      ...error,
      spans: error.spans.map((span) =>
        span.kind === 'tool' ? { ...span, tool_error_by: 'content' } : span,
      ),
    };
    await put('loud', evidence);
    await put('quiet', evidence, { project: 'quiet' });
    const other = start(['quiet']);
    await other.settled();
    await other.close();
    expect((await stored('loud'))[0]?.names).toContain('silent_tool_failure');
    expect((await stored('quiet', 'quiet'))[0]?.names).not.toContain('silent_tool_failure');
  });
});

describe('what is learnt', () => {
  it('judges a shape by the days before, and none of the same day', async () => {
    const usual = Array.from({ length: 60 }, (_, i) => ({
      task: `usual-${i}`,
      evidence: lookup('object(id)'),
      at: noon - 2 * day + i * 1000,
    }));
    await storeEvidence(store, usual);
    await put('odd-then', lookup('object(message)'), { at: noon - 2 * day + 7_200_000 });
    await put('odd-now', lookup('object(message)'));
    await put('usual-now', lookup('object(id)'));
    await pass.settled();
    expect((await stored('odd-then'))[0]?.names).toEqual([]);
    expect((await stored('usual-now'))[0]?.names).toEqual([]);
    expect((await stored('odd-now'))[0]).toMatchObject({
      names: ['silent_tool_failure'],
      texts: ['lookup returned object(message), as in 1 of 61 results before; usual is object(id)'],
      baseline: [today],
      signature: 'silent_tool_failure(lookup)',
    });
  });

  it('is said the same by the decisions of the task', async () => {
    const { findings } = await ask<{ findings: { finding: string }[] }>(
      '/api/v1/tasks/odd-now/decisions',
    );
    expect(findings).toMatchObject([{ finding: 'silent_tool_failure' }]);
  });
});

describe('what a workflow must do', () => {
  it('is held against its expectation, and a key used twice against the other task', async () => {
    const s = scenario();
    const asked = calls(call('c', 'pay', { sum: 10 }));
    s.model({ input: [user('pay 10')], output: asked });
    s.tool({ tool_name: 'pay', tool_call_id: 'c', result: 'paid' });
    s.model({ input: [user('pay 10'), asked, result('c', 'paid')], output: says('ok') });
    const own = { task_idempotency_key: 'order-7' };
    await put('pay-1', s.evidence(), { workflow: 'strict', own, at: noon - 7_200_000 });
    await put('pay-2', s.evidence(), { workflow: 'strict', own });
    await pass.settled();
    expect((await stored('pay-1'))[0]?.texts).toEqual([
      'pay was called before verify had succeeded, which must come first',
      'verify was never called, which this workflow requires',
    ]);
    expect((await stored('pay-2'))[0]?.names).toContain('duplicate_task');
    expect((await stored('pay-1'))[0]?.names).not.toContain('duplicate_task');
  });
});

describe('GET /api/v1/findings', () => {
  interface Rates {
    readonly groups: readonly Record<string, unknown>[];
    readonly tasks_judged: number;
    readonly tasks_unjudged: number;
  }

  it('gives rates with their base and examples', async () => {
    const rates = await ask<Rates>('/api/v1/findings?from=now-2d&workflow=airline');
    expect(rates).toMatchObject({ tasks_judged: 3, tasks_unjudged: 0 });
    const group = rates.groups.find(
      (own) => (own['key'] as { finding: string }).finding === 'silent_tool_failure',
    );
    expect(group).toMatchObject({
      tasks: 2,
      successes: 1,
      failures: 1,
      occurrences: 3,
      tasks_judged: 3,
      rate: 2 / 3,
      example_task_ids: ['run-0', 'run-2'],
    });
  });

  it('narrows what is counted by one finding, not the tasks it is counted among', async () => {
    const { groups } = await ask<Rates>(
      '/api/v1/findings?from=now-2d&workflow=airline&finding=silent_tool_failure&group_by=tool',
    );
    expect(groups.map(({ key, tasks, tasks_judged }) => [key, tasks, tasks_judged])).toEqual([
      [{ tool: 'book_reservation' }, 1, 3],
      [{ tool: 'update_reservation_flights' }, 1, 3],
    ]);
  });

  it('groups failures that are alike, by workflow', async () => {
    const { groups } = await ask<Rates>(
      '/api/v1/findings?from=now-3d&group_by=signature,workflow&workflow=w',
    );
    expect(groups).toContainEqual(
      expect.objectContaining({
        key: { signature: 'silent_tool_failure(lookup)', workflow: 'w' },
        tasks: 1,
        example_task_ids: ['odd-now'],
      }),
    );
  });
});

describe('GET /api/v1/trajectories', () => {
  it('gives ratios per workflow', async () => {
    const { groups } = await ask<{ groups: Record<string, unknown>[] }>(
      '/api/v1/trajectories?from=now-2d&workflow=strict',
    );
    expect(groups).toMatchObject([
      {
        key: { workflow: 'strict' },
        tasks: 2,
        decisions_per_task: 2,
        tool_calls_per_task: 1,
        unnecessary_call_ratio: 0,
        broken_expectation_ratio: 1,
        handoff_failure_ratio: null,
        efficiency_ratio: null,
      },
    ]);
  });

  it('gives the counts of one task', async () => {
    expect(await ask('/api/v1/tasks/pay-1/trajectory')).toMatchObject({
      task_id: 'pay-1',
      decisions: 2,
      model_calls: 2,
      tool_calls: 1,
      order_rules: 2,
      broken_order_rules: 2,
      best: null,
    });
  });
});

describe('signals', () => {
  it('compares stated confidence, and other verdicts, with what people said', async () => {
    const sure = (confidence: string) => {
      const s = scenario();
      const told = { 'agent.decision.name': 'route', 'agent.decision.chosen': 'a' };
      const attributes = { ...told, 'agent.decision.confidence': confidence };
      const events = [{ time: s.now(), name: 'agent.decision', attributes }];
      s.model({ input: [user('go')], output: says('done'), events });
      return s.evidence();
    };
    const verdicts = [
      ['sure-1', '0.9', 'success', 'success'],
      ['sure-2', '0.9', 'failure', 'success'],
      ['sure-3', '0.2', 'failure', 'failure'],
    ] as const;
    await storeEvidence(
      store,
      verdicts.map(([task, confidence, verdict]) => ({
        task,
        verdict,
        evidence: sure(confidence),
        workflow: 'sure',
        at: noon - 3_600_000,
      })),
    );
    await insert(
      store,
      outcomes,
      verdicts.map(([task_id, , , outcome]) =>
        outcomeRow({
          key: `${task_id} graded`,
          task_id,
          outcome,
          source: 'evaluation',
          by: 'grader',
          at: BigInt(noon) * 1000n,
        }),
      ),
    );
    const judged = (task_id: string, label: string, score: number | null) => ({
      project: 'p',
      key: `${task_id} ${label}`,
      task_id,
      trace_id: '',
      span_id: '',
      response_id: '',
      name: 'helpful',
      score,
      label,
      evaluator: 'judge-1',
      explanation: '',
      at: BigInt(noon) * 1000n,
    });
    await insert(store, evaluations, [
      judged(verdicts[0]?.[0] ?? '', 'Pass', null),
      judged(verdicts[1]?.[0] ?? '', '', 0.9),
      // A grade from 1 to 5 says nothing of success.
      judged(verdicts[2]?.[0] ?? '', '', 4),
    ]);
    await pass.settled();
    const answer = await ask<Record<string, unknown>>(
      '/api/v1/trajectories?from=now-2d&workflow=sure',
    );
    expect(answer['calibration']).toEqual({
      tasks: 3,
      // ((1 - 0.9)² + 0.9² + 0.2²) / 3, and (2 · |0.9 - 0.5| + 0.2) / 3.
      brier_score: expect.closeTo(0.86 / 3, 9),
      expected_calibration_error: expect.closeTo(1 / 3, 9),
      bins: [
        { confidence_low: 0.2, tasks: 1, confidence_mean: 0.2, success_rate: 0 },
        { confidence_low: 0.9, tasks: 2, confidence_mean: 0.9, success_rate: 0.5 },
      ],
    });
    expect(answer['reward_signals']).toMatchObject([
      { source: 'evaluation', by: 'grader', tasks: 3, agreeing: 2, false_successes: 1 },
      { source: 'evaluation', by: 'judge-1: helpful', tasks: 2 },
    ]);
  });
});

describe('search', () => {
  it.each([
    ['text=does+not+add+up', ['run-0']],
    ['text=ADD+UP,+total', ['run-0']],
    ['text=does+not+add+down', []],
    ['argument=certificate_9380982', ['run-2']],
    ['argument=does+not+add+up', []],
    ['tool=book_reservation', ['run-0']],
    ['tool=pay&workflow=strict', ['pay-1', 'pay-2']],
    ['min_duration_ms=1000000', []],
    ['signature=silent_tool_failure(book_reservation)', ['run-0']],
  ])('%s', async (filter, expected) => {
    const { tasks } = await ask<Listed>(`/api/v1/tasks?from=now-2d&${filter}`);
    expect(tasks.map(({ task_id }) => task_id).toSorted()).toEqual(expected);
  });

  it('hands on what it judged of a large task, for whoever asks first', async () => {
    const s = scenario();
    for (let i = 0; i < 600; i += 1) {
      s.model({
        input: [user(`order ${i}`)],
        output: calls(call(`c${i}`, 'lookup', { id: `A${i}` })),
      });
      s.tool({ tool_name: 'lookup', tool_call_id: `c${i}`, result: `{"id": "A${i}"}` });
    }
    await put('large', s.evidence(), { project: 'handed' });
    await put('small', lookup('{id:string}'), { project: 'handed' });
    const judge = createJudge(store, settings);
    const handing = startFindingsPass({
      store,
      projects: () => ['handed'],
      settings,
      now,
      onJudged: judge.keep,
      report: (problem) => problems.push(problem),
    });
    await handing.settled();
    await handing.close();
    const count = (name: string) =>
      judge.metrics().find((metric) => metric.name === `plumbline_kept_decisions_${name}_total`)
        ?.samples[0]?.value;
    const kept = await judge.task('handed', 'large', now());
    expect([count('hits'), count('misses')]).toEqual([1, 0]);
    expect(kept?.trajectory.steps).toHaveLength(600);
    const fresh = await createJudge(store, settings).task('handed', 'large', now());
    // Some of it is looked up by functions, which no two derivations share.
    const said = (task: typeof kept) =>
      task && toAnswer(task.trajectory, task.findings, task.suspects, { ...whole, limit: 600 });
    expect(said(kept)).toEqual(said(fresh));
    await judge.task('handed', 'small', now());
    expect([count('hits'), count('misses')]).toEqual([1, 1]);
  });
});
