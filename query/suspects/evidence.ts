import type { FindingAnswer, SuspectReason } from '../decisions/answer.ts';
import { isFailure } from '../decisions/edges.ts';
import { leavesOf } from '../decisions/json.ts';
import type { Call, Trajectory } from '../decisions/model.ts';
import { cut, errorText } from '../decisions/wording.ts';

/** A reason to suspect a step, with its weight against acting order. */
export interface Evidence extends SuspectReason {
  readonly weight: number;
}

// A finding counts by its severity; those that another signal here states better are left out.
const findingWeight = { error: 0.3, warn: 0.1, info: 0 } as const;
const statedBelow = new Set(['silent_tool_failure', 'tool_error']);

/** The evidence against each decision, by its id, strongest first. */
export function evidenceFor(
  { calls }: Trajectory,
  findings: readonly FindingAnswer[],
): Map<string, Evidence[]> {
  const evidence = new Map<string, Evidence[]>();
  const say = (step: string | undefined, reason: Evidence) => {
    if (step === undefined) return;
    const list = evidence.get(step);
    if (list === undefined) evidence.set(step, [reason]);
    else list.push(reason);
  };
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
  for (const { finding, severity, decision, text, spans } of findings) {
    const weight = findingWeight[severity];
    if (decision !== null && weight > 0 && !statedBelow.has(finding))
      say(decision, { signal: finding, text, spans, weight });
  }
  for (const list of evidence.values()) list.sort((a, b) => b.weight - a.weight);
  return evidence;
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
    weight: 0.4,
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

function firstError(call: Call): Evidence {
  const said = call.result.text ?? call.result.span?.error_message ?? '';
  return {
    signal: 'first_tool_error',
    text: `first error of the task: ${said === '' ? call.tool : cut(errorText(said), 160)}`,
    spans: spansOf(call).slice(-1),
    weight: 0.2,
  };
}

/** The point of no return, and what it changed against the failed attempt before it. */
function firstChange(call: Call, made: readonly Call[]): Evidence {
  const before = made
    .slice(0, made.indexOf(call))
    .findLast(({ tool, step }) => tool === call.tool && step?.scope === call.step?.scope);
  const retry = before === undefined || !isFailure(before) ? '' : retryText(before, call);
  return {
    signal: 'first_state_change',
    text: `${call.tool} is the first state-changing call that succeeded${retry}`,
    spans: spansOf(call),
    weight: 0.25,
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
