import { isCovered } from '../findings/find.ts';
import { changedArguments, nameOf } from '../suspects/evidence.ts';
import type { FindingAnswer, SuspectAnswer } from './answer.ts';
import { decisiveSteps, type SourceLabel, sourceLabels } from './decisive.ts';
import { isFailure } from './edges.ts';
import type { TaskFacts } from './evidence.ts';
import { leavesOf } from './json.ts';
import type { Call, Step, Trajectory } from './model.ts';
import { cut, errorText, harmless, oneLine, topicOf } from './wording.ts';

const width = 140;
const maxLines = 30;
const maxArguments = 6;

/**
 * A task explained for a terminal in at most 30 lines, as a person would tell it: what came of it, what is suspect and
 * what was found, then the decisions that matter with their arguments and where those came from. Nothing in it can move
 * the cursor: all text from telemetry is on one line.
 */
export function renderTask(
  trajectory: Trajectory,
  findings: readonly FindingAnswer[],
  suspects: readonly SuspectAnswer[],
): string {
  const shown = suspects.slice(0, 2);
  const explained = [
    ...shown.flatMap((suspect) => suspectLines(trajectory, suspect)),
    ...foundLines(trajectory, findings, shown),
  ];
  const footer = findingsLine(trajectory, findings);
  const room = maxLines - explained.length - 3;
  const labels = sourceLabels(trajectory);
  const blocks = decisiveSteps(trajectory, findings, suspects).map(({ step, detailed }) => ({
    step,
    rows: stepRows(step, trajectory, labels),
    details: detailed ? detailRows(step, suspects, labels) : [],
  }));
  const body: string[] = [];
  for (const [i, { rows, details }] of blocks.entries()) {
    const after = blocks.slice(i + 1).reduce((sum, next) => sum + next.rows.length, 0);
    const free = room - body.length - rows.length - after;
    body.push(...rows, ...details.slice(0, Math.max(0, free)));
  }
  const head = [header(trajectory), outcomeLine(trajectory.task)];
  const lines = [...head, ...explained, ...body.slice(0, room), footer];
  return `${lines.map((line) => cut(harmless(line).trimEnd(), width)).join('\n')}\n`;
}

function header({ task, steps }: Trajectory): string {
  const agents = new Set(steps.map(({ agent }) => agent).filter((agent) => agent !== null));
  const decisions = `${steps.length} ${steps.length === 1 ? 'decision' : 'decisions'}`;
  const parts = [
    `task ${oneLine(task.task_id)}`,
    task.workflow === null ? '' : oneLine(task.workflow),
    verdict(task),
    agents.size > 1 ? `${decisions}  ${agents.size} agents` : decisions,
    task.cost_usd === null ? 'cost unknown' : money(task.cost_usd),
    timing(task),
  ];
  return parts.filter((part) => part !== '').join('   ');
}

function verdict({ outcome, state }: TaskFacts): string {
  if (outcome === 'failure') return 'FAILED';
  if (outcome === 'success') return 'SUCCEEDED';
  return state.toUpperCase().replaceAll('_', ' ');
}

function money(usd: number): string {
  if (usd === 0) return '$0';
  return `$${usd >= 100 ? usd.toFixed(0) : usd >= 0.1 ? usd.toFixed(2) : usd.toPrecision(2)}`;
}

function timing({ duration_ms, model_ms, tool_ms, human_wait_ms }: TaskFacts): string {
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  const parts = [
    ['model', model_ms],
    ['tools', tool_ms],
    ['waiting', human_wait_ms],
  ] as const;
  const known = parts.flatMap(([name, ms]) =>
    ms === null || ms < 50 ? [] : [`${name} ${seconds(ms)}`],
  );
  if (duration_ms === null) return '';
  return `${seconds(duration_ms)} s${known.length === 0 ? '' : ` (${known.join(', ')})`}`;
}

// A sentence of more than this many lines is cut.
const sentenceLines = 2;

/** A suspect with its strongest reasons. */
function suspectLines(trajectory: Trajectory, { rank, decision, reasons }: SuspectAnswer) {
  const [first = '', second] = reasons.map(({ text }) => oneLine(text));
  const said = second === undefined ? first : `${first}; ${withoutSubject(second, first)}`;
  return sentence(`suspect ${rank}`, placeIn(trajectory, decision), said);
}

