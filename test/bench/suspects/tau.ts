import { deriveTrajectory } from '../../../query/decisions/derive.ts';
import { canonical } from '../../../query/decisions/json.ts';
import type { Call } from '../../../query/decisions/model.ts';
import { findDefects } from '../../../query/findings/find.ts';
import { rankSuspects } from '../../../query/suspects/rank.ts';
import { evidenceOf, type RecordedRun, recordedRuns } from '../../decisions/recorded-run.ts';

/** τ-bench states for every task the writes that solve it; the simulated user and the runs never saw them. */
interface Expected extends RecordedRun {
  readonly info?: {
    readonly task: {
      readonly actions: readonly { readonly name: string; readonly kwargs: object }[];
    };
  };
}

/** What the ranking says of the failed runs of τ-bench. */
export interface TauScore {
  /** Runs with a write that is not among the expected ones, and in how many it ranks first and in the first three. */
  readonly wrongWrite: { readonly n: number; readonly top1: number; readonly top3: number };
  /** Runs without such a write: an action is missing. `nothing`: no write succeeded at all. */
  readonly omission: {
    readonly n: number;
    readonly said: number;
    readonly nothing: number;
    readonly nothingSaid: number;
  };
  /** Runs with a wrong write of which an omission is said all the same. */
  readonly falseOmissions: number;
}

/** Null without the recorded data. */
export function scoreTau(): TauScore | null {
  const { runs, complete } = recordedRuns();
  if (!complete) return null;
  const wrongWrite = { n: 0, top1: 0, top3: 0 };
  const omission = { n: 0, said: 0, nothing: 0, nothingSaid: 0 };
  let falseOmissions = 0;
  for (const run of runs.filter(({ reward }) => reward !== 1)) {
    const trajectory = deriveTrajectory(evidenceOf(run));
    const suspects = rankSuspects(trajectory, findDefects(trajectory));
    const said = suspects[0]?.reasons.some(({ signal }) => signal === 'nothing_was_done') ?? false;
    const writes = trajectory.calls.filter(({ effect }) => effect === 'write');
    const wrong = writes.find((call) => !isExpected(call, run));
    if (wrong === undefined) {
      const nothing = !writes.some(({ result }) => result.status === 'ok');
      omission.n++;
      omission.said += Number(said);
      omission.nothing += Number(nothing);
      omission.nothingSaid += Number(nothing && said);
      continue;
    }
    const at = suspects.findIndex(({ decision }) => decision === wrong.step?.id);
    wrongWrite.n++;
    wrongWrite.top1 += Number(at === 0);
    wrongWrite.top3 += Number(at >= 0 && at < 3);
    falseOmissions += Number(said);
  }
  return { wrongWrite, omission, falseOmissions };
}

function isExpected({ tool, argsKey }: Call, run: Expected): boolean {
  return (run.info?.task.actions ?? []).some(
    ({ name, kwargs }) => name === tool && canonical(kwargs) === argsKey,
  );
}
