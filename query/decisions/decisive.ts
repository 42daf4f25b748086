import type { FindingAnswer, SuspectAnswer } from './answer.ts';
import type { Step, Trajectory } from './model.ts';

/** Where a piece of content came from, for people: `#4 get_user`, or `user, #2`. */
export interface SourceLabel {
  readonly step: Step;
  readonly text: string;
}

/** Labels of everything that can be a source: results by their call, messages by their own id. */
export function sourceLabels({ steps }: Trajectory): Map<string, SourceLabel> {
  const labels = new Map<string, SourceLabel>();
  for (const step of steps) {
    for (const { id, kind, call } of step.informed ?? [])
      if (call === null) labels.set(id, { step, text: `${kind.replaceAll('_', ' ')}, #${step.n}` });
    for (const { id, tool } of step.chosen?.calls ?? [])
      labels.set(id, { step, text: `#${step.n} ${tool}` });
  }
  return labels;
}

export interface Decisive {
  readonly step: Step;
  /** Show its arguments and reasons. */
  readonly detailed: boolean;
}

const most = 9;

/**
 * The decisions that explain a task, in order: suspects with the calls that their arguments came from, decisions with
 * findings, writes and handoffs, and the last one. The first suspect is shown in detail; without one, the last write.
 */
export function decisiveSteps(
  trajectory: Trajectory,
  findings: readonly FindingAnswer[],
  suspects: readonly SuspectAnswer[],
): Decisive[] {
  const { steps } = trajectory;
  const byId = new Map(steps.map((step) => [step.id, step]));
  const labels = sourceLabels(trajectory);
  const ranked = suspects.flatMap(({ decision }) => byId.get(decision) ?? []);
  const acted = steps.filter(({ chosen }) =>
    chosen?.calls.some(({ effect, handoffTo }) => effect === 'write' || handoffTo !== null),
  );
  const found = findings.flatMap(({ decision }) => byId.get(decision ?? '') ?? []);
  const answered = trajectory.approvals.flatMap(({ step, status }) =>
    status === 'denied' || status === 'expired' ? (byId.get(step) ?? []) : [],
  );
  const [first] = ranked;
  const sources = (first?.chosen?.calls ?? []).flatMap(({ sources }) =>
    (sources ?? []).flatMap(({ from }) => labels.get(from)?.step ?? []),
  );
  const called = sources.filter(({ chosen }) => (chosen?.calls.length ?? 0) > 0);
  const last = steps.at(-1);
  const wanted = new Set([
    ...ranked.slice(0, 3),
    ...called.slice(0, 3),
    ...found,
    ...answered,
    ...acted.toReversed(),
    ...(last === undefined ? [] : [last]),
  ]);
  const detailed = first ?? acted.at(-1) ?? last;
  // Where nothing is wrong, a short task is told whole.
  const whole = ranked.length === 0 && found.length === 0 && steps.length <= most;
  return [...(whole ? steps : wanted)]
    .slice(0, most)
    .toSorted((a, b) => a.n - b.n)
    .map((step) => ({ step, detailed: step === detailed }));
}