const maxFound = 3;

/** Errors that the rules found and the suspects do not tell of. */
function foundLines(
  trajectory: Trajectory,
  findings: readonly FindingAnswer[],
  suspects: readonly SuspectAnswer[],
): string[] {
  const said = new Set(
    suspects.flatMap(({ reasons }) => reasons.slice(0, 2).map(({ text }) => text)),
  );
  return findings
    .filter((own) => own.severity === 'error' && !isCovered(own) && !said.has(own.text))
    .slice(0, maxFound)
    .flatMap(({ decision, text }) =>
      sentence('found', placeIn(trajectory, decision), oneLine(text)),
    );
}

function placeIn({ steps }: Trajectory, decision: string | null): string {
  const n = steps.find(({ id }) => id === decision)?.n;
  return n === undefined ? 'code' : `#${n}`;
}

/** A sentence behind its head, broken between words. */
function sentence(what: string, place: string, said: string): string[] {
  const head = `  ${what.padEnd(9)}  ${place.padEnd(4)} `;
  const lines: string[] = [];
  let rest = said;
  const room = width - head.length;
  while (rest.length > room && lines.length < sentenceLines - 1) {
    const space = rest.lastIndexOf(' ', room);
    const at = space > room / 2 ? space : room;
    lines.push(rest.slice(0, at));
    rest = rest.slice(at).trimStart();
  }
  return [...lines, rest].map((line, i) => (i === 0 ? head : ' '.repeat(head.length)) + line);
}

/** A second sentence about the tool of the first does not name it again. */
function withoutSubject(sentence: string, before: string): string {
  const [subject = ''] = before.split(' ', 1);
  return sentence.startsWith(`${subject} `) ? `it${sentence.slice(subject.length)}` : sentence;
}

function stepRows(step: Step, trajectory: Trajectory, labels: ReadonlyMap<string, SourceLabel>) {
  const calls = step.chosen?.calls ?? [];
  if (calls.length === 0) return [row(step, ...plainRow(step))];
  const shown = calls
    .slice(0, 3)
    .map((call) => row(step, nameOfCall(call), status(call), note(call, trajectory, labels)));
  return calls.length > 3 ? [...shown, `        … ${calls.length - 3} more calls`] : shown;
}

function row({ n }: Step, name: string, state: string, text: string): string {
  return `  ${`#${n}`.padEnd(4)} ${cut(oneLine(name), 26).padEnd(26)}  ${state.padEnd(14)}  ${text}`;
}

function nameOfCall({ handoffTo, tool }: Call): string {
  return handoffTo === null ? tool : `handed off to ${handoffTo}`;
}

function plainRow(step: Step): readonly [string, string, string] {
  const { chosen, kind, span } = step;
  if (chosen === null)
    return kind === 'declared' ? [topicOf(step), 'open', ''] : ['not captured', '', ''];
  if (chosen.none !== null) {
    const said = span?.error_message || span?.error_type || '';
    return ['nothing chosen', chosen.none, chosen.none === 'error' ? cut(oneLine(said), 84) : ''];
  }
  if (chosen.value !== null) return [topicOf(step), '', oneLine(chosen.value)];
  const text = chosen.answer?.text ?? null;
  const name = chosen.answer?.type === 'refusal' ? 'refused' : 'answered';
  return [name, '', text === null ? '' : `"${cut(oneLine(text), 84)}"`];
}

function status({ result, handoffTo }: Call): string {
  if (result.status === 'error')
    return result.detected_by === 'content' && result.span !== null ? 'ERROR in a 200' : 'ERROR';
  if (result.status === 'missing' || result.status === 'unknown')
    return handoffTo === null ? 'no result' : '';
  return result.status === 'ok' ? 'ok' : result.status.toUpperCase();
}

/** Beside a call: its error; else what it retried and changed; else where its first argument came from. */
function note(
  call: Call,
  { calls, edges }: Trajectory,
  labels: ReadonlyMap<string, SourceLabel>,
): string {
  const error = isFailure(call)
    ? errorText(call.result.text ?? call.result.span?.error_message ?? '')
    : '';
  if (error !== '') return error;
  const edge = edges.find(({ type, to }) => type === 'retried' && to === call.id);
  const before = edge === undefined ? undefined : calls.find(({ id }) => id === edge.from);
  if (before !== undefined) return retried(before, call);
  const source = call.sources?.[0];
  const leaf = leavesOf(call.args).find(({ pointer }) => source?.args.includes(pointer));
  if (source === undefined || leaf === undefined) return '';
  return `${nameOf(leaf.pointer)} ${cut(oneLine(JSON.stringify(leaf.value)), 48)} ← ${labels.get(source.from)?.text ?? ''}`;
}

