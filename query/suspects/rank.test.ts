import { describe, expect, it } from 'vitest';
import { committedRuns, evidenceOf, type RecordedRun } from '../../test/decisions/recorded-run.ts';
import { call, calls, result, says, scenario, user } from '../../test/decisions/scenario.ts';
import { deriveTrajectory } from '../decisions/derive.ts';
import type { TaskEvidence } from '../decisions/evidence.ts';
import { findDefects } from '../findings/find.ts';
import { rankSuspects } from './rank.ts';

function ranked(evidence: TaskEvidence) {
  const trajectory = deriveTrajectory(evidence);
  const suspects = rankSuspects(trajectory, findDefects(trajectory));
  return suspects.map(({ decision, score, reasons }) => ({
    n: trajectory.steps.find(({ id }) => id === decision)?.n,
    score,
    signals: reasons.map(({ signal }) => signal),
    text: reasons[0]?.text,
  }));
}

const run = (i: number) => evidenceOf(committedRuns()[i] as RecordedRun);

describe('suspects', () => {
  it('are, in run 0, the booking with invented baggage and the retry that kept it', () => {
    const [first, second] = ranked(run(0));
    expect(first).toMatchObject({
      n: 10,
      signals: ['unsourced_write_argument', 'first_write_attempt', 'first_tool_error'],
    });
    expect(first?.text).toContain(
      'total_baggages = 3 and nonfree_baggages = 1 occur in no message',
    );
    expect(second).toMatchObject({ n: 14, signals: ['first_state_change'] });
    expect(second?.text).toContain(
      'payment_methods[1].amount 5 → 55 and kept the unsourced arguments',
    );
  });

  it('are, in run 32, what was not done', () => {
    expect(ranked(run(1))).toMatchObject([
      {
        n: 2,
        signals: ['nothing_was_done', 'same_request_repeated'],
        text: 'none of the 14 offered tools was called in 10 decisions',
      },
    ]);
  });

  it('are none of a task that did not fail', () => {
    expect(ranked(run(2))).toEqual([]);
    expect(ranked({ ...run(0), task: { ...run(0).task, outcome: 'unknown' } })).toEqual([]);
  });

  it('follow acting order where nothing else is known', () => {
    const s = scenario();
    const first = calls(call('a', 'get_x', {}));
    s.model({ input: [user('go')], output: says('hello') });
    s.model({ input: [user('go'), says('hello'), user('on')], output: first });
    s.tool({ tool_name: 'get_x', tool_call_id: 'a', result: 'x' });
    const seen = [user('go'), says('hello'), user('on'), first, result('a', 'x')];
    s.model({ input: seen, output: says('bye') });
    expect(ranked(s.evidence()).map(({ n, signals }) => [n, ...signals])).toEqual([
      [2, 'acting_order'],
      [1, 'acting_order'],
      [3, 'acting_order'],
    ]);
  });
});
