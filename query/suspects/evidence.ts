import type { FindingAnswer, SuspectReason } from '../decisions/answer.ts';
import { isFailure } from '../decisions/edges.ts';
import { leavesOf } from '../decisions/json.ts';
import type { Call, Trajectory } from '../decisions/model.ts';
import { cut, errorText } from '../decisions/wording.ts';
import { sayUse, sayWords } from './signals.ts';

// Findings that tell of a cause; the others are symptoms of one, or another signal here states them better.
const causes = new Set([
  'duplicate_side_effect',
  'error_ignored',
  'expectation_violated',
  'hallucinated_tool',
  'invalid_arguments',
  'prompt_injection_suspect',
  'unapproved_risky_action',
  'ungrounded_argument',
  'unverified_claim',
]);

// What ended a task badly by itself, however lightly the rule takes it.
const ends = new Set(['empty_answer', 'truncated_output']);

/** What speaks against each decision, and for it, by its id. */
export function evidenceFor(
  trajectory: Trajectory,
  findings: readonly FindingAnswer[],
): Map<string, SuspectReason[]> {
  const evidence = new Map<string, SuspectReason[]>();
  const say = (step: string | undefined, reason: SuspectReason) => {
    if (step === undefined) return;
    const list = evidence.get(step);
    if (list === undefined) evidence.set(step, [reason]);
    else if (!list.some(({ signal }) => signal === reason.signal)) list.push(reason);
  };
  sayCalls(trajectory.calls, say);
  for (const { finding, severity, decision, text, spans } of findings) {
    const tells = (severity === 'error' && causes.has(finding)) || ends.has(finding);
    if (decision !== null && tells) say(decision, { signal: finding, text, spans });
  }
  sayWords(trajectory, (step, reason) => say(step.id, reason));
  sayUse(trajectory, (step, reason) => say(step.id, reason));
  return evidence;
}

function sayCalls(
  calls: readonly Call[],
  say: (step: string | undefined, reason: SuspectReason) => void,
) {
  const made = calls.filter(({ step }) => step !== null);
  const said = new Set<string>();
  for (const call of made) {
    const unsourced = unsourcedWrite(call, said);
    if (unsourced !== null) say(call.step?.id, unsourced);
  }
  const error = made.find(isFailure);
  if (error !== undefined) say(error.step?.id, firstError(error));
  const change = made.find(({ effect, result }) => effect === 'write' && result.status === 'ok');
  if (change !== undefined) say(change.step?.id, firstChange(change, made));
  const attempt = made.find(({ effect }) => effect === 'write');
  if (attempt !== undefined && attempt !== change) say(attempt.step?.id, firstAttempt(attempt));
}

/** Values without a source in a writing call; a retry that only keeps them adds nothing, so `said` remembers. */
function unsourcedWrite({ unsourced, effect, tool, step, result }: Call, said: Set<string>) {
  if (effect !== 'write' || unsourced === null) return null;
  const fresh = unsourced.filter(({ pointer, value }) => !said.has(`${tool}${pointer} ${value}`));
  for (const { pointer, value } of fresh) said.add(`${tool}${pointer} ${value}`);
  if (fresh.length === 0) return null;
  const values = fresh.map(({ pointer, value }) => `${nameOf(pointer)} = ${JSON.stringify(value)}`);
  const verb = values.length === 1 ? 'occurs' : 'occur';
  return {
    signal: 'unsourced_write_argument',
    text: `${tool} changes state; ${list(values)} ${verb} in no message or result before this call`,
    spans: [step?.span_id ?? result.span?.span_id ?? ''],
  };
}

/** `payment_methods[1].amount` for `/payment_methods/1/amount`. */
export function nameOf(pointer: string): string {
  return pointer
    .slice(1)
    .split('/')
    .map((step, i) => (/^\d+$/.test(step) ? `[${step}]` : i === 0 ? step : `.${step}`))
    .join('')
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
}

function list(values: readonly string[]): string {
  const named = values.slice(0, 4);
  const more = values.length - named.length;
  if (more > 0) return `${named.join(', ')} and ${more} more`;
  return named.length < 2 ? named.join('') : `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`;
}

function firstError(call: Call): SuspectReason {
  const said = call.result.text ?? call.result.span?.error_message ?? '';
  return {
    signal: 'first_tool_error',
    text: `first error of the task: ${said === '' ? call.tool : cut(errorText(said), 160)}`,
    spans: spansOf(call).slice(-1),
  };
}

function firstAttempt(call: Call): SuspectReason {
  return {
    signal: 'first_write_attempt',
    text: `${call.tool} is the first attempt to change state`,
    spans: spansOf(call),
  };
}

/** The point of no return, and what it changed against the failed attempt before it. */
function firstChange(call: Call, made: readonly Call[]): SuspectReason {
  const before = made
    .slice(0, made.indexOf(call))
    .findLast(({ tool, step }) => tool === call.tool && step?.scope === call.step?.scope);
  const retry = before === undefined || !isFailure(before) ? '' : retryText(before, call);
  return {
    signal: 'first_state_change',
    text: `${call.tool} is the first state-changing call that succeeded${retry}`,
    spans: spansOf(call),
  };
}

function retryText(before: Call, call: Call): string {
  const changed = changedArguments(before, call);
  if (changed.length === 0) return '';
  const kept =
    (before.unsourced ?? []).some(({ pointer }) =>
      (call.unsourced ?? []).some((own) => own.pointer === pointer),
    ) && ' and kept the unsourced arguments';
  return `; the retry changed only ${changed.join(', ')}${kept || ''}`;
}

/** Arguments that differ between two calls, as `name a → b`; at most three, for more the two are no retry. */
export function changedArguments(before: Call, after: Call): string[] {
  const old = leaves(before);
  const now = leaves(after);
  const names = [...new Set([...old.keys(), ...now.keys()])].filter(
    (pointer) => old.get(pointer) !== now.get(pointer),
  );
  if (names.length > 3) return [];
  return names.map(
    (pointer) =>
      `${nameOf(pointer)} ${old.get(pointer) ?? '(none)'} → ${now.get(pointer) ?? '(none)'}`,
  );
}

function leaves({ args }: Call): Map<string, string> {
  return new Map(
    leavesOf(args).map(({ pointer, value }) => [pointer, cut(JSON.stringify(value), 40)]),
  );
}

function spansOf({ step, result }: Call): string[] {
  return [step?.span_id, result.span?.span_id].filter((id) => id !== undefined);
}
