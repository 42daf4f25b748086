import type { FindingAnswer } from '../decisions/answer.ts';
import type { Trajectory } from '../decisions/model.ts';
import { type Background, noBackground } from './background.ts';
import type { Found, Parameters, Rule } from './rule.ts';
import { rules } from './rules.ts';

/** Overrides of rule parameters by rule id; a rule set to false is off. */
export type RuleSettings = Readonly<Record<string, Parameters | false>>;

// Of findings on one call the stronger says it all: the weaker stay as facts, marked as covered.
const strength = ['loop', 'retry_storm', 'repeated_call'];

/** The findings of a task by every rule, in order of their decisions, then by name. Pure and deterministic. */
export function findDefects(
  trajectory: Trajectory,
  settings: RuleSettings = {},
  background: Background = noBackground,
): FindingAnswer[] {
  const found = rules.flatMap((rule) => {
    const own = settings[rule.id];
    if (own === false) return [];
    const hits = rule.find(trajectory, { ...rule.parameters, ...own }, background);
    return hits.map((hit): Hit => ({ rule, hit }));
  });
  const strongest = strongestByCall(found);
  return found.toSorted(inOrder).map((own, i) => toFinding(own, `f${i + 1}`, strongest));
}

interface Hit {
  readonly rule: Rule;
  readonly hit: Found;
}

function strongestByCall(found: readonly Hit[]): Map<string, string> {
  const strongest = new Map<string, string>();
  for (const name of strength.toReversed()) {
    for (const { rule, hit } of found) {
      if (rule.id !== name) continue;
      for (const call of hit.covers ?? []) strongest.set(call.id, name);
      if (hit.call !== undefined) strongest.set(hit.call.id, name);
    }
  }
  return strongest;
}

function toFinding(
  { rule, hit }: Hit,
  id: string,
  strongest: ReadonlyMap<string, string>,
): FindingAnswer {
  const best = hit.call === undefined ? undefined : strongest.get(hit.call.id);
  const covered = strength.includes(rule.id) && best !== rule.id ? { covered_by: best } : {};
  const detail = { ...hit.detail, ...covered };
  return {
    id,
    finding: rule.id,
    severity: hit.severity ?? rule.severity,
    decision: hit.step?.id ?? null,
    ...(hit.call === undefined ? {} : { call: hit.call.id }),
    spans: [...new Set(hit.spans)],
    text: hit.text,
    ...(Object.keys(detail).length === 0 ? {} : { detail }),
  };
}

/** Whether a stronger finding on the same call already says it. */
export function isCovered({ detail }: FindingAnswer): boolean {
  return detail?.['covered_by'] !== undefined;
}

function inOrder(a: Hit, b: Hit): number {
  const at = timeOf(a.hit);
  const other = timeOf(b.hit);
  if (at !== other) return at < other ? -1 : 1;
  const calls = compare(a.hit.call?.id ?? '', b.hit.call?.id ?? '');
  return calls === 0 ? compare(a.rule.id, b.rule.id) : calls;
}

function timeOf({ step, call }: Found): bigint {
  return step?.start ?? call?.result.span?.start ?? 0n;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
