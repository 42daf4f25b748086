import type { DecisionSpan, TaskEvidence } from '../../../query/decisions/evidence.ts';
import type { Background } from '../../../query/findings/background.ts';
import type { RecordedRun } from '../../decisions/recorded-run.ts';

/** A run with a defect put into it. */
export interface Mutant {
  /** Changed messages, when the defect is one of messages. */
  readonly run?: RecordedRun;
  /** Changes what was stored of the run, when messages do not tell the defect. */
  readonly store?: (evidence: TaskEvidence) => TaskEvidence;
  readonly background?: Partial<Background>;
  /** The decision, from 0, on which the finding must stand; null when any will do. */
  readonly decision: number | null;
}

/** A defect, the rule that must find it, and where it can be put into a run. */
export interface Mutation {
  readonly rule: string;
  readonly defect: string;
  /** All mutants of a run, none when it offers no place. */
  readonly inject: (run: RecordedRun) => readonly Mutant[];
}

/** Changes one span of the evidence. */
export function onSpan(
  id: (evidence: TaskEvidence) => string,
  change: (span: DecisionSpan) => Partial<DecisionSpan>,
): (evidence: TaskEvidence) => TaskEvidence {
  return (evidence) => {
    const wanted = id(evidence);
    const spans = evidence.spans.map((span) =>
      span.span_id === wanted ? { ...span, ...change(span) } : span,
    );
    return { ...evidence, spans };
  };
}

/** Id of the nth span of a kind. */
export function nth(kind: 'llm' | 'tool', n: number): (evidence: TaskEvidence) => string {
  return ({ spans }) => spans.filter((span) => span.kind === kind)[n]?.span_id ?? '';
}
