import type { Severity } from '../decisions/answer.ts';
import type { Call, Step, Trajectory } from '../decisions/model.ts';
import type { Background } from './background.ts';

/** A defect that a rule saw: where, the spans that prove it, and a sentence that compares with something. */
export interface Found {
  readonly step: Step | null;
  readonly call?: Call;
  readonly spans: readonly string[];
  readonly text: string;
  /** All calls that it speaks of, `call` among them, when they are several. */
  readonly covers?: readonly Call[];
  /** When it is not the rule's own. */
  readonly severity?: Severity;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/**
 * A deterministic rule (BEHAVIOUR §3). `fact` follows from the data; `judgement` is a threshold that can be wrong.
 * Level `M` needs metadata only, `C` needs content. No evidence, no finding.
 */
export interface Rule {
  readonly id: string;
  /** Goes up when the same trajectory may give another answer. */
  readonly version: number;
  readonly class: 'fact' | 'judgement';
  readonly severity: Severity;
  readonly level: 'M' | 'C';
  readonly parameters: Parameters;
  /** `parameters`: the rule's own where not overridden. */
  readonly find: (
    trajectory: Trajectory,
    parameters: Parameters,
    background: Background,
  ) => Found[];
}

export type Parameters = Readonly<Record<string, number>>;

/** The span that proves a call's result, else the decision that made the call. */
export function resultSpans(call: Call): string[] {
  const own = call.result.span?.span_id ?? call.step?.span_id;
  return own === undefined ? [] : [own];
}

/** The decision and the tool span of a call. */
export function callSpans(call: Call): string[] {
  return [call.step?.span_id, call.result.span?.span_id].filter((id) => id !== undefined);
}

// Evidence beyond this is more of the same.
const maxSpans = 50;

/** The spans of several calls, the first ones when there are many. */
export function spansOfCalls(calls: readonly Call[]): string[] {
  return calls.slice(0, maxSpans).flatMap(callSpans).slice(0, maxSpans);
}

/** The calls of each agent's run, in order of time: what one agent did in a row. */
export function callsByScope(trajectory: Trajectory): Call[][] {
  const scopes = new Map<string, Call[]>();
  for (const call of trajectory.calls) {
    const scope = call.step?.scope ?? '';
    const list = scopes.get(scope);
    if (list === undefined) scopes.set(scope, [call]);
    else list.push(call);
  }
  return [...scopes.values()];
}

/** `#7` for a decision, `code` for a call that no decision made. */
export function placeOf(step: Step | null): string {
  return step === null ? 'code' : `#${step.n}`;
}
