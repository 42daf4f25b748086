import { expect, it } from 'vitest';
import { evidenceOf, recordedRuns } from '../../test/decisions/recorded-run.ts';
import { deriveTrajectory } from '../decisions/derive.ts';
import { findDefects } from './find.ts';

/** Tasks with a finding among successes and failures of all 100 recorded runs; rules that are not named: none. */
const expected = {
  duplicate_side_effect: [0, 1],
  limit_exceeded: [0, 2],
  loop: [0, 4],
  repeated_call: [2, 12],
  retry_storm: [0, 8],
  silent_tool_failure: [7, 22],
  ungrounded_argument: [2, 0],
};

it('finds in the recorded runs what was counted by hand, and nothing else', () => {
  const { runs, complete } = recordedRuns();
  const hits: Record<string, [number, number]> = {};
  for (const run of runs) {
    const findings = findDefects(deriveTrajectory(evidenceOf(run)));
    for (const name of new Set(findings.map(({ finding }) => finding))) {
      const counts = hits[name] ?? [0, 0];
      hits[name] = counts;
      counts[run.reward === 1 ? 0 : 1]++;
    }
  }
  // Without the whole data: the three committed runs.
  expect(hits).toEqual(
    complete ? expected : { silent_tool_failure: [1, 1], ungrounded_argument: [1, 0] },
  );
});