function retried(before: Call, call: Call): string {
  const changed = changedArguments(before, call);
  const what = changed.length === 0 ? '' : `, changed ${changed.map(oneLine).join(', ')}`;
  const kept = (before.unsourced ?? []).some(({ pointer, value }) =>
    (call.unsourced ?? []).some((own) => own.pointer === pointer && own.value === value),
  );
  return `retried #${before.step?.n}${what}${kept ? ', kept the unsourced arguments' : ''}`;
}

/** The arguments of a decision's calls, those without a source first, and why it was taken. */
function detailRows(
  step: Step,
  suspects: readonly SuspectAnswer[],
  labels: ReadonlyMap<string, SourceLabel>,
): string[] {
  const rank = suspects.find(({ decision }) => decision === step.id)?.rank;
  const mark = rank === undefined ? '' : `   ◄ suspect ${rank}`;
  const rows = (step.chosen?.calls ?? []).flatMap((call) => argumentRows(call, mark, labels));
  return [...rows.slice(0, maxArguments), whyRow(step)];
}

function argumentRows(
  call: Call,
  mark: string,
  labels: ReadonlyMap<string, SourceLabel>,
): string[] {
  const values = new Map(leavesOf(call.args).map(({ pointer, value }) => [pointer, value]));
  const show = (pointer: string) =>
    `${oneLine(nameOf(pointer))} = ${cut(oneLine(JSON.stringify(values.get(pointer) ?? null)), 44)}`;
  // What a model words for a search, it may make up.
  const blame = call.effect === 'write' ? mark : '';
  const unsourced = (call.unsourced ?? []).map(
    ({ pointer }) =>
      `        ${show(pointer).padEnd(36)}  no source in any message or result${blame}`,
  );
  const sourced = (call.sources ?? []).map(({ from, args }) => {
    const named = args.slice(0, 2).map(show).join(', ');
    const more = args.length > 2 ? ` and ${args.length - 2} more` : '';
    return `        ${(named + more).padEnd(36)}  ← ${labels.get(from)?.text ?? from}`;
  });
  return [...unsourced, ...sourced];
}

function whyRow(step: Step): string {
  const said = step.why?.find(({ text }) => text !== null)?.text ?? null;
  const why =
    step.why === null
      ? '(not captured)'
      : said === null
        ? '(none stated)'
        : `"${cut(oneLine(said), 76)}"`;
  const offered = step.toolset === null ? 'unknown' : `${step.toolset.tools.length} tools`;
  return `        why: ${why}    offered: ${offered}`;
}

function outcomeLine(task: TaskFacts): string {
  const score = task.outcome_score === null ? '' : `, score ${task.outcome_score}`;
  const by = task.outcome_source === null ? '' : ` (${task.outcome_source}${score})`;
  const reason = task.outcome_reason ? `: ${oneLine(task.outcome_reason)}` : '';
  return `  outcome ${task.outcome}${by}${reason}`;
}

function findingsLine({ steps }: Trajectory, findings: readonly FindingAnswer[]): string {
  const places = new Map<string, string[]>();
  const order = ['error', 'warn', 'info'];
  const told = findings.filter((finding) => !isCovered(finding));
  const matters = told.some(({ severity }) => severity !== 'info');
  const worst = told
    .filter(({ severity }) => !matters || severity !== 'info')
    .toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  for (const { finding, decision } of worst) {
    const n = steps.find(({ id }) => id === decision)?.n;
    const list = places.get(finding) ?? [];
    list.push(n === undefined ? 'code' : `#${n}`);
    places.set(finding, list);
  }
  const named = [...places].map(
    ([name, own]) => `${name} (${[...new Set(own)].slice(0, 4).join(', ')})`,
  );
  return named.length === 0 ? '  no findings' : `  findings: ${named.join(', ')}`;
}
