import type { FindingAnswer } from '../decisions/answer.ts';
import { leavesOf, parseJson } from '../decisions/json.ts';
import type { Call, Trajectory } from '../decisions/model.ts';
import { isScratchTool, isThinkTool } from '../decisions/tools.ts';
import type { Background } from './background.ts';
import { planAdherence } from './plans.ts';
import { violationsOf } from './rules/expectation-violated.ts';
import { sameCalls } from './rules/repeated-call.ts';

/** How a task went, in counts; ratios are formed where they are asked for, so that they can be summed over tasks. */
export interface Measures {
  readonly decisions: number;
  readonly model_calls: number;
  readonly tool_calls: number;
  /** Calls that repeat an earlier one of the task with the same result. */
  readonly unnecessary_calls: number;
  /** Calls whose arguments could be checked, and those that did not fit. */
  readonly judged_arguments: number;
  readonly invalid_arguments: number;
  /** Calls that a person, a policy or a guardrail denied. */
  readonly blocked_calls: number;
  readonly handoffs: number;
  readonly failed_handoffs: number;
  /** Results whose text is known, and those of which no later argument or answer took a value. */
  readonly known_results: number;
  readonly unused_results: number;
  /** Expectations of the workflow that could be checked, and those that were broken. */
  readonly order_rules: number;
  readonly broken_order_rules: number;
  /** Tools that declared plans named, and how many of them were called in that order. */
  readonly planned_steps: number;
  readonly followed_steps: number;
  /** Model calls of the agent that made most. */
  readonly iterations: number;
  /** Fullest context of a call against the model's window; null when no window is known. */
  readonly peak_context_ratio: number | null;
  /** Confidence that decisions stated, 0 to 1. */
  readonly confidences: readonly number[];
}

/** Counts a trajectory; `findings` are those of the same trajectory. */
export function measure(
  trajectory: Trajectory,
  findings: readonly FindingAnswer[],
  background: Background,
): Measures {
  const { steps, calls } = trajectory;
  const models = steps.filter(({ kind }) => kind === 'inference');
  const judged = calls.filter(({ valid }) => valid !== null);
  const handoffs = calls.filter(({ handoffTo }) => handoffTo !== null);
  const results = usedResults(trajectory);
  const plan = planAdherence(trajectory);
  const rules = orderRules(background);
  const broken =
    background.expect === null ? 0 : violationsOf(trajectory, background.expect).length;
  return {
    decisions: steps.length,
    model_calls: models.length,
    tool_calls: calls.filter(({ tool }) => tool !== '').length,
    unnecessary_calls: repeats(calls),
    judged_arguments: judged.length,
    invalid_arguments: judged.filter(({ valid }) => valid === false).length,
    blocked_calls: calls.filter(({ result }) => result.status === 'denied').length,
    handoffs: handoffs.length,
    failed_handoffs: findings.filter(({ finding }) => finding === 'handoff_failed').length,
    known_results: results.known,
    unused_results: results.known - results.used,
    order_rules: rules,
    broken_order_rules: Math.min(broken, rules),
    planned_steps: plan.planned,
    followed_steps: plan.followed,
    iterations: mostOfOneScope(trajectory),
    peak_context_ratio: peakContext(trajectory, background),
    confidences: steps.flatMap(({ why }) =>
      (why ?? []).flatMap(({ confidence }) =>
        confidence !== undefined && confidence >= 0 && confidence <= 1 ? [confidence] : [],
      ),
    ),
  };
}

function repeats(calls: readonly Call[]): number {
  return sameCalls(calls).reduce((sum, same) => sum + same.length - 1, 0);
}

function orderRules({ expect }: Background): number {
  if (expect === null) return 0;
  const { required, forbidden, before, max_calls } = expect;
  return required.length + forbidden.length + before.length + (max_calls === null ? 0 : 1);
}

function mostOfOneScope({ steps }: Trajectory): number {
  const byScope = new Map<string, number>();
  for (const { kind, scope } of steps)
    if (kind === 'inference') byScope.set(scope, (byScope.get(scope) ?? 0) + 1);
  return [...byScope.values()].reduce((most, n) => Math.max(most, n), 0);
}

function peakContext({ steps }: Trajectory, { windowOf }: Background): number | null {
  let peak: number | null = null;
  for (const { span, model } of steps) {
    const window = windowOf(span?.provider ?? '', model ?? '');
    if (span?.input_tokens == null || window === null || window === 0) continue;
    const ratio = span.input_tokens / window;
    if (peak === null || ratio > peak) peak = ratio;
  }
  return peak;
}

/** A result is used when an argument has its source there, or a later answer holds a telling value of it. */
function usedResults({ steps, calls }: Trajectory): { known: number; used: number } {
  const known = calls.filter(
    ({ tool, result }) =>
      !isThinkTool(tool) && !isScratchTool(tool) && result.text !== null && result.text !== '',
  );
  const sources = new Set(calls.flatMap((call) => (call.sources ?? []).map(({ from }) => from)));
  // The last answer with each word: whether a later one has it is then asked once.
  const said = new Map<string, bigint>();
  for (const { chosen, start } of steps)
    if (chosen?.answer?.text) for (const word of wordsOf(chosen.answer.text)) said.set(word, start);
  const used = known.filter((call) => {
    if (sources.has(call.id)) return true;
    if (said.size === 0) return false;
    const start = call.step?.start ?? 0n;
    return tellingValues(call).some((value) => (said.get(value) ?? 0n) > start);
  });
  return { known: known.length, used: used.length };
}

// A huge result is judged by its beginning.
const maxText = 20_000;
const maxValues = 500;

function tellingValues({ result }: Call): string[] {
  const text = (result.text ?? '').slice(0, maxText);
  const value = /^\s*[[{]/.test(text) ? parseJson(result.text ?? '') : undefined;
  const leaves = value === undefined ? [text] : leavesOf(value).map((leaf) => String(leaf.value));
  const words = leaves.slice(0, maxValues).flatMap((leaf) => [...wordsOf(leaf)]);
  return words.filter((word) => word.length >= 5 || (word.length >= 2 && /\d/.test(word)));
}

function wordsOf(text: string): Set<string> {
  return new Set(text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? []);
}
